import { type Channels, eventLine, rounded } from "../../cli/output/channels.ts";
import { exitCodes, Failure } from "../../cli/errors/failure.ts";
import { printHint } from "../../cli/errors/report_failure.ts";
import type { Call } from "../../clients/call/call.ts";
import type { Answer } from "../../clients/call/pipeline.ts";
import type { Client } from "../../clients/client.ts";
import { formatEndpoint } from "../../protocol/addresses.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { contrasted } from "../../text/contrast.ts";
import { visible } from "../../text/visible.ts";
import { counted } from "../../text/counted.ts";

/** Characters of an answer to quote in a message. */
const QUOTED_LENGTH = 80;

/** What to print of a call, and how. */
export interface AnswersOptions {
  readonly client: Client;
  readonly call: Call;
  readonly channels: Channels;
  readonly json: boolean;
  /** Whether a person reads each answer as it comes, so that an error need not be repeated. */
  readonly isSeen: boolean;
  /** The hint to a request that was answered with an error, if it helps. */
  readonly hintFor: (request: string) => string | undefined;
}

/** Prints the answers of a call and counts those that are missing, errors or wrong. */
export class Answers {
  readonly #options: AnswersOptions;
  #count = 0;
  #errors = 0;
  #lost = 0;
  #wrong = 0;
  #firstWrong = "";
  /** The hint to the first error that has one. */
  #hint: string | undefined;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** Reports the connection, for a client without requests. */
  connected(elapsedMs: number): void {
    if (!this.#options.json) return;
    const event = { event: "connected", ...this.#ends(), elapsedMs: rounded(elapsedMs) } as const;
    this.#options.channels.stdout.line(eventLine(event));
  }

  /** Counts a request without a reply; the session continues. */
  lost(): void {
    this.#count++;
    this.#lost++;
  }

  /** Shows what the server sent unasked, such as why it ends the connection. */
  async unasked(lines: readonly string[]): Promise<void> {
    const { stderr } = this.#options.channels;
    for (const line of lines) stderr.line(`the server says: ${visible(line)}`);
    await stderr.flush();
  }

  /** Resolves once the answers are written, so that a slow reader slows the requests. */
  async print(answers: readonly Answer[]): Promise<void> {
    const { stdout } = this.#options.channels;
    for (const answer of answers) {
      const ok = this.#judge(answer);
      const line = this.#options.json ? this.#eventOf(answer, ok) : visible(answer.reply);
      stdout.text(`${line}\n`);
    }
    await stdout.flush();
    if (!this.#options.isSeen || this.#hint === undefined) return;
    await printHint(this.#hint, this.#options.channels);
    this.#hint = undefined;
  }

  /**
   * Returns the exit code, once all answers are printed.
   *
   * @throws {Failure} of kind `ERROR` if an answer was wrong; also if one was an error, and of kind
   * `TIMEOUT` if one did not arrive, where a person has not seen that.
   */
  conclude(): number {
    if (this.#wrong > 0) {
      const hint = "the peer answered with a different result, or is another kind of server";
      const message = `${this.#countOf(this.#wrong)} not what was expected: ${this.#firstWrong}`;
      throw new Failure("ERROR", message, { hint });
    }
    const { isSeen } = this.#options;
    if (this.#errors > 0) {
      if (isSeen) return exitCodes.ERROR;
      const hint = this.#hint ??
        "the server answered, but could not do what was asked; see its answer";
      const what = this.#errors === 1 ? "an error" : "errors";
      throw new Failure("ERROR", `${this.#countOf(this.#errors)} ${what}`, { hint });
    }
    if (this.#lost > 0) {
      if (isSeen) return exitCodes.TIMEOUT;
      const which = `${this.#lost} of ${counted(this.#count, "request")}`;
      throw new Failure("TIMEOUT", `${which} got no reply`, {
        hint: "a datagram may be lost; try again",
      });
    }
    return 0;
  }

  /** `1 of 3 answers was`, `2 of 3 answers were`. */
  #countOf(some: number): string {
    return `${some} of ${counted(this.#count, "answer")} ${some === 1 ? "was" : "were"}`;
  }

  #eventOf({ request, reply, elapsedMs }: Answer, ok: boolean): string {
    const facts = { ok, request, reply, ...this.#ends(), elapsedMs: rounded(elapsedMs) };
    return eventLine({ event: "answer", ...facts });
  }

  #ends(): { readonly remote: string; readonly local: string } {
    const { remote, local } = this.#options.call;
    return { remote: formatEndpoint(remote), local: formatEndpoint(local) };
  }

  /** The failure of a stream that ended inside a right answer. */
  #cutShort(reply: string): SocketFailure {
    const { remote, protocol } = this.#options.call;
    return new SocketFailure("CLOSED", {
      phase: "reply",
      endpoint: remote,
      protocol,
      timeoutMs: 0,
      received: reply.length,
    });
  }

  /**
   * Whether the answer is the right one, as far as that is known.
   *
   * @throws {SocketFailure} of kind `CLOSED` if the stream ended inside a right answer.
   */
  #judge({ request, reply, ended }: Answer): boolean {
    this.#count++;
    if (reply.startsWith(ERROR_PREFIX)) {
      this.#errors++;
      this.#hint ??= this.#options.hintFor(request);
      return false;
    }
    const expected = this.#options.client.expected?.(request);
    if (expected === undefined || expected === reply) return true;
    if (ended && expected.startsWith(reply)) throw this.#cutShort(reply);
    if (this.#wrong++ === 0) {
      const [received, right] = contrasted(reply, expected, QUOTED_LENGTH);
      this.#firstWrong = `received '${received}' instead of '${right}'`;
    }
    return false;
  }
}

/** A text, cut short for a message. */
export function shortened(text: string): string {
  return text.length <= QUOTED_LENGTH ? text : `${text.slice(0, QUOTED_LENGTH)}...`;
}
