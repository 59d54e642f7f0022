// deno-lint-ignore-file no-console -- it prints what it measured
/**
 * relay compared with other installed forwarders: `task bench-relay [--rounds N] [--seconds S]
 * [--only TEXT]`.
 *
 * The load generator is at both ends, or the C calculator at the far one. All forwarders run at
 * once, idle except for the one being measured; each round measures each in turn, every other
 * round in the opposite order. Prints the medians, and the ratios of relay to each, round by round.
 * Writes dist/bench-relay.md.
 */
import { getAvailablePort } from "@std/net";
import { readName } from "../../cli/arguments/flags.ts";
import { readTaskLine } from "../harness/task_line.ts";
import { realForwarders } from "../path/real_forwarders.ts";
import {
  buildLoad,
  hasTool,
  type Measured,
  roundFlags,
  runLoad,
  start,
  type Target,
} from "./load.ts";

/** A program that forwards from one port to another until it is killed. */
interface Forwarder {
  readonly name: string;
  readonly command: (from: number, to: number, folder: string) => Promise<readonly string[]>;
}

interface Scenario {
  readonly name: string;
  readonly args: readonly string[];
  /** The program at the far end. */
  readonly far: "sink" | "calculator";
  readonly show: (perSecond: number) => string;
}

const CROWD = "1,000 connections, answers/s";
/** The most memory that bulk streams may take, in MB: they must fit a small container. */
const MAX_BULK_MEMORY = 128;

const scenarios: readonly Scenario[] = [
  {
    name: "bulk: one connection, MB/s",
    args: ["bulk"],
    far: "sink",
    show: (bytes) => (bytes / 1e6).toFixed(0),
  },
  {
    name: "bulk: 64 connections, MB/s",
    args: ["bulk", "-c", "64"],
    far: "sink",
    show: (bytes) => (bytes / 1e6).toFixed(0),
  },
  {
    name: "64 connections, answers/s",
    args: ["tcp", "-c", "64"],
    far: "calculator",
    show: (count) => count.toFixed(0),
  },
  {
    name: "connect, ask, close, connections/s",
    args: ["connect", "-c", "16"],
    far: "calculator",
    show: (count) => count.toFixed(0),
  },
  {
    name: CROWD,
    args: ["tcp", "-c", "1000"],
    far: "calculator",
    show: (count) => count.toFixed(0),
  },
];

const main = `${import.meta.dirname}/../../main.ts`;
const flags = ["--quiet", "--allow-net", "--allow-env", "--allow-read", "--allow-write"];

function relay(name: string, more: string): Forwarder {
  return {
    name,
    // deno-lint-ignore require-await -- others need to write a file first
    command: async (from, to, folder) => [
      "sh",
      "-c",
      `exec "$0" run ${flags.join(" ")} '${main}' relay --host 127.0.0.1 --port ${from} ` +
      `127.0.0.1:${to} ${more.replace("FOLDER", folder)}`,
      Deno.execPath(),
    ],
  };
}

const own = [
  relay("relay --quiet", "--quiet"),
  relay("relay --json > file", "--json > FOLDER/events.json"),
];
const peers = ["socat", "haproxy", "nginx stream"];
/** The others start a process for each connection, or accept 512 in their simplest configuration. */
const holdsCrowd = new Set([...own.map(({ name }) => name), "haproxy"]);

/** A running forwarder, with its port. */
interface Running extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

async function startForwarder(
  { name, command }: Forwarder,
  to: number,
  folder: string,
): Promise<Running> {
  const port = getAvailablePort();
  const own = await Deno.makeTempDir({ dir: folder });
  const [program = "", ...args] = await command(port, to, own);
  const child = new Deno.Command(program, { args, stdout: "null", stderr: "null" }).spawn();
  const end = performance.now() + 10_000;
  while (true) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch (error) {
      if (performance.now() > end) throw new Error(`Cannot start ${name}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    port,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Raises socat's backlog of 5, which would drop clients that connect at the same time. */
function withBacklog(command: Forwarder["command"]): Forwarder["command"] {
  return async (from, to, folder) =>
    (await command(from, to, folder)).map((word) => word.replace(",fork,", ",fork,backlog=4096,"));
}

/** The most memory that a process has held so far, in MB. */
async function mostMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [header = [], ...rest] = rows;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)]
    .join("\n");
}

const { flags: { rounds, seconds, only = "" } } = readTaskLine({
  usage: "bench-relay [--rounds N] [--seconds S] [--only TEXT]",
  flags: {
    ...roundFlags(5, 3),
    only: { value: "TEXT", about: "only scenarios with this in their name", read: readName },
  },
});
if (!await hasTool("cc")) {
  console.error("bench-relay: the load generator needs a C compiler: no cc is here");
  Deno.exit(2);
}

const folder = await Deno.makeTempDir();
await using stack = new AsyncDisposableStack();
stack.defer(() => Deno.remove(folder, { recursive: true }));
const load = await buildLoad(folder);
const calculator = `${folder}/peer_epoll`;
const source = `${import.meta.dirname}/peers/peer_epoll.c`;
await new Deno.Command("cc", { args: ["-O2", "-o", calculator, source] }).output();

const forwarders: Forwarder[] = [...own];
for (const name of peers) {
  const forwarder = realForwarders.find((one) => one.name === name && one.protocol === "tcp");
  const installed = forwarder !== undefined &&
    (await Promise.all(forwarder.programs.map(hasTool))).every(Boolean);
  if (installed) forwarders.push({ name, command: withBacklog(forwarder.command) });
  else console.log(`skipped ${name}: it is not installed`);
}

const far: Record<Scenario["far"], Target> = {
  sink: stack.use(await start([load, "sink"])),
  calculator: stack.use(await start([calculator, "tcp"])),
};
/** A row for each scenario in which memory matters: its name, and a cell for each of our own. */
const memory: string[][] = [];
const rows = [["", ...forwarders.map(({ name }) => name)]];
for (const scenario of scenarios.filter(({ name }) => name.includes(only))) {
  const measured = new Map<string, Measured[]>();
  {
    await using running = new AsyncDisposableStack();
    const targets = new Map<string, Running>();
    for (const forwarder of forwarders) {
      const to = far[scenario.far].port;
      targets.set(forwarder.name, running.use(await startForwarder(forwarder, to, folder)));
    }
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? [...targets] : [...targets].reverse();
      for (const [name, target] of order) {
        if (scenario.name === CROWD && !holdsCrowd.has(name)) continue;
        const through = { ...target, [Symbol.asyncDispose]: () => Promise.resolve() };
        await runLoad(load, through, [...scenario.args, "-s", "0.3"]); // warm-up
        const result = await runLoad(load, through, [...scenario.args, "-s", String(seconds)]);
        measured.set(name, [...measured.get(name) ?? [], result]);
      }
    }
    if (scenario.name === CROWD || scenario.far === "sink") {
      memory.push([`${scenario.name.replace(/, [^,]*$/, "")}: most memory, MB`]);
      for (const { name } of own) {
        const { pid } = targets.get(name) ?? { pid: 0 };
        memory.at(-1)?.push((await mostMemory(pid)).toFixed(0));
      }
    }
  }
  const first = measured.get(own[0]?.name ?? "") ?? [];
  rows.push([
    scenario.name,
    ...forwarders.map(({ name }, index) => {
      const results = measured.get(name);
      if (results === undefined) return "";
      const value = scenario.show(median(results.map(({ perSecond }) => perSecond)));
      if (index === 0) return value;
      const ratio = median(
        results.map(({ perSecond }, round) => (first[round]?.perSecond ?? NaN) / perSecond),
      );
      return `${value} (${ratio.toFixed(2)})`;
    }),
  ]);
  console.log(rows.at(-1)?.join("  "));
}
for (const [name = "", ...cells] of memory) {
  rows.push([
    name,
    ...forwarders.map((_, index) => cells[index] ?? ""),
  ]);
}
const text = table(rows);
console.log(`\n${text}`);
await Deno.mkdir("dist", { recursive: true });
await Deno.writeTextFile("dist/bench-relay.md", `${text}\n`);
const large = memory.filter(([name, quiet]) =>
  name?.startsWith("bulk") === true && Number(quiet) > MAX_BULK_MEMORY
);
for (const [name, quiet] of large) console.error(`${name}: ${quiet}, over ${MAX_BULK_MEMORY}`);
if (large.length > 0) Deno.exitCode = 1;
