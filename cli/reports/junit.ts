import { Failure } from "../errors/failure.ts";
import { visible } from "../../text/visible.ts";
import type { Report, Result, Summary } from "./result.ts";
import { writeWhole } from "./write_whole.ts";

/** For CI: a file in JUnit's XML format, with a test case for each result. */
export class JUnitReport implements Report {
  readonly #path: string;
  readonly #command: string;
  readonly #results: Result[] = [];
  readonly #startedAt = new Date();

  /** @param command Name of the command: `check`. */
  constructor(path: string, command: string) {
    this.#path = path;
    this.#command = command;
  }

  columns(): void {}

  event(): void {}

  add(result: Result): void {
    this.#results.push(result);
  }

  /** @throws {Failure} of kind `ERROR` if the file can't be written. */
  // deno-lint-ignore require-await -- a failure rejects, as it does in the other reports
  async end({ aborted }: Summary): Promise<void> {
    const seconds = (Date.now() - this.#startedAt.getTime()) / 1_000;
    try {
      writeWhole(this.#path, this.#document(seconds, aborted));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Failure("ERROR", `cannot write ${this.#path}: ${why}`, {
        cause,
        hint: "give --junit a path in a folder that exists and may be written to",
      });
    }
  }

  #document(seconds: number, aborted: string | undefined): string {
    const name = `netdemo ${this.#command}`;
    const count = (...statuses: readonly Result["status"][]): number =>
      this.#results.filter(({ status }) => statuses.includes(status)).length;
    const errors = aborted === undefined ? 0 : 1;
    const totals = {
      name,
      tests: this.#results.length + errors,
      failures: count("fail"),
      errors,
      skipped: count("skip", "not-judged", "allowed"),
      time: seconds.toFixed(3),
    };
    const timestamp = this.#startedAt.toISOString().slice(0, 19);
    const classname = `netdemo.${this.#command}`;
    const cases = this.#results.map((result) => testCase(result, classname));
    if (aborted !== undefined) cases.push(errorCase(name, classname, aborted));
    return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites${attributes(totals)}>
  <testsuite${attributes({ ...totals, timestamp })}>
${cases.join("")}  </testsuite>
</testsuites>
`;
  }
}

function testCase(result: Result, classname: string): string {
  const { sentence: name, elapsedMs = 0 } = result;
  const open = attributes({ classname, name, time: (elapsedMs / 1_000).toFixed(6) });
  const outcome = outcomeOf(result);
  return outcome === ""
    ? `    <testcase${open}/>\n`
    : `    <testcase${open}>\n      ${outcome}\n    </testcase>\n`;
}

/** A test case for the end of a report that was aborted. */
function errorCase(name: string, classname: string, message: string): string {
  const open = attributes({ classname, name, time: "0.000000" });
  return `    <testcase${open}>\n      <error${attributes({ message })}/>\n    </testcase>\n`;
}

function outcomeOf({ status, detail = "", more = {}, type }: Result): string {
  const lines = Object.entries(more).map(([name, value]) => `${name}: ${value}`);
  switch (status) {
    case "pass":
      return "";
    case "fail": {
      const open = attributes({ type: type ?? status, message: detail });
      return `<failure${open}>${text([detail, ...lines].join("\n"))}</failure>`;
    }
    case "note":
      return `<system-out>${text([`note: ${detail}`, ...lines].join("\n"))}</system-out>`;
    case "allowed":
      return `<skipped${attributes({ message: `allowed: ${detail}` })}/>`;
    case "skip":
    case "not-judged":
      return `<skipped${attributes({ message: detail })}/>`;
  }
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values).map(([name, value]) => ` ${name}="${text(String(value))}"`).join(
    "",
  );
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Escapes text for XML: line breaks stay, characters that XML 1.0 forbids are shown escaped. */
function text(value: string): string {
  return value.split("\n").map(visible).join("\n")
    .replaceAll(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
