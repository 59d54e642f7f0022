import { errnoOf, errorName, kindOf } from "../../sockets/errno.ts";
import { type Attempt, SocketFailure } from "../../sockets/failure.ts";
import { dialResettable } from "../../sockets/node_stream.ts";
import { Finding, Skipped } from "./check.ts";
import type { Child } from "./child.ts";
import { Conversation } from "./conversation.ts";
import { ListenerSearch, LOOPBACK } from "./listener_search.ts";
import type { Starter } from "./server.ts";
import { ServerProgram } from "./server_program.ts";
import { isInTimeWait } from "./system.ts";
import { pause } from "./waits.ts";

/** Milliseconds in which a program must have begun to listen. */
const START_MS = 10_000;
/** Milliseconds between two tries to connect to a program that starts. */
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

  /** A connection of a new client; starts the program if it does not run. @throws {Finding} */
  async connect(): Promise<Conversation> {
    const first = this.takeFirst();
    if (first !== undefined) return first;
    if (this.mustStart) return await this.start();
    return await this.#dial();
  }

  /** Hands a connection that nothing was sent on to the next {@linkcode connect}. */
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
        // Somebody else may have taken the port at that moment.
        if (tried === tries || this.starter.child?.ended === undefined) throw error;
        if (!(error instanceof Finding)) throw error;
      }
      await this.starter.stop();
    }
  }

  /** Ends the program; no connection of it lingers on its port. */
  async stop(): Promise<void> {
    for (const conversation of this.#open) conversation.reset();
    this.#open.clear();
    this.first = undefined;
    await this.starter.stop();
  }

  /** @throws {SocketFailure} if a TARGET was never reached; later it is the program's fault: a Finding. */
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
    // What a host without IPv6 says of ::1 says nothing of the program.
    const told = attempts.find(({ error }) => errnoOf(error) !== "EADDRNOTAVAIL") ?? attempts[0];
    const kind = told?.kind ?? "ERROR";
    if (target !== undefined && !this.#wasReached) {
      const facts = { phase: "connect", attempts, protocol: "tcp", timeoutMs: timeout } as const;
      throw new SocketFailure(kind, facts, told?.error);
    }
    const saws: Readonly<Record<string, string>> = {
      REFUSED: "the connection was refused",
      RESET: "the connection was reset",
      TIMEOUT: "the connection was not accepted",
    };
    const saw = saws[kind] ?? `no connection (${errorName(told?.error)})`;
    throw new Finding({ saw: saw + await this.starter.andEnded(), isSilence: kind === "TIMEOUT" });
  }

  async #dialAddress(hostname: string, timeout: number): Promise<Conversation> {
    const { port } = this.starter;
    const stream = await withTimeout(
      timeout,
      (signal) => dialResettable({ hostname, port, signal }),
    );
    const conversation = new Conversation(stream);
    this.#addresses = [hostname]; // where it was found, it is asked from now on
    this.#open.add(conversation);
    this.#wasReached = true;
    return conversation;
  }

  /** Tries to connect until it works. The connection that works is used: it may be the only one. */
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
      // The first start found the port free: what holds it now comes from the checks before.
      if (fixedPort !== undefined && await isInTimeWait(port)) {
        return new Skipped(
          `port ${port} is still held by a closed connection: let your program take {port}`,
        );
      }
      return new Finding({ saw: `your program ${child.ending} before it listened` });
    }
    return new Finding(
      search.elsewhere() ?? {
        saw: `nothing listens on port ${port} after ${START_MS / 1_000} s`,
      },
    );
  }
}

/** Does something that a signal ends after so many milliseconds. */
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
