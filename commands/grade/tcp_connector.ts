import { errnoOf, errorName, kindOf } from "../../sockets/errno.ts";
import { type Attempt, SocketFailure } from "../../sockets/failure.ts";
import { dialResettable } from "../../sockets/node_stream.ts";
import { Finding, Skipped } from "./check.ts";
import type { Child } from "./child.ts";
import { Conversation } from "./conversation.ts";
import { ListenerSearch, LOOPBACK } from "./listener_search.ts";
import type { Starter } from "./server.ts";
import { ENDED_EARLY_FIX, ServerProgram } from "./server_program.ts";
import { isInTimeWait } from "./system.ts";
import { pause } from "./waits.ts";

/** Milliseconds within which a program must begin to listen. */
const START_MS = 10_000;
/** Milliseconds between attempts to connect to a starting program. */
const RETRY_MS = 20;

/** Starts a program and connects to it, as often as the checks need. */
export abstract class TcpConnector extends ServerProgram<Conversation> {
  readonly #open = new Set<Conversation>();
  #addresses: readonly string[];
  #wasReached = false;

  constructor(starter: Starter) {
    super(starter);
    this.#addresses = starter.examination.target?.addresses ?? LOOPBACK;
  }

  /** Connects a new client; starts the program if it is not running. @throws {Finding} */
  async connect(): Promise<Conversation> {
    const first = this.takeFirst();
    if (first !== undefined) return first;
    if (this.mustStart) return await this.start();
    return await this.#dial();
  }

  /** Keeps an unused connection for the next {@linkcode connect}. */
  keep(conversation: Conversation): void {
    this.first = conversation;
  }

  /** Starts the program and connects to it. @throws {Finding} if it does not listen. */
  async start(port?: number): Promise<Conversation> {
    await this.stop();
    const { fixedPort } = this.examination;
    const tries = port === undefined && fixedPort === undefined ? 3 : 1;
    for (let tried = 1;; tried++) {
      this.starter.start(port ?? this.starter.nextPort());
      try {
        const conversation = await this.#untilListening();
        this.mustRestart = false;
        return conversation;
      } catch (error) {
        // Another program may have taken the port in the meantime.
        if (tried === tries || this.starter.child?.ended === undefined) throw error;
        if (!(error instanceof Finding)) throw error;
      }
      await this.starter.stop();
    }
  }

  /** Ends the program, and leaves no connection lingering on its port. */
  async stop(): Promise<void> {
    for (const conversation of this.#open) conversation.reset();
    this.#open.clear();
    this.first = undefined;
    await this.starter.stop();
  }

  /** @throws {SocketFailure} if a TARGET was never reached. @throws {Finding} otherwise. */
  async #dial(): Promise<Conversation> {
    const { timeout, target } = this.examination;
    const attempts: Attempt[] = [];
    for (const hostname of this.#addresses) {
      try {
        return await this.#dialAddress(hostname, timeout);
      } catch (error) {
        const endpoint = { hostname, port: this.starter.port };
        attempts.push({ endpoint, kind: kindOf(error) ?? "ERROR", error });
      }
    }
    // On a host without IPv6, the error for ::1 says nothing about the program.
    const attempt = attempts.find(({ error }) => errnoOf(error) !== "EADDRNOTAVAIL") ?? attempts[0];
    const kind = attempt?.kind ?? "ERROR";
    if (target !== undefined && !this.#wasReached) {
      const facts = { phase: "connect", attempts, protocol: "tcp", timeoutMs: timeout } as const;
      throw new SocketFailure(kind, facts, attempt?.error);
    }
    const observed: Readonly<Record<string, string>> = {
      REFUSED: "the connection was refused",
      RESET: "the connection was reset",
      TIMEOUT: "the connection was not accepted",
    };
    const saw = observed[kind] ?? `no connection (${errorName(attempt?.error)})`;
    throw new Finding({ saw: saw + await this.starter.andEnded(), isSilence: kind === "TIMEOUT" });
  }

  async #dialAddress(hostname: string, timeout: number): Promise<Conversation> {
    const { port } = this.starter;
    const stream = await withTimeout(
      timeout,
      (signal) => dialResettable({ hostname, port, signal }),
    );
    const conversation = new Conversation(stream);
    this.#addresses = [hostname]; // later connections go to where it was found
    this.#open.add(conversation);
    this.#wasReached = true;
    return conversation;
  }

  /** Tries to connect until it works. That connection is used: the program may accept no other. */
  async #untilListening(): Promise<Conversation> {
    const child = this.starter.process();
    const search = new ListenerSearch(this.starter, child);
    const startedAt = performance.now();
    this.#addresses = LOOPBACK;
    while (performance.now() - startedAt < START_MS && !this.starter.isCancelled) {
      for (const hostname of search.addresses) {
        try {
          return await this.#dialAddress(hostname, 1_000);
        } catch {
          // Not yet.
        }
      }
      if (await search.isOver()) break;
      await pause(RETRY_MS);
    }
    throw await this.#notListening(child, search);
  }

  async #notListening(child: Child, search: ListenerSearch): Promise<Finding | Skipped> {
    const { port } = this.starter;
    const { fixedPort } = this.examination;
    if (child.ended !== undefined) {
      // The port was free at the first start: what holds it now is left from earlier checks.
      if (fixedPort !== undefined && await isInTimeWait(port)) {
        return new Skipped(
          `port ${port} is still held by a closed connection: let your program take {port}`,
        );
      }
      return new Finding({
        saw: `your program ${child.ending} before it listened`,
        fix: ENDED_EARLY_FIX,
      });
    }
    return new Finding(
      search.elsewhere() ?? {
        saw: `nothing listens on port ${port} after ${START_MS / 1_000} s`,
      },
    );
  }
}

/** Does work with a signal that aborts after this many milliseconds. */
async function withTimeout<T>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const late = (): void => controller.abort(new DOMException("too late", "TimeoutError"));
  const timer = setTimeout(late, milliseconds);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
