import type { Program } from "../../cli/command.ts";
import { misuse } from "../../cli/errors/failure.ts";
import { type FlagValues, parseCommandLine } from "../../cli/arguments/flags.ts";
import { type Channels, eventLine } from "../../cli/output/channels.ts";
import { openReport } from "../../cli/reports/open_report.ts";
import type { Report } from "../../cli/reports/report.ts";
import { exitCodeOf, type StopSignals, watchStopSignals } from "../../cli/signals.ts";
import type { Client } from "../../clients/client.ts";
import { system } from "../../sockets/system.ts";
import { visible } from "../../text/visible.ts";
import { ConcurrencyLimiter } from "./rounds/concurrency_limiter.ts";
import { about, examples, flags } from "./flags.ts";
import {
  type Findings,
  type ModeOptions,
  once,
  repeatedly,
  untilAsExpected,
  withSizes,
} from "./rounds/modes.ts";
import { type CheckResult, controlNotes, failureOfCheck, summaryEvent } from "./report/results.ts";
import { NetworkClock } from "./probe/network_clock.ts";
import { type Ports, portsIn, waitForPort } from "./targets/port_file.ts";
import type { Sizes } from "./rounds/sizes.ts";
import { readTargetList } from "./targets/target_list.ts";
import { watchParent } from "./parent.ts";
import { atPort, type Expectation, leastSize, OPEN } from "./targets/targets.ts";
import { loadTls } from "./probe/tls.ts";
import { counted } from "../../text/counted.ts";

type Values = FlagValues<typeof flags>;

/** Milliseconds between two lines about the progress. */
const PROGRESS_MS = 2_000;

/** What the command line says. */
interface Prepared extends Omit<ModeOptions, "emit" | "clock" | "limiter" | "targets"> {
  readonly targets: readonly Expectation[];
}

/** A service that check can ask. */
interface Askable {
  readonly name: string;
  client(): Promise<Client>;
}

/** The command that checks servers. */
export function checkProgram(services: readonly Askable[]): Program {
  return {
    usage: "[EXPECT=]TARGET...",
    about,
    examples,
    flags,
    async parse(args) {
      const { flags: values, given, order } = parseCommandLine(args, flags);
      refuseContradictions(given);
      const targets = await readTargetList(order, {
        services: services.map(({ name }) => name),
        canBeSlow: values["slower-than"] !== undefined,
        hasPortFile: given.has("port-file"),
        certificate: { ca: values.ca, days: values.days },
        family: familyOf(values),
        onlyFirst: values.first,
      });
      if (values.first && !given.has("talk")) {
        throw misuse("--first needs --talk: a conversation file");
      }
      refuseUseless(given, targets);
      const options = await prepare(targets, values, services);
      return (channels) => run(options, values, channels);
    },
  };
}

async function run(
  prepared: Prepared,
  values: Values,
  channels: Channels,
): Promise<number> {
  const startedAt = performance.now();
  using clock = new NetworkClock();
  const report = openReport<CheckResult>({
    command: "check",
    flags: values,
    channels,
    row: ({ cells }) => cells,
    event: ({ event }) => event,
  });
  const progress = progressOn(channels);
  using count = countOn(progress, prepared.targets.length);
  const options: ModeOptions = {
    ...prepared,
    targets: placing(prepared.targets, values["port-file"]),
    clock,
    limiter: new ConcurrencyLimiter(clock),
    emit: (event) => values.json && channels.stdout.text(`${eventLine(event)}\n`),
    progress,
    visited: count.visited,
  };
  // Watch from the start: Deno can't begin to once this process is out of descriptors.
  using signals = watchStopSignals();
  // These are for more than an exit code.
  const outlivesParent = values.count !== undefined || values.junit !== undefined;
  using parent = outlivesParent ? undefined : watchParent();
  const finding = await Promise.race([
    find(options, values, signals.first),
    stopOf(signals, values.count !== undefined),
    ...parent === undefined ? [] : [parent.gone],
  ]);
  if (finding === undefined) return exitCodeOf(signals.first.reason);
  return await conclude(finding, report, channels, startedAt);
}

async function prepare(
  targets: readonly Expectation[],
  values: Values,
  services: readonly Askable[],
): Promise<Prepared> {
  // Loaded before any probe, so that loading is not measured.
  if (targets.some(({ tls }) => tls !== undefined)) await loadTls();
  const asked = new Set(targets.map(({ service }) => service));
  const loaded = services.filter(({ name }) => asked.has(name)).map(
    async ({ name, client }) => [name, await client()] as const,
  );
  const options = {
    targets,
    strict: values.strict,
    timeout: values.timeout,
    slowerThan: values["slower-than"],
    proxyProtocol: values["proxy-protocol"],
    family: familyOf(values),
    clients: new Map(await Promise.all(loaded)),
  };
  if (values.sizes !== undefined) refuseUnsizable(options, values.sizes);
  return options;
}

/** Flags that each choose a way to check; at most one may be given. */
const MODES = ["for", "count", "sizes"] as const;

function refuseContradictions(given: ReadonlySet<string>): void {
  const [one, other] = MODES.filter((name) => given.has(name));
  if (other !== undefined) throw misuse(`--${one} and --${other} can't be used together`);
  if (given.has("ipv4") && given.has("ipv6")) {
    throw misuse("-4 and -6 leave no address: without either, both are checked");
  }
  if (given.has("every") && !given.has("count")) {
    throw misuse("--every needs --count: the number of probes", {
      hint: "--for D retries until all targets are as expected",
    });
  }
}

/** A flag that is for some targets only: without one it would be ignored silently. */
interface Purpose {
  readonly flags: readonly string[];
  readonly what: string;
  readonly hint: string;
  isFor(target: Expectation): boolean;
}

const purposes: readonly Purpose[] = [
  {
    flags: ["ca", "days"],
    what: "targets over TLS",
    hint: "write tls:// or https:// before the target: netdemo check https://web/ --days 14",
    isFor: ({ tls }) => tls !== undefined,
  },
  {
    flags: ["proxy-protocol"],
    what: "connections",
    hint: "leave it out: over UDP no header is sent",
    isFor: ({ target }) => target.protocol !== "udp",
  },
  {
    flags: ["slower-than"],
    what: "targets that should answer",
    hint: "leave it out: only an ok can be slow",
    isFor: ({ expect }) => expect === "ok" || expect === "open" || expect === "slow",
  },
  {
    flags: ["ipv4", "ipv6"],
    what: "targets with an address",
    hint: "leave it out: a Unix socket has none",
    isFor: ({ target }) => target.protocol !== "unix",
  },
];

function refuseUseless(given: ReadonlySet<string>, targets: readonly Expectation[]): void {
  for (const { flags, what, hint, isFor } of purposes) {
    const flag = flags.find((name) => given.has(name));
    if (flag !== undefined && !targets.some(isFor)) {
      throw misuse(`--${flag} is for ${what}`, { hint });
    }
  }
}

function familyOf({ ipv4, ipv6 }: Values): "IPv4" | "IPv6" | undefined {
  return ipv4 ? "IPv4" : ipv6 ? "IPv6" : undefined;
}

function refuseUnsizable({ targets, clients }: Prepared, sizes: Sizes): void {
  for (const expected of targets) {
    const why = unsizable(expected, clients, sizes);
    if (why === undefined) continue;
    throw misuse(`--sizes can't be used on '${expected.text}': ${why}`);
  }
}

/** Why `--sizes` can't be used on a target: its requests can't be of all these sizes. */
function unsizable(
  expected: Expectation,
  clients: Prepared["clients"],
  { most }: Sizes,
): string | undefined {
  const { expect, service, http, target: { protocol } } = expected;
  const sizable = http === undefined && service !== undefined && service !== OPEN &&
    service !== "hello";
  if (!sizable || (expect !== "ok" && expect !== "slow")) return "it needs replies to requests";
  const least = leastSize(expected, clients);
  if (most < least) return `its smallest request has ${least} bytes`;
  if (protocol === "udp" && most > system.maxDatagram) {
    return `a datagram has at most ${system.maxDatagram} bytes`;
  }
  return undefined;
}

/** Resolves when the check must stop: at the first signal, or with `--count` at the second. */
function stopOf({ first, second }: StopSignals, counts: boolean): Promise<undefined> {
  return new Promise((resolve) => {
    if (counts) second.then(() => resolve(undefined));
    else first.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

/** At a terminal, shows what the check is still waiting for. */
function progressOn({ stderr }: Channels): ((line: string) => void) | undefined {
  return Deno.stderr.isTerminal() ? (line) => stderr.line(visible(line)) : undefined;
}

/** Shows how many targets have been checked in this round, while that takes long. */
function countOn(progress: ((line: string) => void) | undefined, targets: number) {
  let [visited, shown] = [0, -1];
  const show = (): void => {
    if (visited === shown || visited === targets) return;
    progress?.(`checked ${visited} of ${counted(targets, "target")}`);
    shown = visited;
  };
  const timer = progress && setInterval(show, PROGRESS_MS);
  return {
    visited(count: number): void {
      visited = count;
      if (count === targets && shown > 0) progress?.(`checked all ${targets} targets`);
      if (count === targets) shown = -1;
    },
    [Symbol.dispose](): void {
      clearInterval(timer);
    },
  };
}

/** The targets, with the ports that their server has now or had last, if a file says them. */
function placing(
  targets: readonly Expectation[],
  portFile: string | undefined,
): () => readonly Expectation[] {
  if (portFile === undefined) return () => targets;
  let ports: Ports = new Map();
  return () => {
    ports = portsIn(portFile) ?? ports;
    return targets.map((target) => atPort(target, ports));
  };
}

async function find(options: ModeOptions, values: Values, stop: AbortSignal): Promise<Findings> {
  const { count, every, sizes, "port-file": portFile } = values;
  const startedAt = performance.now();
  if (portFile !== undefined) await waitForPort(portFile, values.for, stop);
  if (values.for !== undefined) {
    const limit = Math.max(1, values.for - (performance.now() - startedAt));
    return await untilAsExpected(options, limit);
  }
  if (count !== undefined) return await repeatedly(options, { count, every, stop });
  if (sizes !== undefined) return await withSizes(options, sizes);
  return await once(options);
}

/** Prints the findings and returns the exit code. */
async function conclude(
  { targets, results }: Findings,
  report: Report<CheckResult>,
  channels: Channels,
  startedAt: number,
): Promise<number> {
  report.add(results);
  for (const note of controlNotes(targets)) channels.stderr.line(`note: ${visible(note)}`);
  const failure = failureOfCheck(targets);
  await report.end({ event: summaryEvent(targets, failure, performance.now() - startedAt) });
  if (failure !== undefined) throw failure;
  return 0;
}
