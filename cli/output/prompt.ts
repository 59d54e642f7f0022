import { os } from "../../sockets/system.ts";
import type { Interface } from "node:readline";
import { exitCodeOf, watchStopSignals } from "../signals.ts";
import type { Output } from "./output.ts";

/** What a prompt needs of the terminal. */
export interface PromptOptions {
  /** The text before each line. */
  readonly text: string;
  /** The output that is the terminal. */
  readonly output: Output;
  /** The stream of that output. */
  readonly stream: typeof Deno.stdout | typeof Deno.stderr;
}

/**
 * Asks for lines at a terminal, with editing and history, until its scope ends.
 *
 * The terminal passes on single keys but itself turns Ctrl-C and Ctrl-Z into
 * signals: this program has no permission to send them to itself.
 */
export class Prompt implements Disposable {
  /** Resolves with the exit code once the user has ended the program. */
  readonly interrupted: Promise<number>;

  readonly #readline: Interface;
  readonly #output: Output;
  readonly #cleanUp: DisposableStack;
  /** Lines that arrived before they were asked for, for example when several are pasted. */
  readonly #lines: string[] = [];
  #asked: PromiseWithResolvers<string | undefined> | undefined;
  #ended = false;

  private constructor(
    readline: Interface,
    output: Output,
    interrupted: Promise<number>,
    cleanUp: DisposableStack,
  ) {
    this.#readline = readline;
    this.#output = output;
    this.#cleanUp = cleanUp;
    this.interrupted = interrupted;
    readline.on("line", (line) => this.#onLine(line));
    readline.on("close", () => {
      this.#ended = true;
      this.#asked?.resolve(undefined);
    });
  }

  /** Opens a prompt. Its dependencies are loaded only here, as most runs don't need them. */
  static async open({ text, output, stream }: PromptOptions): Promise<Prompt> {
    const { createInterface } = await import("node:readline");
    const { setKeys, terminalInput, terminalOutput } = await import("./terminal_streams.ts");
    using stack = new DisposableStack();
    const readline = createInterface({
      input: stack.use(terminalInput()),
      output: stack.use(terminalOutput(output, stream)),
      terminal: true,
      prompt: text,
    });
    stack.defer(() => readline.close());
    const interrupted = Promise.withResolvers<number>();
    const { first } = stack.use(watchStopSignals());
    first.addEventListener("abort", () => interrupted.resolve(exitCodeOf(first.reason)));
    readline.on("SIGINT", () => interrupted.resolve(exitCodeOf("SIGINT"))); // Windows passes the key on
    if (os !== "windows") {
      const onContinue = (): void => {
        setKeys(true); // the shell may have changed the terminal's mode
        readline.prompt(true);
      };
      Deno.addSignalListener("SIGCONT", onContinue);
      stack.defer(() => Deno.removeSignalListener("SIGCONT", onContinue));
    }
    return new Prompt(readline, output, interrupted.promise, stack.move());
  }

  /** The next line; `undefined` at end of file. Calls while one is pending share its line. */
  next(): Promise<string | undefined> {
    if (this.#asked !== undefined) return this.#asked.promise;
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#ended) return Promise.resolve(undefined);
    this.#asked = Promise.withResolvers();
    this.#readline.prompt();
    return this.#asked.promise;
  }

  /** Moves to a new line, so that something else can be printed. */
  async leaveLine(): Promise<void> {
    this.#output.text("\n");
    await this.#output.flush();
  }

  /** Redraws the prompt and the text typed so far. */
  redraw(): void {
    this.#readline.prompt(true);
  }

  [Symbol.dispose](): void {
    this.#cleanUp.dispose();
  }

  #onLine(line: string): void {
    if (this.#asked === undefined) {
      this.#lines.push(line);
      return;
    }
    this.#asked.resolve(line);
    this.#asked = undefined;
  }
}
