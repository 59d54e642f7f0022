/** netdemo plays the clients of a TCP server. */
import { delay } from "@std/async/delay";
import { errnoOf, errorName, kindOf } from "../../../sockets/errno.ts";
import { type Attempt, SocketFailure } from "../../../sockets/failure.ts";
import { EagerPeer } from "../../../sockets/eager_peer.ts";
import { dialResettable } from "../../../sockets/node_stream.ts";
import { Finding, Skipped } from "../../../suite/test.ts";
import type { Child } from "../program/child.ts";
import { ListenerSearch, LOOPBACK } from "../program/listener_search.ts";
import type { Program } from "../program/program.ts";
import { isInTimeWait } from "../program/system.ts";
import { withoutTrace } from "./closing.ts";
import { type Clients, endedEarlyFix } from "./server_under_test.ts";

/** Milliseconds within which a program must begin to listen. */
const START_MS = 10_000;
/** Milliseconds between attempts to connect to a starting program. */
const RETRY_MS = 20;

/** Clients that connect to the program's port. */
export class TcpClients implements Clients<EagerPeer> {
  readonly #program: Program;
  readonly #open = new Set<EagerPeer>();
  leavesTrace = false;
  readonly #closing = new Set<Promise<void>>();
  /** The addresses of a TARGET. */
  readonly #target: readonly string[] | undefined;
  #addresses: readonly string[];
  #wasReached = false;

  /** @param target Addresses of a server that is already running. */
  constructor(program: Program, target?: readonly string[]) {
    this.#program = program;
    this.#target = target;
    this.#addresses = target ?? LOOPBACK;
  }

  /** @throws {SocketFailure} if a TARGET was never reached. @throws {Finding} otherwise. */
  async connect(timeout: number): Promise<EagerPeer> {
    const attempts: Attempt[] = [];
    for (const hostname of this.#addresses) {
      try {
        return await this.#dial(hostname, timeout);
      } catch (error) {
        const endpoint = { hostname, port: this.#program.port };
        attempts.push({ endpoint, kind: kindOf(error) ?? "ERROR", error });
      }
    }
    // On a host without IPv6, the error for ::1 says nothing about the program.
    const attempt = attempts.find(({ error }) => errnoOf(error) !== "EADDRNOTAVAIL") ?? attempts[0];
    const kind = attempt?.kind ?? "ERROR";
    if (this.#target !== undefined && !this.#wasReached) {
      const facts = { phase: "connect", attempts, protocol: "tcp", timeoutMs: timeout } as const;
      throw new SocketFailure(kind, facts, attempt?.error);
    }
    const observed: Readonly<Record<string, string>> = {
      REFUSED: "the connection was refused",
      RESET: "the connection was reset",
      TIMEOUT: "the connection was not accepted",
    };
    const seen = observed[kind] ?? `no connection (${errorName(attempt?.error)})`;
    const ended = await this.#program.child?.howItEnded();
    const saw = ended === undefined ? seen : `${seen}; ${ended}`;
    throw new Finding({ saw, isSilence: kind === "TIMEOUT" });
  }

  /** Tries to connect until it works. That connection is used: the program may accept no other. */
  async untilReady(): Promise<EagerPeer> {
    const child = this.#program.process();
    const search = new ListenerSearch(this.#program, child);
    const startedAt = performance.now();
    this.#addresses = LOOPBACK;
    while (performance.now() - startedAt < START_MS && !this.#program.isCancelled) {
      for (const hostname of search.addresses) {
        try {
          return await this.#dial(hostname, 1_000);
        } catch {
          // Not yet.
        }
      }
      if (await search.isOver()) break;
      await delay(RETRY_MS);
    }
    throw await this.#notListening(child, search);
  }

  async closeAll(): Promise<void> {
    for (const peer of this.#open) peer.reset();
    this.#open.clear();
    await Promise.all(this.#closing);
    this.#closing.clear();
  }

  async #dial(hostname: string, timeout: number): Promise<EagerPeer> {
    const { port } = this.#program;
    const signal = AbortSignal.timeout(timeout);
    const stream = await dialResettable({ hostname, port, signal });
    const peer = new EagerPeer(
      this.#program.keepsPort && !this.leavesTrace
        ? withoutTrace(stream, (closed) => this.#closing.add(closed))
        : stream,
    );
    this.#addresses = [hostname]; // later connections go to where it was found
    this.#open.add(peer);
    this.#wasReached = true;
    return peer;
  }

  async #notListening(child: Child, search: ListenerSearch): Promise<Finding | Skipped> {
    const { port, options: { fixedPort } } = this.#program;
    if (child.ended !== undefined) {
      // The port was free at the first start: what holds it now is left from earlier checks.
      if (fixedPort !== undefined && !this.leavesTrace && await isInTimeWait(port)) {
        return new Skipped(
          `port ${port} is still held by a closed connection: let your program take "{port}"`,
        );
      }
      const said = await this.#program.said();
      const saw = `your program ${child.ending} before it listened`;
      return new Finding({ saw, said, fix: endedEarlyFix(this.#program, said) });
    }
    return new Finding(
      search.elsewhere() ?? {
        saw: `nothing listens on port ${port} after ${START_MS / 1_000} s`,
      },
    );
  }
}
