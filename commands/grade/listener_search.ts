import { lookUp } from "../../sockets/resolve.ts";
import type { Child } from "./child.ts";
import type { Starter } from "./server.ts";
import { type Listening, listeningOf, usageOf } from "./system.ts";

/** Where a program is looked for. */
export const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];
/** Milliseconds in which this host's own name must resolve. */
const RESOLVE_MS = 500;
/** Milliseconds between two looks at what a program listens on. */
const LOOK_MS = 150;
/** Milliseconds after which a program that is seen to listen elsewhere is not waited for any more. */
const ELSEWHERE_MS = 2_500;

/** The addresses that this host's own name stands for: the lesson's programs may use gethostname(). */
export async function ownAddresses(): Promise<readonly string[]> {
  return await lookUp(Deno.hostname(), RESOLVE_MS).catch(() => []);
}

/** Looks for where a program listens that does not listen where it was told. */
export class ListenerSearch {
  readonly #starter: Starter;
  readonly #child: Child;
  #lookedAt = performance.now();
  #endedAt: number | undefined;
  #elsewhereSince: number | undefined;
  #found: readonly Listening[] = [];
  /** Where the program is looked for. */
  addresses: readonly string[] = LOOPBACK;

  constructor(starter: Starter, child: Child) {
    this.#starter = starter;
    this.#child = child;
  }

  /** Whether waiting longer is of no use. A program without {port} is from now on asked where it listens. */
  async isOver(): Promise<boolean> {
    const now = performance.now();
    if (this.#child.ended !== undefined) {
      this.#endedAt ??= now;
      // One that ended well may have put itself into the background.
      return this.#child.ended.code !== 0 || now - this.#endedAt > 1_000;
    }
    if (now - this.#lookedAt < LOOK_MS) return false;
    const pids = (await usageOf(this.#child.pid))?.pids ?? [];
    this.#found = await listeningOf(pids, "tcp") ?? [];
    this.#lookedAt = performance.now();
    const [own] = this.#found;
    if (own !== undefined && !this.#starter.takesPort) this.#starter.port = own.port;
    if (own !== undefined && this.addresses === LOOPBACK) {
      this.addresses = [...new Set([...LOOPBACK, ...await ownAddresses()])];
    }
    if (this.elsewhere() === undefined) this.#elsewhereSince = undefined;
    else this.#elsewhereSince ??= now;
    return this.#elsewhereSince !== undefined && now - this.#elsewhereSince > ELSEWHERE_MS;
  }

  /** Where the program listens, if it does and not where it should. */
  elsewhere(): { saw: string; fix: string } | undefined {
    const { port } = this.#starter;
    const [found] = this.#found;
    const isThere = this.#found.some((one) =>
      one.port === port && ["*", ...this.addresses].includes(one.hostname)
    );
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
        fix:
          "bind() to the port that the command line gives, before listen(), and check its result",
      };
  }
}
