/** netdemo plays the clients of a TCP server. */
import { delay } from "@std/async/delay";
import { errnoOf, errorName, kindOf } from "../../../sockets/errno.ts";
import { type Attempt, SocketFailure } from "../../../sockets/failure.ts";
import { EagerPeer } from "../../../sockets/eager_peer.ts";
import { dialResettable } from "../../../sockets/node_stream.ts";
import { Finding, Skipped } from "../../../suite/test.ts";
import type { Child } from "../program/child.ts";
import { LOOPBACK, ownAddresses } from "../program/ports.ts";
import type { Program } from "../program/program.ts";
import { isInTimeWait, listeningOf, usageOf } from "../program/system.ts";
import type { Listening } from "../program/tools.ts";
import { withoutTrace } from "./closing.ts";
import { type Clients, ELSEWHERE_MS, endedEarly, START_MS } from "./server_under_test.ts";

/** Milliseconds between attempts to connect to a starting program. */
const RETRY_MS = 20;
/** Milliseconds between two checks of where a program listens. */
const LOOK_MS = 150;

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
      return await endedEarly(this.#program, "it listened");
    }
    return new Finding(
      search.elsewhere() ?? {
        saw: `nothing listens on port ${port} after ${START_MS / 1_000} s`,
      },
    );
  }
}

/** Finds out where a program listens if it does not listen where it should. */
class ListenerSearch {
  readonly #program: Program;
  readonly #child: Child;
  #lookedAt = performance.now();
  #endedAt: number | undefined;
  #elsewhereSince: number | undefined;
  #found: readonly Listening[] = [];
  /** Its UDP sockets, if it listens nowhere. */
  #datagrams: readonly Listening[] = [];
  /** The addresses to try. */
  addresses: readonly string[] = LOOPBACK;

  constructor(program: Program, child: Child) {
    this.#program = program;
    this.#child = child;
  }

  /** Whether waiting longer is pointless. Without {port}, adopts the port that the program uses. */
  async isOver(): Promise<boolean> {
    const now = performance.now();
    if (this.#child.ended !== undefined) {
      this.#endedAt ??= now;
      // One that ended with code 0 may have moved itself into the background.
      return this.#child.ended.code !== 0 || now - this.#endedAt > 1_000;
    }
    if (now - this.#lookedAt < LOOK_MS) return false;
    const pids = (await usageOf(this.#child.pid))?.pids ?? [];
    this.#found = await listeningOf(pids, "tcp") ?? [];
    this.#datagrams = this.#found.length > 0 ? [] : await listeningOf(pids, "udp") ?? [];
    this.#lookedAt = performance.now();
    const [own] = this.#found;
    if (own !== undefined && !this.#program.takesPort) this.#program.port = own.port;
    if (own !== undefined && this.addresses === LOOPBACK) {
      this.addresses = [...new Set([...LOOPBACK, ...await ownAddresses()])];
    }
    if (this.elsewhere() === undefined) this.#elsewhereSince = undefined;
    else this.#elsewhereSince ??= now;
    return this.#elsewhereSince !== undefined && now - this.#elsewhereSince > ELSEWHERE_MS;
  }

  /** Describes where the program listens, if it does, but not where it should. */
  elsewhere(): { saw: string; fix: string } | undefined {
    const { port } = this.#program;
    const [found] = this.#found;
    const isThere = this.#found.some((one) =>
      one.port === port && ["*", ...this.addresses].includes(one.hostname)
    );
    const [datagrams] = this.#datagrams;
    if (found === undefined && datagrams !== undefined) {
      return {
        saw: `your program has a UDP socket on port ${datagrams.port}, and listens on no TCP port`,
        fix:
          "create the socket with SOCK_STREAM; or, if it is to use UDP, add --udp, or udp to its file",
      };
    }
    if (found === undefined || isThere) return undefined;
    if (found.port === port) {
      return {
        saw: `your program listens on ${found.hostname}:${port}, not on 127.0.0.1:${port}`,
        fix: 'bind() to "127.0.0.1", or to all addresses ("" or "0.0.0.0")',
      };
    }
    const swapped = ((port & 0xff) << 8) | (port >> 8);
    return found.port === swapped
      ? {
        saw: `your program listens on port ${found.port}: the two bytes of ${port} are swapped`,
        fix: `give the port as htons(${port}), in network byte order`,
      }
      : {
        saw: `your program listens on port ${found.port}, not on ${port}`,
        fix: "bind() to the given port (in C with htons()) before listen(), and check its result",
      };
  }
}
