/** The file in a class's folder that keeps what was graded, so that an interrupted run can go on. */
import {
  count,
  listOf,
  mapOf,
  type ObjectOf,
  objectOf,
  text,
} from "../../../cli/output/event_fields.ts";
import { misuse } from "../../../cli/errors/failure.ts";
import { errnoOf, reasonOf } from "../../../sockets/errno.ts";
import { writeWhole } from "../../../cli/output/write_whole.ts";
import type { GradeOptions } from "../options.ts";
import { endMarked } from "../program/child.ts";
import { endControlGroups } from "../program/control_group.ts";
import { MARK } from "../program/program.ts";
import { type Graded, graded } from "./graded.ts";

/** Its name. A file with a dot is no submission. */
export const RECORD_NAME = ".netdemo-class.json";

const fields = {
  /** What was asked: results of another command or of other checks say nothing about this one. */
  asked: text,
  seed: count,
  /** Begins the mark of every process that was started. */
  mark: text,
  graded: listOf(graded),
  /** The submissions that were being graded. */
  running: listOf(text),
  /** How often netdemo ended while it graded them. */
  killed: mapOf(count),
};
const record = objectOf(fields);

/** What is kept of the grading of a class. */
export class ClassRecord {
  readonly seed: number;
  readonly mark: string;
  /** Those that are done, by their names. */
  readonly graded: Map<string, Graded>;
  /** How often netdemo ended while it graded a submission, by its name. */
  readonly killed: ReadonlyMap<string, number>;
  readonly #path: string;
  readonly #asked: string;
  /** What the file held before. */
  readonly #before: string | undefined;
  readonly #running = new Set<string>();
  /** Called once if nothing can be kept. */
  readonly #onUnkept: (reason: string) => void;
  #isKept = true;

  /**
   * @param folder That of the class.
   * @param onUnkept Called if nothing can be kept.
   * @throws {Failure} of kind `USAGE` if --resume finds the results of another command.
   */
  constructor(folder: string, options: GradeOptions, onUnkept: (reason: string) => void) {
    this.#path = `${folder}/${RECORD_NAME}`;
    this.#asked = askedBy(options);
    this.#onUnkept = onUnkept;
    this.#before = textIn(this.#path);
    const kept = options.resume && this.#before !== undefined
      ? keptIn(this.#before, this.#path, this.#asked)
      : undefined;
    this.seed = kept?.seed ?? options.seed ?? Math.floor(Math.random() * 1_000_000);
    this.mark = kept?.mark ?? crypto.randomUUID();
    this.graded = new Map(kept?.graded.map((one) => [one.name, one]));
    const killed = new Map(Object.entries(kept?.killed ?? {}));
    for (const name of kept?.running ?? []) killed.set(name, (killed.get(name) ?? 0) + 1);
    this.killed = killed;
  }

  /** Ends what a killed run has left. */
  async endLeftovers(): Promise<void> {
    if (this.killed.size === 0) return;
    await endControlGroups(this.mark);
    await endMarked(`${MARK}=${this.mark}`, new Set());
  }

  begin(name: string): void {
    this.#running.add(name);
    this.#keep();
  }

  /** Not called for one that is interrupted: it stays among those that were running. */
  finish(result: Graded): void {
    this.#running.delete(result.name);
    this.graded.set(result.name, result);
    this.#keep();
  }

  /** Puts back what was kept before, if nothing was graded: the command line may be wrong. */
  undo(): void {
    if (this.graded.size > 0 || !this.#isKept) return;
    if (this.#before === undefined) Deno.removeSync(this.#path);
    else writeWhole(this.#path, this.#before);
  }

  #keep(): void {
    const { seed, mark, killed } = this;
    const kept: ObjectOf<typeof fields> = {
      ...{ asked: this.#asked, seed, mark, killed: Object.fromEntries(killed) },
      graded: [...this.graded.values()],
      running: [...this.#running],
    };
    try {
      writeWhole(this.#path, JSON.stringify(kept));
    } catch (error) {
      if (this.#isKept) this.#onUnkept(reasonOf(error));
      this.#isKept = false;
    }
  }
}

/** What is asked of each submission, as text. */
function askedBy(options: GradeOptions): string {
  const { subject, level, only, skip, command, port, input, timeout, seed } = options;
  const asked = { subject, level, only, skip, command, port, input, timeout, seed };
  const more = { maxTime: options["max-time"], runAs: options["run-as"] };
  const plain = (_: string, value: unknown): unknown =>
    value instanceof Map || value instanceof Set
      ? [...value]
      : typeof value === "bigint"
      ? `${value}`
      : value;
  return JSON.stringify({ ...asked, ...more }, plain);
}

function textIn(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw misuse(`cannot read ${path}: ${reasonOf(error)}`, {
      cause: error,
      hint: "remove it; it is what --resume needs",
    });
  }
}

function keptIn(text: string, path: string, asked: string): ObjectOf<typeof fields> {
  const hint = "leave out --resume to grade all of them again";
  const kept = parsed(text);
  if (!record.holds(kept) || !/^[\da-f-]{36}$/.test(kept.mark)) {
    throw misuse(`--resume: ${path} is not what an interrupted run has kept`, { hint });
  }
  if (kept.asked === asked) return kept;
  const others = differing(kept.asked, asked).map((name) => `another ${name}`);
  throw misuse(`--resume: the run that was interrupted had ${others.join(", ")}`, { hint });
}

/** What is asked, in the words of the command line; other names are those of flags. */
const words: Readonly<Record<string, string>> = {
  subject: "program or --talk",
  command: "command after --",
  maxTime: "--max-time",
  runAs: "--run-as",
};

/** In what two runs differ. */
function differing(one: string, other: string): string[] {
  const [before, now] = [one, other].map((asked) => Object(parsed(asked)));
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]))
    .map((name) => words[name] ?? `--${name}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
