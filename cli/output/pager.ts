import type { Output } from "./output.ts";
import { sizeOf } from "./terminal.ts";
import { type Display, styled } from "../../text/display.ts";

const QUESTION = "-- space or Enter: more, q: quit --";

/** The keys that quit: q, Esc, Ctrl-C, Ctrl-D. */
// deno-lint-ignore no-control-regex -- keys are control characters
const LEAVING = /[qQ\x1b\x03\x04]/;
const CTRL_C = "\x03";

/**
 * Shows text one screen at a time at a terminal, so that nothing scrolls by
 * unread; elsewhere prints all of it.
 */
export class Pager {
  /** How the user quit, if they did; nothing more is shown then. */
  left: "q" | "Ctrl-C" | undefined;

  readonly #stdout: Output;
  readonly #display: Display;
  /** Lines of a screen, less one for the question; `undefined` if not interactive. */
  readonly #rows: number | undefined;
  #shown = 0;

  constructor(stdout: Output, display: Display) {
    this.#stdout = stdout;
    this.#display = display;
    const interactive = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
    this.#rows = interactive ? Math.max(5, sizeOf(Deno.stdout).rows - 1) : undefined;
  }

  /** Shows lines that belong together, on one screen if they fit. */
  async show(lines: readonly string[]): Promise<void> {
    const rows = this.#rows;
    if (rows !== undefined && this.#shown > 0 && this.#shown + lines.length > rows) {
      await this.#ask();
    }
    for (const line of lines) {
      if (rows !== undefined && this.#shown >= rows) await this.#ask();
      if (this.left !== undefined) return;
      this.#stdout.line(line);
      this.#shown++;
    }
    await this.#stdout.flush();
  }

  /** Asks whether to continue, and erases the question. */
  async #ask(): Promise<void> {
    if (this.left !== undefined) return;
    // Raw mode comes before the question, so that a key pressed as soon as it is seen counts.
    // In it Ctrl-C is an ordinary key, so the terminal is always restored.
    Deno.stdin.setRaw(true);
    try {
      this.#stdout.text(styled(QUESTION, "dim", this.#display));
      await this.#stdout.flush();
      const key = await nextKey();
      if (LEAVING.test(key)) this.left = key.includes(CTRL_C) ? "Ctrl-C" : "q";
    } finally {
      Deno.stdin.setRaw(false);
    }
    this.#stdout.text(`\r${" ".repeat(QUESTION.length)}\r`);
    await this.#stdout.flush();
    this.#shown = 0;
  }
}

/** Waits for the next key that has a meaning here. */
async function nextKey(): Promise<string> {
  const buffer = new Uint8Array(64);
  while (true) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return CTRL_C;
    const keys = new TextDecoder().decode(buffer.subarray(0, count));
    if (/[ \r\n]/.test(keys) || LEAVING.test(keys)) return keys;
  }
}
