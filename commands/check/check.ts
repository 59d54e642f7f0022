import type { Program } from "../../cli/command.ts";
import { misuse } from "../../cli/errors/failure.ts";
import { type FlagValues, parseCommandLine } from "../../cli/arguments/flags.ts";
import { cannot, NEWER_RUNTIME } from "../../cli/runtime.ts";
import { type Channels, eventLine } from "../../cli/output/channels.ts";
import { openReport } from "../../cli/reports/open_report.ts";
import { breakOff, endReport, type Report } from "../../cli/reports/report.ts";
import { exitCodeOf, watchStopSignals } from "../../cli/signals.ts";
import type { Client } from "../../clients/client.ts";
import { visible } from "../../text/visible.ts";
import { ConcurrencyLimiter } from "./rounds/concurrency_limiter.ts";
import { about, examples, flags } from "./flags.ts";
import { find, type Findings, type ModeOptions } from "./rounds/modes.ts";
import {
  type CheckResult,
  controlNotes,
  cutWords,
  failureOfCheck,
  summaryEvent,
} from "./report/results.ts";
import { NetworkClock } from "./probe/network_clock.ts";
import { loadPlayer } from "./probe/probe.ts";
import { placing } from "./targets/port_file.ts";
import { readTargetList } from "./targets/target_list.ts";
import { refuseContradictions, refuseUnsizable, refuseUseless } from "./misuses.ts";
import { watchParent } from "./parent.ts";
import type { Expectation } from "./targets/targets.ts";
import { areCertificates, prepareTls } from "./probe/tls.ts";
import { counted } from "../../text/counted.ts";

type Values = FlagValues<typeof flags>;

/** Milliseconds between two lines about the progress. */
const PROGRESS_MS = 2_000;

/** What the command line says. */
interface Prepared extends Omit<ModeOptions, "emit" | "clock" | "limiter" | "targets" | "stop"> {
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
  // Watch from the start: Deno can't begin to once this process is out of descriptors.
  using signals = watchStopSignals();
  const options: ModeOptions = {
    ...prepared,
    targets: placing(prepared.targets, values["port-file"]),
    clock,
    limiter: new ConcurrencyLimiter(clock),
    emit: (event) => values.json && channels.stdout.text(`${eventLine(event)}\n`),
    progress,
    visited: count.visited,
    stop: signals.first,
  };
  // These are for more than an exit code.
  const outlivesParent = values.count !== undefined || values.junit !== undefined;
  using parent = outlivesParent ? undefined : watchParent();
  const found = find(options, values).catch((error) => breakOff(report, error));
  const ending = { report, channels, signal: signals.first, startedAt };
  return await Promise.race([
    found.then((findings) => conclude(findings, ending)),
    signals.second,
    ...parent === undefined ? [] : [parent.gone],
  ]);
}

async function prepare(
  targets: readonly Expectation[],
  values: Values,
  services: readonly Askable[],
): Promise<Prepared> {
  // Loaded before any probe, so that loading is not measured.
  if (targets.some(({ tls }) => tls !== undefined) && !await prepareTls()) {
    throw misuse(`tls:// and https:// are not available: ${cannot("tls")}`, {
      hint: NEWER_RUNTIME,
    });
  }
  if (targets.some(({ question }) => question?.form === "talk")) await loadPlayer();
  if (values.ca !== undefined && !await areCertificates(values.ca)) {
    throw misuse("--ca: the file has a certificate that can't be read", {
      hint: "its certificates must be whole, from -----BEGIN CERTIFICATE----- to the end",
    });
  }
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
  if (values.sizes !== undefined) refuseUnsizable(targets, options.clients, values.sizes);
  return options;
}

function familyOf({ ipv4, ipv6 }: Values): "IPv4" | "IPv6" | undefined {
  return ipv4 ? "IPv4" : ipv6 ? "IPv6" : undefined;
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

/** Prints the findings and returns the exit code. */
async function conclude(
  { targets, results, left }: Findings,
  { report, channels, signal, startedAt }: {
    readonly report: Report<CheckResult>;
    readonly channels: Channels;
    readonly signal: AbortSignal;
    readonly startedAt: number;
  },
): Promise<number> {
  report.add(results);
  for (const note of controlNotes(targets)) channels.stderr.line(`note: ${visible(note)}`);
  const failure = left === undefined ? failureOfCheck(targets) : undefined;
  const exitCode = left === undefined ? failure?.exitCode ?? 0 : exitCodeOf(signal.reason);
  const aborted = left && cutWords(left);
  const elapsedMs = performance.now() - startedAt;
  const event = summaryEvent(targets, { failure, exitCode, elapsedMs });
  await endReport(report, { event, aborted, text: aborted }, failure);
  return exitCode;
}
