import { escape } from "@std/html";
import { visible } from "../../text/visible.ts";
import { fileFailure } from "../errors/file_failure.ts";
import { writeReport } from "../output/write_whole.ts";
import type { Report, Result, Status } from "./report.ts";

/**
 * For CI: a file in JUnit's XML format, with a test case for each result.
 *
 * @param command Name of the command: `check`.
 * @param runName Distinguishes its cases from those of other runs: readers such as GitLab's keep
 * one case for each classname and name. @default {none}
 */
export function junitReport(path: string, command: string, runName?: string): Report {
  const all: Result[] = [];
  const timestamp = new Date().toISOString().slice(0, 19);
  const start = performance.now(); // the wall clock may be set meanwhile
  return {
    add(results) {
      for (const result of results) all.push(result);
    },
    // deno-lint-ignore require-await -- a failure rejects, as it does in the other reports
    async end({ aborted }) {
      const name = ["netdemo", command, ...runName === undefined ? [] : [runName]];
      const elapsedMs = performance.now() - start;
      try {
        writeReport(path, junitDocument([{ name, results: all, aborted, elapsedMs }], timestamp));
      } catch (cause) {
        const hint = "give --junit a path in a folder that exists and can be written to";
        throw fileFailure("write the JUnit file", path, cause, hint);
      }
    },
  };
}

/** Results that belong together. */
export interface Suite {
  /** The parts of its name, the general one first. */
  readonly name: readonly string[];
  readonly results: readonly Result[];
  /** Why it ended before everything was tested, if it did. */
  readonly aborted?: string | undefined;
  readonly elapsedMs: number;
}

/** A document with these suites. @param timestamp When they began, in UTC, without a zone. */
export function junitDocument(suites: readonly Suite[], timestamp: string): string {
  const written = suites.map(suiteOf);
  const sum = (name: "tests" | "failures" | "errors" | "skipped"): number =>
    written.reduce((total, { totals }) => total + totals[name], 0);
  const totals = {
    name: written.length === 1 ? written[0]!.totals.name : "netdemo",
    ...{ tests: sum("tests"), failures: sum("failures"), errors: sum("errors") },
    skipped: sum("skipped"),
    time: secondsOf(suites.reduce((total, { elapsedMs }) => total + elapsedMs, 0), 3),
  };
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites${attributes(totals)}>
${
    written.map(({ totals, cases }) =>
      `  <testsuite${attributes({ ...totals, timestamp })}>\n${cases}  </testsuite>\n`
    ).join("")
  }</testsuites>
`;
}

function suiteOf({ name, results, aborted, elapsedMs }: Suite) {
  const count = (...statuses: readonly Status[]): number =>
    results.filter(({ status }) => statuses.includes(status)).length;
  const classname = name.join(".");
  const numbered = new Map<string, number>();
  const cases = results.map((result) => {
    const times = (numbered.get(result.sentence) ?? 0) + 1;
    numbered.set(result.sentence, times);
    const unique = times === 1 ? result.sentence : `${result.sentence} (${times})`;
    return testCase(classname, unique, result.elapsedMs, outcomeOf(result));
  });
  if (aborted !== undefined) {
    const error = `<error${attributes({ message: aborted })}/>`;
    cases.push(testCase(classname, name.join(" "), 0, error));
  }
  const totals = {
    name: name.join(" "),
    tests: cases.length,
    failures: count("fail"),
    errors: cases.length - results.length,
    skipped: count("skip", "not-judged", "allowed"),
    time: secondsOf(elapsedMs, 3),
  };
  return { totals, cases: cases.join("") };
}

function testCase(classname: string, name: string, elapsedMs = 0, outcome: string): string {
  const open = attributes({ classname, name, time: secondsOf(elapsedMs, 6) });
  return outcome === ""
    ? `    <testcase${open}/>\n`
    : `    <testcase${open}>\n      ${outcome}\n    </testcase>\n`;
}

function outcomeOf({ status, detail = "", more = {}, type }: Result): string {
  const lines = Object.entries(more).map(([name, value]) => `${name}: ${value}`);
  switch (status) {
    case "pass":
      return "";
    case "fail": {
      const open = attributes({ type: type ?? status, message: detail });
      return `<failure${open}>${escapeXml([detail, ...lines].join("\n"))}</failure>`;
    }
    case "note":
      return `<system-out>${escapeXml([`note: ${detail}`, ...lines].join("\n"))}</system-out>`;
    case "allowed":
      return `<skipped${attributes({ message: `allowed: ${detail}` })}/>`;
    case "skip":
    case "not-judged":
      return `<skipped${attributes({ message: detail })}/>`;
  }
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(values);
  return pairs.map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`).join("");
}

/** Escapes text: line breaks stay, characters that XML 1.0 forbids are shown escaped. */
function escapeXml(text: string): string {
  const allowed = text.split("\n").map(visible).join("\n")
    .replaceAll(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
  return escape(allowed);
}

function secondsOf(milliseconds: number, digits: number): string {
  return (milliseconds / 1_000).toFixed(digits);
}
