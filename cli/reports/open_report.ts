import { type FlagValues, readName } from "../arguments/flags.ts";
import { misuse } from "../errors/failure.ts";
import { type Channels, eventLine } from "../output/channels.ts";
import type { Event } from "../output/events.ts";
import { displayOf } from "../output/terminal.ts";
import { junitReport } from "./junit.ts";
import { allOf, type Report, type Result } from "./report.ts";
import { tapReport } from "./tap.ts";
import { type Layout, textReport } from "./text.ts";

/** The flags that choose how results are printed. */
export const reportFlags = {
  json: { about: "print each result, and a summary, as a line of JSON" },
  tap: { about: "print the results as TAP 14" },
  junit: {
    value: "PATH",
    about: "also write the results to this file as JUnit XML",
    read: readName,
  },
  name: {
    value: "NAME",
    about: "name of this run in JUnit XML and JSON, to tell apart runs of several jobs",
    read: readName,
  },
};

/** What a report needs to know of its command. */
export interface ReportOptions<R extends Result> extends Layout<R> {
  /** Name of the command: `check`. */
  readonly command: string;
  readonly flags: FlagValues<typeof reportFlags>;
  readonly channels: Channels;
  /** The line of `--json` for a result; `undefined` if it was already printed. */
  event(result: R): Event | undefined;
}

/**
 * Opens the report that the flags choose: for people, JSON or TAP on stdout, and
 * with any of them JUnit XML in a file.
 *
 * @throws {Failure} of kind `USAGE` if the flags contradict each other, or the file can't be written.
 */
export function openReport<R extends Result>(options: ReportOptions<R>): Report<R> {
  const { command, flags, channels: { stdout } } = options;
  const { json, tap, junit, name } = flags;
  refuseContradictions(flags);
  if (junit !== undefined) refuseUnwritable(junit);
  const file = junit === undefined ? [] : [junitReport(junit, command, name)];
  const printed = json ? jsonReport(options) : tap ? tapReport(stdout) : textReport(stdout, {
    ...options,
    display: displayOf(Deno.stdout),
    isTerminal: Deno.stdout.isTerminal(),
  });
  return allOf([printed, ...file]);
}

/** @throws {Failure} of kind `USAGE` if the flags contradict each other. */
export function refuseContradictions(
  { json, tap, junit, name }: FlagValues<typeof reportFlags>,
): void {
  if (json && tap) {
    throw misuse("--json and --tap can't both be printed to stdout", {
      hint: "choose one of them; --junit PATH goes with either",
    });
  }
  if (name !== undefined && junit === undefined && !json) {
    throw misuse("--name is shown in JUnit XML and JSON only", {
      hint: "add --junit PATH or --json",
    });
  }
}

/** For programs: one JSON object per line. */
function jsonReport<R extends Result>(
  { event, flags: { name }, channels: { stdout } }: ReportOptions<R>,
): Report<R> {
  const print = (event: Event | undefined): void => {
    if (event !== undefined) stdout.text(`${eventLine(event)}\n`);
  };
  return {
    add(results) {
      for (const result of results) print(event(result));
    },
    async end({ event }) {
      print(event?.event === "summary" && name !== undefined ? { ...event, name } : event);
      await stdout.flush();
    },
  };
}

/** Refuses a path that can't be written to: a mistake is reported before a long run, not after. */
function refuseUnwritable(path: string): void {
  const folder = path.replace(/[^/\\]*$/, "") || ".";
  if (isFolder(folder) && !isFolder(path)) return;
  throw misuse(`--junit: '${path}' is not a file in a folder that exists`, {
    hint: "make the folder first, or give another path",
  });
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
