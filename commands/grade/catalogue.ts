import { displayOf } from "../../cli/output/terminal.ts";
import { wrap } from "../../text/width.ts";
/** The texts of --list, --explain and docs/grade.md. */
import { type CheckFacts, factsFor } from "./checks/check.ts";
import { everyService, type Level, levels, type Subject, subjects } from "./subjects.ts";
import { tableOf } from "./tables.ts";

/** A check and the programs that it applies to. */
export interface Entry {
  readonly check: CheckFacts;
  readonly level: Level;
  /** Its sentence for each of them, without repeats. */
  readonly sentences: readonly string[];
  /** `calc-server`, `message-server --udp`. */
  readonly subjects: readonly string[];
}

/** Returns every check once, however many programs it applies to. */
export function entries(
  chosen: readonly Subject[] = [...subjects.values()],
  protocols: readonly ("tcp" | "udp")[] = ["tcp", "udp"],
): Entry[] {
  const found = new Map<string, Entry & { sentences: string[]; subjects: string[] }>();
  for (const { role, protocol, service, check } of everyCheck(chosen, protocols)) {
    const { level, sentence } = factsFor(check, service);
    const key = [role, check.id, level, check.how, check.fix].join("|");
    const entry = found.get(key) ?? { check, level, sentences: [], subjects: [] };
    if (!entry.sentences.includes(sentence)) entry.sentences.push(sentence);
    entry.subjects.push(`${service}-${role}${protocol === "udp" ? " --udp" : ""}`);
    found.set(key, entry);
  }
  return [...found.values()];
}

function everyCheck(chosen: readonly Subject[], protocols: readonly ("tcp" | "udp")[]) {
  return (["server", "client"] as const).flatMap((role) =>
    protocols.flatMap((protocol) =>
      tableOf(role, protocol).flatMap((check) =>
        everyService
          .filter((service) =>
            check.services.includes(service) &&
            chosen.some((one) => one.role === role && one.service === service)
          )
          .map((service) => ({ role, protocol, service, check }))
      )
    )
  );
}

/** What --list prints: a row for each check, the easiest level first. */
export function listing(chosen: readonly Subject[], protocol: "tcp" | "udp"): string {
  const all = entries(chosen, [protocol]);
  const rows = levels.flatMap((level) =>
    all.filter((entry) => entry.level === level).flatMap(({ check, sentences }) =>
      sentences.map((sentence) => `${level.padEnd(7)}${check.id.padEnd(13)}${sentence}`)
    )
  );
  return [...new Set(rows)].join("\n") + "\n";
}

/** What --explain prints about a check. */
export function explanation(id: string, chosen: readonly Subject[]): string {
  const found = entries(chosen).filter(({ check }) => check.id === id);
  return found.map(({ check, sentences, level, subjects }) =>
    [
      `${id}: ${sentences.join("; ")}`,
      ...wrapped("level", level),
      ...wrapped("for", subjects.join(", ")),
      ...wrapped("how", check.how),
      ...wrapped("why", check.why),
      ...wrapped("fix", check.fix),
      ...(check.needs === undefined ? [] : wrapped("needs", check.needs.join(", "))),
    ].join("\n")
  ).join("\n\n") + "\n";
}

/** Columns of a line, on a terminal that has as many. */
const MAX_COLUMNS = 78;

/** `  why   one client's ...`, in lines that fit the terminal. */
function wrapped(name: string, text: string): string[] {
  const columns = Math.min(MAX_COLUMNS, displayOf(Deno.stdout).columns);
  return wrap(text, columns - 9).map((line, index) =>
    `  ${(index === 0 ? name : "").padEnd(7)}${line}`
  );
}

/** Every id that --only and --explain accept for these subjects. */
export function idsOf(
  chosen: readonly Subject[],
  protocols: readonly ("tcp" | "udp")[] = ["tcp", "udp"],
): string[] {
  return [...new Set(entries(chosen, protocols).map(({ check }) => check.id))];
}
