/** Where programs under test listen: the addresses, and ports that nothing else uses. */
import { delay } from "@std/async/delay";
import { Failure } from "../../../cli/errors/failure.ts";
import { lookUp } from "../../../sockets/resolve.ts";
import { bindDatagrams, bindTcp } from "../../../sockets/listen.ts";
import { busyPorts, isInTimeWait } from "./system.ts";

/** The addresses at which a program should listen. */
export const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];
/** Milliseconds within which this host's own name must resolve. */
const RESOLVE_MS = 500;

/** Returns the addresses of this host's own name: the lesson's programs may use gethostname(). */
export async function ownAddresses(): Promise<readonly string[]> {
  return await lookUp(Deno.hostname(), RESOLVE_MS).catch(() => []);
}

const FIRST_PORT = 20_000;
const BLOCKS = 100;
const BLOCK_SIZE = 100;
/** Each block has a UDP port below the range: whoever binds it holds the block. */
const FIRST_LEASE = FIRST_PORT - BLOCKS;

/**
 * Ports for the programs under test, from 20000 to 29999: below those that
 * systems assign to clients.
 *
 * Two examinations never use the same port at once: each holds blocks of 100
 * while it runs, one at first. A port on which a closed connection lingers is
 * skipped, since a program without SO_REUSEADDR could not start there.
 */
export class Ports implements Disposable {
  readonly #busy: ReadonlySet<number>;
  readonly #leases = new DisposableStack();
  /** The blocks that were not tried yet, in random order. */
  readonly #untried: number[];
  #ports: readonly number[] = [];
  #next = 0;

  private constructor(busy: ReadonlySet<number>) {
    this.#busy = busy;
    const start = Math.floor(Math.random() * BLOCKS);
    this.#untried = Array.from({ length: BLOCKS }, (_, index) => (start + index) % BLOCKS);
  }

  static async reserve(): Promise<Ports> {
    return new Ports(await busyPorts());
  }

  /**
   * Returns a port that is free now.
   *
   * @throws {Failure} if there is none.
   */
  take(): number {
    const { length } = this.#ports;
    for (let tried = 0; tried < length; tried++) {
      const port = this.#ports[this.#next++ % length] ?? 0;
      if (isFree(port)) return port;
    }
    // The program may hold all ports around its own.
    if (this.#leaseBlock()) return this.take();
    const port = portsFrom(FIRST_PORT, BLOCKS * BLOCK_SIZE).find(isFree);
    if (port !== undefined) return port;
    throw new Failure(
      "BIND",
      "cannot start the program as all ports from 20000 to 29999 are in use",
      {
        hint: "end the programs that use them, or give your program a port of its own with --port",
      },
    );
  }

  [Symbol.dispose](): void {
    this.#leases[Symbol.dispose]();
  }

  /** Takes another block; returns whether one was left. */
  #leaseBlock(): boolean {
    for (let block; (block = this.#untried.shift()) !== undefined;) {
      const ports = portsFrom(FIRST_PORT + block * BLOCK_SIZE, BLOCK_SIZE)
        .filter((port) => !this.#busy.has(port) && !isSameSwapped(port));
      if (ports.length < BLOCK_SIZE / 2 || !this.#lease(FIRST_LEASE + block)) continue;
      this.#ports = ports;
      return true;
    }
    return false;
  }

  #lease(port: number): boolean {
    try {
      this.#leases.adopt(bindDatagrams({ hostname: "127.0.0.1", port }), (lease) => lease.close());
      return true;
    } catch {
      return false;
    }
  }
}

const portsFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

/** Whether swapping a port's bytes changes nothing, which would hide a missing htons(). */
function isSameSwapped(port: number): boolean {
  return port >> 8 === (port & 0xff);
}

/** Whether the port is free on 127.0.0.1, over both TCP and UDP. */
function isFree(port: number): boolean {
  return whyNotFree(port) === undefined;
}

/** Milliseconds between two looks at whether a port is free. */
const LINGER_MS = 500;

/** Waits while only a closed connection holds the port. @param onWait Called if it has to wait. */
export async function untilFree(
  port: number,
  { isOver, onWait }: { isOver(): boolean; onWait?: ((port: number) => void) | undefined },
): Promise<void> {
  for (let waited = 0; await isInTimeWait(port) && !isOver(); waited++) {
    if (waited === 0) onWait?.(port);
    await delay(LINGER_MS);
  }
}

/** The error that a program would get which uses the port, if it can't have it. */
export function whyNotFree(port: number): unknown {
  try {
    bindTcp({ hostname: "127.0.0.1", port }).close();
    bindDatagrams({ hostname: "127.0.0.1", port }).close();
    return undefined;
  } catch (error) {
    return error;
  }
}
