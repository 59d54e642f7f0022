import type { Output } from "../output/output.ts";
import { jsonLine, visible } from "../../text/visible.ts";
import type { Report, Result, Status } from "./report.ts";

/** For test harnesses: the Test Anything Protocol, version 14 (testanything.org). */
export function tapReport(stdout: Output): Report {
  let count = 0;
  stdout.text("TAP version 14\n");
  return {
    add(results) {
      for (const result of results) stdout.text(testPoint(result, ++count));
    },
    /** Prints the plan at the end, since the number of results is not known before. */
    async end({ aborted }) {
      const plan = count === 0 ? "1..0 # SKIP nothing to do" : `1..${count}`;
      stdout.text(`${aborted === undefined ? plan : `Bail out! ${visible(aborted)}`}\n`);
      await stdout.flush();
    },
  };
}

function testPoint(result: Result, number: number): string {
  const { status, sentence } = result;
  const outcome = status === "fail" || status === "allowed" ? "not ok" : "ok";
  const point = `${outcome} ${number} - ${escaped(sentence)}${directiveOf(result)}\n`;
  const known = Object.entries(diagnosticsOf(result)).filter(([, value]) => value !== undefined);
  if (known.length === 0) return point;
  // A JSON string is a YAML string too (YAML 1.2, section 1.2).
  const lines = known.map(([name, value]) => `  ${name}: ${jsonLine(value)}\n`);
  return `${point}  ---\n${lines.join("")}  ...\n`;
}

/** The directive for a result that is neither a plain success nor a plain failure. */
function directiveOf({ status, detail = "" }: Result): string {
  const directives: Partial<Record<Status, string>> = {
    skip: ` # SKIP ${escaped(detail)}`,
    "not-judged": ` # SKIP ${escaped(detail)}`,
    allowed: " # TODO allowed", // TAP's term for a known failure that does not count
  };
  return (directives[status] ?? "").trimEnd();
}

function diagnosticsOf(result: Result): Record<string, unknown> {
  const { id, status, detail, more, type, elapsedMs } = result;
  const known = {
    id,
    message: detail,
    severity: status === "fail" ? "fail" : status === "note" ? "comment" : undefined,
    type: status === "fail" || status === "allowed" ? type ?? status : undefined,
    duration_ms: elapsedMs,
  };
  return { ...known, ...more };
}

/** `#` begins a directive, so it is escaped, and with it the backslash. */
function escaped(text: string): string {
  return visible(text).replaceAll(/[\\#]/g, "\\$&");
}
