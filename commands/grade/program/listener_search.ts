import { lookUp } from "../../../sockets/resolve.ts";
import type { Child } from "./child.ts";
import type { Program } from "./program.ts";
import { listeningOf, usageOf } from "./system.ts";
import type { Listening } from "./tools.ts";

/** The addresses at which a program should listen. */
export const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];
/** Milliseconds within which this host's own name must resolve. */
const RESOLVE_MS = 500;
/** Milliseconds between two checks of where a program listens. */
const LOOK_MS = 150;
/** Milliseconds to keep waiting for a program that listens elsewhere. */
const ELSEWHERE_MS = 2_500;

/** Returns the addresses of this host's own name: the lesson's programs may use gethostname(). */
export async function ownAddresses(): Promise<readonly string[]> {
  return await lookUp(Deno.hostname(), RESOLVE_MS).catch(() => []);
}

/** Finds out where a program listens if it does not listen where it should. */
export class ListenerSearch {
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
