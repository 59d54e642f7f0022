import { Finding } from "./check.ts";
import type { Starter } from "./server.ts";

/**
 * The program of an examined server, from check to check, whatever it is asked over.
 *
 * `First` is what showed that it had begun to listen: it is the first client's.
 */
export abstract class ServerProgram<First> implements AsyncDisposable {
  readonly starter: Starter;
  /** Whether it is known to serve one client after another, so that it may go on from check to check. */
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

  /** One plain question and its right answer, of a client of its own. @throws {Finding} */
  abstract exchange(): Promise<void>;

  /** Ends the program, and what is open to it. */
  abstract stop(): Promise<void>;

  /** To be called before each check: a program that may not be well is started afresh. */
  beginCheck(): void {
    this.starter.isCancelled = false;
    if (!this.servesSeveral && this.first === undefined) this.mustRestart = true;
    if (this.starter.child?.ended !== undefined) this.mustRestart = true;
    this.starter.listenToStderr();
  }

  /** To be called after a check that failed. */
  doubt(): void {
    this.first = undefined;
    this.mustRestart = true;
  }

  /** Ends the check that runs. */
  async cancel(): Promise<void> {
    this.starter.isCancelled = true;
    await this.stop();
  }

  /** The program's last words on stderr. */
  said(): Promise<string | undefined> {
    return this.starter.said();
  }

  /** Sees whether another client is answered. @throws {Finding} that says what was done before. */
  async servesAnother(sent: string, cameBefore: string): Promise<void> {
    try {
      await this.exchange();
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      const ended = await this.starter.child?.howItEnded();
      const then = ended ?? `the next client: ${error.evidence.saw}`;
      const { isSilence } = error.evidence;
      throw new Finding({ sent, saw: `${cameBefore}; ${then}`, isSilence });
    }
  }

  /** Whether a server that this run did not start answers no more. */
  async isGone(): Promise<boolean> {
    if (this.examination.target === undefined) return false;
    return await this.exchange().then(() => false, () => true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.starter[Symbol.asyncDispose]();
  }

  /** Whether the next client needs the program to be started. */
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
