import type { Event } from "../output/events.ts";
import { Failure } from "../errors/failure.ts";
import { type FlagValues, readName } from "../arguments/flags.ts";
import { type Channels, eventLine } from "../output/report.ts";
import { JUnitReport } from "./junit.ts";
import type { Report, Result, Summary } from "./result.ts";
import { TapReport } from "./tap.ts";
import { type Layout, TextReport } from "./text.ts";
import { displayOf } from "../output/terminal.ts";

export type { Report, Result, Status, Summary } from "./result.ts";

/** The flags that choose how results are printed. */
export const reportFlags = {
  json: { about: "print each result, and a summary, as a line of JSON" },
  tap: { about: "print the results as TAP 14" },
  junit: {
    value: "PATH",
    about: "also write the results to this file as JUnit XML",
    read: readName,
  },
};

/** What a report needs to know of its command. */
export interface ReportOptions extends Layout {
  /** Name of the command: `check`. */
  readonly command: string;
  readonly flags: FlagValues<typeof reportFlags>;
  readonly channels: Channels;
}

/**
 * Opens the report that the flags choose: for people, JSON or TAP on stdout, and
 * with any of them JUnit XML in a file.
 *
 * @throws {Failure} of kind `USAGE` if the flags contradict each other, or the file can't be written.
 */
export function openReport(options: ReportOptions): Report {
  const { command, flags, channels: { stdout } } = options;
  if (flags.json && flags.tap) {
    throw new Failure("USAGE", "--json and --tap can't both be printed to stdout", {
      hint: "choose one of them; --junit PATH goes with either",
    });
  }
  const file = flags.junit === undefined ? [] : [new JUnitReport(checked(flags.junit), command)];
  const printed = flags.json
    ? jsonReport(stdout)
    : flags.tap
    ? new TapReport(stdout)
    : textReport(stdout, options);
  return allOf([printed, ...file]);
}

/** For people. At a terminal, long rows are wrapped between words. */
function textReport(stdout: Channels["stdout"], layout: Layout): Report {
  const display = displayOf(Deno.stdout);
  const lineWidth = Deno.stdout.isTerminal() ? display.columns : undefined;
  return new TextReport(stdout, { ...layout, display, lineWidth });
}

/** For programs: one JSON object per line. */
function jsonReport(stdout: Channels["stdout"]): Report {
  const print = (event: Event): void => stdout.text(`${eventLine(event)}\n`);
  return {
    columns() {},
    event: print,
    add({ event }: Result) {
      if (event !== undefined) print(event);
    },
    async end({ event }: Summary) {
      if (event !== undefined) print(event);
      await stdout.flush();
    },
  };
}

function allOf(reports: readonly Report[]): Report {
  return {
    columns(widths) {
      for (const report of reports) report.columns(widths);
    },
    event(event) {
      for (const report of reports) report.event(event);
    },
    add(result) {
      for (const report of reports) report.add(result);
    },
    async end(summary) {
      // The file must be written even if the reader of stdout is gone.
      const ended = await Promise.allSettled(reports.map((report) => report.end(summary)));
      const failed = ended.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    },
  };
}

/** Checks that a path can be written to, so a mistake is reported before a long run, not after. */
function checked(path: string): string {
  const folder = path.replace(/[^/\\]*$/, "") || ".";
  try {
    if (Deno.statSync(folder).isDirectory && !isFolder(path)) return path;
  } catch {
    // Reported below.
  }
  throw new Failure("USAGE", `--junit: '${path}' is not a file in a folder that exists`, {
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
