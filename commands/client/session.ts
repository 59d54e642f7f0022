import { asFailure, Failure } from "../../cli/errors/failure.ts";
import { Prompt } from "../../cli/output/prompt.ts";
import { printFailure } from "../../cli/errors/report_failure.ts";
import type { Channels } from "../../cli/output/channels.ts";
import { displayOf } from "../../cli/output/terminal.ts";
import type { Call } from "../../clients/call/call.ts";
import { ask } from "../../clients/call/pipeline.ts";
import type { Client } from "../../clients/client.ts";
import { formatEndpoints } from "../../protocol/addresses.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { wrap } from "../../text/width.ts";
import type { Answers } from "./answers.ts";
import { type ClientHelp, helpOf } from "./help.ts";

/** Words that leave the prompt, in any case; after a space, they are sent as they are. */
const leaving = ["quit", "exit"];
const HELP = "help";

/** What a session at a terminal needs. */
export interface SessionOptions {
  readonly client: Client;
  readonly call: Call;
  readonly answers: Answers;
  readonly channels: Channels;
  /** Whether stdout is for programs; if so, the prompt is on stderr. */
  readonly json: boolean;
}

/**
 * Asks for requests at the terminal, until the end of file, `quit`, the server's
 * end, or a signal.
 *
 * @returns the exit code of a signal; `undefined` if there was none.
 * @throws {Failure} of kind `CLOSED` or `RESET` if the server ended the connection.
 * @throws {SocketFailure} if a request fails.
 */
export async function converseAtTerminal(options: SessionOptions): Promise<number | undefined> {
  const { client, channels: { stdout, stderr }, json } = options;
  const [output, stream] = !json && Deno.stdout.isTerminal()
    ? [stdout, Deno.stdout]
    : [stderr, Deno.stderr];
  const help = helpOf(client.name);
  for (const line of wrap(introductionOf(help), displayOf(stream).columns)) output.line(line);
  using prompt = await Prompt.open({ text: help.prompt ?? "", output, stream });
  const session = new Session(prompt, options, (text) => {
    for (const line of wrap(text, displayOf(stream).columns)) output.line(line);
  });
  const interrupted = await Promise.race([session.run(), prompt.interrupted]);
  if (interrupted !== undefined) await prompt.leaveLine();
  return interrupted;
}

function introductionOf({ dialogue }: ClientHelp): string {
  const what = dialogue === undefined ? "a request" : dialogue.toType;
  const help = dialogue === undefined ? "" : "help says more, ";
  return `Type ${what}; ${help}quit or Ctrl-D leaves.`;
}

class Session {
  readonly #prompt: Prompt;
  readonly #options: SessionOptions;
  readonly #say: (text: string) => void;

  constructor(prompt: Prompt, options: SessionOptions, say: (text: string) => void) {
    this.#prompt = prompt;
    this.#options = options;
    this.#say = say;
  }

  /** Asks until the input ends or the user quits. */
  async run(): Promise<undefined> {
    const { dialogue } = helpOf(this.#options.client.name);
    while (true) {
      const typed = await this.#nextLine();
      if (typed === undefined) return void await this.#prompt.leaveLine();
      const word = typed.trimEnd().toLowerCase();
      if (leaving.includes(word)) return;
      if (word === HELP && dialogue !== undefined) this.#say(dialogue.help);
      else if (typed.trim() !== "") await this.#ask(typed.replace(/^ (?=\S)/, ""));
    }
  }

  async #ask(request: string): Promise<void> {
    const { call, answers, channels } = this.#options;
    try {
      await answers.print([await ask(call, request)]);
    } catch (error) {
      // Only this datagram was lost; the next may get through.
      const isLost = call.protocol === "udp" && error instanceof SocketFailure &&
        error.kind === "TIMEOUT";
      if (!isLost) throw error;
      answers.lost();
      await printFailure(asFailure(error), channels);
    }
  }

  /** The next line typed. Shows what the server says first; throws if it ends the connection. */
  async #nextLine(): Promise<string | undefined> {
    const { call, answers, channels } = this.#options;
    await channels.stderr.flush(); // a queued trace would break up the prompt
    while (true) {
      const first = await Promise.race([
        this.#prompt.next().then((line) => ({ line })),
        call.unasked().then((unasked) => ({ unasked })),
      ]);
      if ("line" in first) return first.line;
      await this.#prompt.leaveLine();
      if (first.unasked !== "data") throw this.#endOf(first.unasked);
      await answers.unasked(await call.receive());
      this.#prompt.redraw();
    }
  }

  #endOf(what: "end" | "reset"): Failure {
    const { remote, protocol } = this.#options.call;
    const peer = formatEndpoints([remote], protocol);
    const hint = "it may have stopped, or it closes idle connections";
    return what === "reset"
      ? new Failure("RESET", `${peer} reset the connection`, { hint })
      : new Failure("CLOSED", `${peer} closed the connection`, { hint });
  }
}
