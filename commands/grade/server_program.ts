import { Finding } from "./check.ts";
import type { Starter } from "./server.ts";

/** What to do about a program that ended before it was asked anything. */
export const ENDED_EARLY_FIX =
  "find out why it ended: read its error message, and check the command";

/**
 * The program of an examined server, from check to check, over either protocol.
 *
 * `First` is what proved that it listens: the first client uses it.
 */
export abstract class ServerProgram<First> implements AsyncDisposable {
  readonly starter: Starter;
  /** Whether it is known to serve one client after another: it can then run for several checks. */
  servesSeveral = false;
  protected first: First | undefined;
  protected mustRestart = false;

  constructor(starter: Starter) {
    this.starter = starter;
    const { target } = starter.examination;
    if (target !== undefined) starter.port = target.port;
  }

  get examination() {
    return this.starter.examination;
  }

  /** Asks one plain question as a new client, and checks the answer. @throws {Finding} */
  abstract exchange(): Promise<void>;

  /** Ends the program, and closes what is connected to it. */
  abstract stop(): Promise<void>;

  /** Call before each check: a program that may be broken is restarted. */
  beginCheck(): void {
    this.starter.isCancelled = false;
    if (!this.servesSeveral && this.first === undefined) this.mustRestart = true;
    if (this.starter.child?.ended !== undefined) this.mustRestart = true;
    this.starter.listenToStderr();
  }

  /** Call after a check that failed. */
  doubt(): void {
    this.first = undefined;
    this.mustRestart = true;
  }

  /** Cancels the running check. */
  async cancel(): Promise<void> {
    this.starter.isCancelled = true;
    await this.stop();
  }

  /** The program's last words on stderr. */
  said(): Promise<string | undefined> {
    return this.starter.said();
  }

  /** Checks that another client is answered. @throws {Finding} that says what happened before. */
  async servesAnother(sent: string, before: string): Promise<void> {
    try {
      await this.exchange();
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      const ended = await this.starter.child?.howItEnded();
      const then = ended ?? `the next client: ${error.evidence.saw}`;
      const { isSilence, blames } = error.evidence;
      throw new Finding({ sent, saw: `${before}; ${then}`, isSilence, blames });
    }
  }

  /** Whether a server that this run did not start has stopped answering. */
  async isGone(): Promise<boolean> {
    if (this.examination.target === undefined) return false;
    return await this.exchange().then(() => false, () => true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.starter[Symbol.asyncDispose]();
  }

  /** Whether the program must be started for the next client. */
  protected get mustStart(): boolean {
    return this.examination.target === undefined &&
      (this.mustRestart || this.starter.child === undefined);
  }

  protected takeFirst(): First | undefined {
    const { first } = this;
    this.first = undefined;
    return first;
  }
}
