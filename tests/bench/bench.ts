// deno-lint-ignore-file no-console -- it prints what it measured
/**
 * calc-server compared with equivalent servers in other languages:
 * `task bench [--rounds N] [--seconds S] [--only SCENARIO] [--against PATH] [--write]`.
 *
 * All servers run at once, idle except for the one being measured; each round
 * measures each in turn, every other round in the opposite order. Prints ratios
 * of netdemo to each peer, round by round: the median, the least and the most.
 * With --against another netdemo, a checkout or an executable, is the first peer:
 * the same machine at the same time, so that a loss of a few percent shows.
 * Needs a C compiler for the load generator; peers whose tools are missing are
 * skipped and listed. Writes dist/bench.json and dist/bench.md, and with --write the
 * tables of docs/performance.md.
 */
import { type FlagValues, readName } from "../../cli/arguments/flags.ts";
import { readId } from "../../cli/arguments/ids.ts";
import { readTaskLine } from "../harness/task_line.ts";
import { writeBetweenMarks } from "../harness/page_table.ts";
import {
  buildLoad,
  hasTool,
  type Measured,
  roundFlags,
  runLoad,
  start,
  type Target,
} from "./load.ts";

interface Peer {
  readonly name: string;
  /** The program that must be installed. */
  readonly tool: string;
  /** Builds the peer into the folder if necessary; returns the command without tcp or udp. */
  readonly command: (folder: string) => Promise<readonly string[]> | readonly string[];
  readonly env?: Record<string, string>;
  /** Scenarios that it can't run. */
  readonly without?: readonly string[];
}

interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly args: readonly string[];
  readonly udp?: boolean;
}

const PAGE = new URL("../../docs/performance.md", import.meta.url);
const peersFolder = `${import.meta.dirname}/peers`;
const deno = Deno.execPath();

const peers: readonly Peer[] = [
  {
    name: "bare Deno",
    tool: deno,
    command: () => [
      deno,
      "run",
      "--quiet",
      "--no-config",
      "--unstable-net",
      "--allow-net",
      `${peersFolder}/bare.ts`,
    ],
  },
  {
    name: "Go, one core",
    tool: "go",
    command: buildGo,
    env: { GOMAXPROCS: "1" },
  },
  { name: "Go", tool: "go", command: buildGo },
  { name: "Node", tool: "node", command: () => ["node", `${peersFolder}/peer_node.mjs`] },
  {
    name: "asyncio",
    tool: "python3",
    command: () => ["python3", `${peersFolder}/peer.py`, "asyncio"],
  },
  {
    name: "Python threads",
    tool: "python3",
    command: () => ["python3", `${peersFolder}/peer.py`, "threads"],
    without: ["1000x1", "5000x1", "idle"],
  },
  { name: "C, epoll", tool: "cc", command: buildC },
];

const scenarios: readonly Scenario[] = [
  { name: "1x1", about: "1 connection", args: ["tcp", "-c", "1"] },
  { name: "64x1", about: "64 connections", args: ["tcp", "-c", "64"] },
  { name: "64x16", about: "64, pipelines of 16", args: ["tcp", "-c", "64", "-d", "16"] },
  { name: "64x256", about: "64, pipelines of 256", args: ["tcp", "-c", "64", "-d", "256"] },
  { name: "1000x1", about: "1,000 connections", args: ["tcp", "-c", "1000"] },
  { name: "5000x1", about: "5,000 connections", args: ["tcp", "-c", "5000"] },
  { name: "connect", about: "connect, ask, close", args: ["connect", "-c", "16"] },
  { name: "udp", about: "UDP, 16 sockets", args: ["udp", "-c", "16"], udp: true },
];

/** Idle connections, and seconds of probes meanwhile. */
const IDLE = ["idle", "-c", "10000", "-s", "1"];

async function run(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (!success) {
    throw new Error(`Cannot build with ${command}: ${new TextDecoder().decode(stderr)}`);
  }
}

async function buildGo(folder: string): Promise<readonly string[]> {
  await run("go", ["build", "-o", `${folder}/peer_go`, `${peersFolder}/peer.go`]);
  return [`${folder}/peer_go`];
}

async function buildC(folder: string): Promise<readonly string[]> {
  await run("cc", ["-O2", "-o", `${folder}/peer_epoll`, `${peersFolder}/peer_epoll.c`]);
  return [`${folder}/peer_epoll`];
}

/** netdemo from a checkout, the folder, or from an executable. */
function netdemoOf(name: string, path: string, isFolder: boolean): Peer {
  const program = isFolder ? [deno, "run", "--quiet", "--allow-net", `${path}/main.ts`] : [path];
  return { name, tool: program[0] ?? "", command: () => [...program, "calc-server", "--port=0"] };
}

const netdemo = netdemoOf("netdemo", `${import.meta.dirname}/../..`, true);

/** The netdemo to compare with, named by its version. */
async function otherNetdemo(path: string): Promise<Peer> {
  const { isDirectory } = await Deno.stat(path).catch(() => fail(`there is no ${path}`));
  const other = netdemoOf("", await Deno.realPath(path), isDirectory);
  const [program = "", ...args] = (await other.command("")).slice(0, -2);
  const { stdout } = await new Deno.Command(program, { args: [...args, "--version"] }).output();
  const [version = "of unknown version"] = /\d+\.\d+\.\d+/.exec(new TextDecoder().decode(stdout)) ??
    [];
  return { ...other, name: `netdemo ${version}` };
}

/** With room for the connections of two scenarios: the previous ones may still be closing. */
function argsOf(command: readonly string[], udp: boolean): string[] {
  if (command.includes("calc-server")) return udp ? ["--udp"] : ["--max-connections=20000"];
  return [udp ? "udp" : "tcp"];
}

/** The median of some values, with the least and the most. */
interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return { median: sorted[middle] ?? NaN, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN };
}

function text({ median, least, most }: Spread): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}-${most.toFixed(2)})`;
}

/** The results of a scenario: for each peer a value per round. */
type Rounds = Map<string, Measured[]>;

/** Measures all targets in turn, for the given number of rounds. */
async function measure(
  load: string,
  targets: ReadonlyMap<string, Target>,
  args: readonly string[],
  rounds: number,
  seconds: number,
): Promise<Rounds> {
  const measured: Rounds = new Map();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [...targets] : [...targets].reverse();
    for (const [name, target] of order) {
      await runLoad(load, target, [...args, "-s", String(seconds / 4)]); // warm-up
      const result = await runLoad(load, target, [...args, "-s", String(seconds)]);
      measured.set(name, [...measured.get(name) ?? [], result]);
    }
  }
  return measured;
}

/** Measures each server alone and once, as the subject is its memory. */
async function measureIdle(
  load: string,
  commands: ReadonlyMap<Peer, readonly string[]>,
): Promise<Rounds> {
  const measured: Rounds = new Map();
  for (const [peer, command] of commands) {
    if (peer.without?.includes("idle")) continue;
    await using target = await start([...command, ...argsOf(command, false)], peer.env);
    measured.set(peer.name, [await runLoad(load, target, [...IDLE, "-i", String(target.pid)])]);
  }
  return measured;
}

/** Ratios of netdemo to a peer, round by round. */
function ratios(measured: Rounds, peer: string): Spread | undefined {
  const [own, others] = [measured.get(netdemo.name), measured.get(peer)];
  if (own === undefined || others === undefined) return undefined;
  return spread(own.map(({ perSecond }, round) => perSecond / (others[round]?.perSecond ?? NaN)));
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0))
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)]
    .join("\n");
}

function ratioTable(results: ReadonlyMap<Scenario, Rounds>, names: readonly string[]): string {
  const rows = [...results].map(([{ about }, measured]) => [
    about,
    String(
      Math.round(
        spread((measured.get(netdemo.name) ?? []).map(({ perSecond }) => perSecond)).median,
      ),
    ),
    ...names.map((name) => {
      const ratio = ratios(measured, name);
      return ratio === undefined ? "" : text(ratio);
    }),
  ]);
  return table(["load", "netdemo/s", ...names.map((name) => `/ ${name}`)], rows);
}

function idleTable(measured: Rounds): string {
  const rows = [...measured].map(([name, [result]]) => [
    name,
    (result?.kilobytesEach ?? NaN).toFixed(1),
    ((result?.micros.p99 ?? NaN) / 1_000).toFixed(2),
  ]);
  return table(["10,000 idle connections", "kB each", "probe p99, ms"], rows);
}

const names = [...scenarios.map(({ name }) => name), "idle"];
const flags = {
  ...roundFlags(5, 1),
  only: {
    value: "SCENARIO",
    about: `run this alone: ${names.join(", ")}`,
    read: (text: string, flag: string) => readId(text, flag, { known: names, what: "scenarios" }),
  },
  against: { value: "PATH", about: "another netdemo: its checkout or executable", read: readName },
  write: { about: "write the tables of docs/performance.md" },
};

type Options = FlagValues<typeof flags>;

function readOptions(): Options {
  const { flags: options } = readTaskLine({
    usage: "bench [--rounds N] [--seconds S] [--only SCENARIO] [--against PATH] [--write]",
    flags,
  });
  if (options.write && options.only !== undefined) {
    fail("--write needs all scenarios: leave out --only");
  }
  return options;
}

function fail(why: string): never {
  console.error(`bench: ${why}`);
  Deno.exit(2);
}

/** Builds the peers; reports which are skipped. */
async function prepare(
  folder: string,
  against: string | undefined,
): Promise<Map<Peer, readonly string[]>> {
  const commands = new Map<Peer, readonly string[]>();
  const others = against === undefined ? [] : [await otherNetdemo(against)];
  for (const peer of [netdemo, ...others, ...peers]) {
    if (await hasTool(peer.tool)) commands.set(peer, await peer.command(folder));
    else console.log(`skipped ${peer.name}: no ${peer.tool} is here`);
  }
  return commands;
}

/** Runs the scenarios of one transport. */
async function measureAll(
  load: string,
  commands: ReadonlyMap<Peer, readonly string[]>,
  udp: boolean,
  { rounds, seconds, only }: Options,
): Promise<Map<Scenario, Rounds>> {
  const results = new Map<Scenario, Rounds>();
  const wanted = scenarios.filter((scenario) =>
    (scenario.udp ?? false) === udp && (only ?? scenario.name) === scenario.name
  );
  if (wanted.length === 0) return results;
  await using stack = new AsyncDisposableStack();
  const targets = new Map<Peer, Target>();
  for (const [peer, command] of commands) {
    targets.set(peer, stack.use(await start([...command, ...argsOf(command, udp)], peer.env)));
  }
  for (const scenario of wanted) {
    const taking = [...targets].filter(([peer]) => !peer.without?.includes(scenario.name))
      .map(([{ name }, target]) => [name, target] as const);
    const measured = await measure(load, new Map(taking), scenario.args, rounds, seconds);
    results.set(scenario, measured);
    print(scenario, measured);
  }
  return results;
}

function print(scenario: Scenario, measured: Rounds): void {
  for (const [name, list] of measured) {
    const { median } = spread(list.map(({ perSecond }) => perSecond));
    const busy = spread(list.map(({ generatorBusy }) => generatorBusy)).median;
    const ratio = ratios(measured, name);
    console.log(
      `${scenario.name.padEnd(8)} ${name.padEnd(15)} ${Math.round(median)}/s, ` +
        `generator busy ${busy.toFixed(2)}, ratio ${ratio === undefined ? "" : text(ratio)}`,
    );
  }
}

/** Prints the tables, and writes them with all results. */
async function report(
  results: ReadonlyMap<Scenario, Rounds>,
  idle: Rounds,
  names: readonly string[],
  { rounds, seconds, write }: Options,
): Promise<void> {
  const [ratios, idleness] = [ratioTable(results, names), idleTable(idle)];
  const tables = [
    ...results.size > 0 ? [ratios] : [],
    ...idle.size > 0 ? [idleness] : [],
  ].join("\n\n");
  console.log(`\n${tables}`);
  if (write) {
    await writeBetweenMarks(PAGE, "bench", ratios);
    await writeBetweenMarks(PAGE, "bench of idle connections", idleness);
  }
  const record = {
    date: new Date().toISOString(),
    rounds,
    seconds,
    cores: navigator.hardwareConcurrency,
    scenarios: [...results].map(([{ name }, measured]) => ({
      name,
      servers: Object.fromEntries(measured),
    })),
    idle: Object.fromEntries(idle),
  };
  await Deno.mkdir("dist", { recursive: true });
  await Deno.writeTextFile("dist/bench.md", `${tables}\n`);
  await Deno.writeTextFile("dist/bench.json", `${JSON.stringify(record, null, 2)}\n`);
}

const options = readOptions();
if (!await hasTool("cc")) fail("the load generator needs a C compiler: no cc is here");
const folder = await Deno.makeTempDir();
try {
  const load = await buildLoad(folder);
  const commands = await prepare(folder, options.against);
  const results = new Map([
    ...await measureAll(load, commands, false, options),
    ...await measureAll(load, commands, true, options),
  ]);
  const withIdle = (options.only ?? "idle") === "idle";
  const idle = withIdle ? await measureIdle(load, commands) : new Map();
  const others = [...commands.keys()].filter((peer) => peer !== netdemo).map(({ name }) => name);
  await report(results, idle, others, options);
} finally {
  await Deno.remove(folder, { recursive: true });
}
