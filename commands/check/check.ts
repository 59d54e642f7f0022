import type { Program } from "../../cli/command.ts";
import { Failure } from "../../cli/failure.ts";
import { type FlagValues, parseCommandLine } from "../../cli/flags.ts";
import type { Channels } from "../../cli/report.ts";
import { openReport, type Report, type Result } from "../../cli/reports.ts";
import { exitCodeOf, type StopSignals, watchStopSignals } from "../../cli/signals.ts";
import type { Client } from "../../clients/client.ts";
import { MAX_DATAGRAM } from "../../protocol/datagram.ts";
import { visible } from "../../text/visible.ts";
import { customQuestion } from "./custom.ts";
import { type Expected, OPEN, parseExpected } from "./expectation.ts";
import { flags } from "./flags.ts";
import { about, examples } from "./help.ts";
import {
  type Finding,
  type ModeOptions,
  once,
  repeatedly,
  untilAsExpected,
  withSizes,
} from "./modes.ts";
import { leastSize } from "./rounds.ts";
import type { Sizes } from "./sizes.ts";
import { Slots } from "./slots.ts";
import { controlNotes, failureOfCheck, summaryEvent } from "./summary.ts";
import { readTargets } from "./targets_file.ts";

type Values = FlagValues<typeof flags>;

/** A service that can be asked. */
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
    async run(args, channels) {
      const startedAt = performance.now();
      const { flags: values, given, words } = parseCommandLine(args, flags);
      refuseContradictions(given);
      const targets = await readAll(words, values, services.map(({ name }) => name));
      const report = openReport({ command: "check", flags: values, channels });
      const options = {
        ...await prepare(targets, values, services, report),
        progress: progressOn(channels),
      };
      // Watched from the start: once this process is out of descriptors, Deno can't begin to.
      using signals = watchStopSignals();
      const finding = await Promise.race([
        find(options, values, signals.first),
        stopOf(signals, values.count !== undefined),
      ]);
      if (finding === undefined) return exitCodeOf(signals.first.reason);
      return await conclude(finding, report, channels, startedAt);
    },
  };
}

/** All targets, those of the command line first. */
async function readAll(
  words: readonly string[],
  values: Values,
  services: readonly string[],
): Promise<readonly Expected[]> {
  const custom = values.send !== undefined || values.reply !== undefined;
  const canBeSlow = values["slower-than"] !== undefined;
  const read = (text: string): Expected => parseExpected(text, { services, custom, canBeSlow });
  const lines = values.targets === undefined ? [] : await readTargets(values.targets);
  const targets = [
    ...words.map(read),
    ...lines.map(({ text, where }) => {
      try {
        return read(text);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        throw new Failure(error.kind, `${where}: ${error.message}`, { hint: error.hint });
      }
    }),
  ];
  if (targets.length > 0) return targets;
  throw new Failure("USAGE", "there is no target to check", {
    hint: "name one, for example netdemo check localhost:4040",
  });
}

async function prepare(
  targets: readonly Expected[],
  values: Values,
  services: readonly Askable[],
  report: Report,
): Promise<ModeOptions> {
  const custom = customQuestion(values.send, values.reply);
  if (custom !== undefined) refuseUnasked(targets);
  const asked = new Set(targets.map(({ service }) => service));
  const loaded = services.filter(({ name }) => asked.has(name)).map(
    async ({ name, client }) => [name, await client()] as const,
  );
  const options: ModeOptions = {
    targets,
    report,
    strict: values.strict,
    timeout: values.timeout,
    slowerThan: values["slower-than"],
    custom,
    clients: new Map(await Promise.all(loaded)),
    slots: new Slots(),
  };
  if (values.sizes !== undefined) refuseUnsizable(options, values.sizes);
  return options;
}

/** Flags that each are a way to check: only one of them can be given. */
const MODES = ["for", "count", "sizes"] as const;

function refuseContradictions(given: ReadonlySet<string>): void {
  const [one, other] = MODES.filter((name) => given.has(name));
  if (other !== undefined) {
    throw new Failure("USAGE", `--${one} and --${other} can't be used together`);
  }
  if (given.has("every") && !given.has("count")) {
    throw new Failure("USAGE", "--every needs --count: how often to probe", {
      hint: "--for D tries again until all targets are as expected",
    });
  }
}

/** A question that no target is asked would not be part of what an ok proves. */
function refuseUnasked(targets: readonly Expected[]): void {
  if (targets.some(({ service }) => service === undefined)) return;
  throw new Failure("USAGE", "--send and --reply are for targets that name no service", {
    hint:
      "leave out what stands after the slash: netdemo check cache:6379 --send PING --reply PONG",
  });
}

function refuseUnsizable(options: ModeOptions, sizes: Sizes): void {
  for (const expected of options.targets) {
    const why = unsizable(expected, options, sizes);
    if (why === undefined) continue;
    throw new Failure("USAGE", `--sizes can't be tried on '${expected.text}': ${why}`);
  }
}

/** Only a service whose requests can be of any size shows which sizes pass, and not of every size. */
function unsizable(expected: Expected, options: ModeOptions, { most }: Sizes): string | undefined {
  const { expect, service, target: { protocol } } = expected;
  const sizable = service !== undefined && service !== OPEN && service !== "hello";
  if (!sizable || (expect !== "ok" && expect !== "slow")) return "it needs replies to requests";
  const least = leastSize(expected, options);
  if (most < least) return `its smallest request has ${least} bytes`;
  if (protocol === "udp" && most > MAX_DATAGRAM) {
    return `a datagram has at most ${MAX_DATAGRAM} bytes`;
  }
  return undefined;
}

/** Resolves when there is nothing to wait for any more: at the first signal, or the second of --count. */
function stopOf({ first, second }: StopSignals, counts: boolean): Promise<undefined> {
  return new Promise((resolve) => {
    if (counts) second.then(() => resolve(undefined));
    else first.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

/** At a terminal, those who wait see what for. */
function progressOn({ stderr }: Channels): ((line: string) => void) | undefined {
  return Deno.stderr.isTerminal() ? (line) => stderr.line(visible(line)) : undefined;
}

function find(options: ModeOptions, values: Values, stop: AbortSignal): Promise<Finding> {
  const { count, every, sizes } = values;
  if (values.for !== undefined) return untilAsExpected(options, values.for);
  if (count !== undefined) return repeatedly(options, { count, every, stop });
  if (sizes !== undefined) return withSizes(options, sizes);
  return once(options);
}

/** Prints what was found; gives the exit code. */
async function conclude(
  { targets, results }: Finding,
  report: Report,
  channels: Channels,
  startedAt: number,
): Promise<number> {
  report.columns(widthsOf(results));
  for (const result of results) report.add(result);
  for (const note of controlNotes(targets)) channels.stderr.line(`note: ${visible(note)}`);
  const failure = failureOfCheck(targets);
  await report.end({ event: summaryEvent(targets, failure, performance.now() - startedAt) });
  if (failure !== undefined) throw failure;
  return 0;
}

/** The columns that the cells take, with two spaces after all but the first. */
function widthsOf(results: readonly Result[]): readonly number[] {
  const widest = (column: number): number =>
    results.reduce((width, { cells }) => Math.max(width, cells[column]?.length ?? 0), 0);
  return [widest(0), widest(1) + 1, widest(2) + 1];
}
