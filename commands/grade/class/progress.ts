/** A line at a terminal that says how far the grading of a class is. */
import type { Output } from "../../../cli/output/output.ts";
import { displayOf } from "../../../cli/output/terminal.ts";
import { cutTo } from "../../../text/width.ts";
import { visible } from "../../../text/visible.ts";

/** Back to the start of the line, which is erased (ECMA-48: CR, EL). */
const ERASE = "\r\x1b[K";

/** Shows what is being graded; the line is erased with its scope. */
export class Progress implements Disposable {
  readonly #total: number;
  readonly #stderr: Output;
  readonly #isShown = Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  readonly #running = new Set<string>();
  #done = 0;

  constructor(total: number, stderr: Output) {
    this.#total = total;
    this.#stderr = stderr;
  }

  /** Shows that a submission is being graded. */
  begin(name: string): void {
    this.#running.add(name);
    this.#draw();
  }

  /** Counts one that was graded, now or in an earlier run. */
  done(name: string): void {
    this.#running.delete(name);
    this.#done++;
    this.#draw();
  }

  [Symbol.dispose](): void {
    if (!this.#isShown) return;
    this.#stderr.text(ERASE);
  }

  #draw(): void {
    if (!this.#isShown) return;
    const names = [...this.#running].map(visible).join(", ");
    const line = `graded ${this.#done} of ${this.#total}${names === "" ? "" : `; now ${names}`}`;
    this.#stderr.text(ERASE + cutTo(line, displayOf(Deno.stderr).columns - 1));
  }
}
