import type { Output } from "./output.ts";
import { type Display, styled } from "../text/display.ts";

/**
 * Shows text a screen at a time where somebody sits at a terminal and nothing
 * is to scroll by unread; elsewhere it prints all of it.
 */
export class Pager {
  readonly #stdout: Output;
  readonly #display: Display;
  /** Lines of a screen, one less for the prompt; `undefined` where nobody is asked. */
  readonly #rows: number | undefined;
  #shown = 0;

  constructor(stdout: Output, display: Display) {
    this.#stdout = stdout;
    this.#display = display;
    const interactive = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
    this.#rows = interactive ? Math.max(5, Deno.consoleSize().rows - 1) : undefined;
  }

  /** Shows lines that belong together: on the same screen, if they fit on one. */
  async show(lines: readonly string[]): Promise<void> {
    const rows = this.#rows;
    if (rows !== undefined && this.#shown > 0 && this.#shown + lines.length > rows) {
      await this.#ask();
    }
    for (const line of lines) {
      if (rows !== undefined && this.#shown >= rows) await this.#ask();
      this.#stdout.line(line);
      this.#shown++;
    }
    await this.#stdout.flush();
  }

  async #ask(): Promise<void> {
    this.#stdout.text(styled("-- press Enter to continue --", "dim", this.#display));
    await this.#stdout.flush();
    await Deno.stdin.read(new Uint8Array(1_024));
    this.#shown = 0;
  }
}
