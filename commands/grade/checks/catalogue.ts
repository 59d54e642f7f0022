/** The texts of --list, --explain and docs/grade.md. */
import type { KnownIds } from "../../../cli/arguments/ids.ts";
import { displayOf } from "../../../cli/output/terminal.ts";
import { wrap } from "../../../text/width.ts";
import { type Level, levels, type Subject } from "../subjects.ts";
import { factsFor, type SubjectFacts, tableOf } from "./tables.ts";

/** A check and the programs that it applies to. */
interface Entry {
  readonly check: SubjectFacts;
  readonly level: Level;
  /** Its sentence for each of them, without repeats. */
  readonly sentences: readonly string[];
  /** `calc-server`, `message-server --udp`. */
  readonly subjects: readonly string[];
}

/** Returns every check of these subjects once, however many of them it applies to. */
export function entries(subjects: readonly Subject[]): Entry[] {
  const found = new Map<string, Entry & { sentences: string[]; subjects: string[] }>();
  for (const subject of subjects) {
    for (const check of factsFor(tableOf(subject), subject)) {
      const { level, sentence } = check;
      const key = [subject.role, check.id, level, check.how, check.fix].join("|");
      const entry = found.get(key) ?? { check, level, sentences: [], subjects: [] };
      if (!entry.sentences.includes(sentence)) entry.sentences.push(sentence);
      entry.subjects.push(`${subject.name}${subject.protocol === "udp" ? " --udp" : ""}`);
      found.set(key, entry);
    }
  }
  return [...found.values()];
}

/** What --list prints: a row for each check, the easiest level first, and its subjects. */
export function listing(subjects: readonly Subject[]): string {
  const all = entries(subjects);
  const columns = Deno.stdout.isTerminal() ? displayOf(Deno.stdout).columns : Infinity;
  const rows = levels.flatMap((level) =>
    all.filter((entry) => entry.level === level).flatMap(({ check, sentences, subjects: names }) =>
      sentences.map((sentence) => {
        const row = subjects.length > 1
          ? `${sentence.padEnd(SENTENCE)} ${names.join(", ")}`
          : sentence;
        return hanging(`${level.padEnd(6)} ${check.id.padEnd(12)} `, row, columns);
      })
    )
  );
  return [...new Set(rows)].join("\n") + "\n";
}

/** Columns of a sentence in a list that names subjects. */
const SENTENCE = 52;

/** What --explain prints about a check. */
export function explanation(id: string, subjects: readonly Subject[]): string {
  const found = entries(subjects).filter(({ check }) => check.id === id);
  const columns = Math.min(MAX_COLUMNS, displayOf(Deno.stdout).columns);
  return found.map(({ check, sentences, level, subjects }) => {
    const { how, why, fix, needs } = check;
    const facts = { level, for: subjects.join(", "), how, why, fix, needs: needs?.join(", ") };
    return [
      ...wrap(`${id}: ${sentences.join("; ")}`, columns),
      ...Object.entries(facts).flatMap(([name, text]) =>
        text === undefined ? [] : hanging(`  ${name.padEnd(7)}`, text, columns)
      ),
    ].join("\n");
  }).join("\n\n") + "\n";
}

/** Columns of a line, on a terminal that has as many. */
const MAX_COLUMNS = 78;

/** A text after its name, in lines of so many columns: those that follow are indented. */
function hanging(name: string, text: string, columns: number): string {
  if (name.length + text.length <= columns) return name + text;
  const words = text.replaceAll(/ +/g, " ");
  return name + wrap(words, columns - name.length).join(`\n${" ".repeat(name.length)}`);
}

/** What --only, --skip and --explain accept for these subjects. */
export function idsOf(subjects: readonly Subject[]): KnownIds {
  const all = entries(subjects);
  const bySentence = all.flatMap(({ check: { id }, sentences }) =>
    sentences.map((sentence): [string, string] => [sentence, id])
  );
  return {
    known: [...new Set(all.map(({ check }) => check.id))],
    what: "checks",
    bySentence: new Map(bySentence),
  };
}
