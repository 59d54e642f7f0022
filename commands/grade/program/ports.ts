import { busyPorts } from "./system.ts";

const FIRST_PORT = 20_000;
const BLOCKS = 100;
const BLOCK_SIZE = 100;
/** Each block has a UDP port below the range: whoever binds it holds the block. */
const FIRST_LEASE = FIRST_PORT - BLOCKS;

/**
 * Ports for the examined programs, from 20000 to 29999: below those that
 * systems assign to clients.
 *
 * Two examinations never use the same port at once: each holds a block of 100
 * while it runs. A port on which a closed connection lingers is skipped, since
 * a program without SO_REUSEADDR could not start there.
 */
export class Ports implements Disposable {
  readonly #lease: Deno.DatagramConn | undefined;
  readonly #ports: number[];
  #next = 0;

  private constructor(lease: Deno.DatagramConn | undefined, ports: number[]) {
    this.#lease = lease;
    this.#ports = ports;
  }

  static async reserve(): Promise<Ports> {
    const busy = await busyPorts();
    const start = Math.floor(Math.random() * BLOCKS);
    for (let tried = 0; tried < BLOCKS; tried++) {
      const block = (start + tried) % BLOCKS;
      const ports = Array.from(
        { length: BLOCK_SIZE },
        (_, index) => FIRST_PORT + block * BLOCK_SIZE + index,
      ).filter((port) => !busy.has(port) && !isSameSwapped(port));
      if (ports.length < BLOCK_SIZE / 2) continue;
      const lease = takeLease(FIRST_LEASE + block);
      if (lease !== undefined) return new Ports(lease, ports);
    }
    const all = Array.from({ length: BLOCKS * BLOCK_SIZE }, (_, index) => FIRST_PORT + index);
    return new Ports(
      undefined,
      all.filter((port) => !busy.has(port) && !isSameSwapped(port)).sort(() => Math.random() - 0.5),
    );
  }

  /** Returns a port that is free now. */
  take(): number {
    for (let tried = 0; tried < this.#ports.length; tried++) {
      const port = this.#ports[this.#next++ % this.#ports.length] ?? 0;
      if (isFree(port)) return port;
    }
    throw new Error("Cannot start the program as every port from 20000 to 29999 is in use");
  }

  [Symbol.dispose](): void {
    this.#lease?.close();
  }
}

/** Whether swapping a port's bytes changes nothing, which would hide a missing htons(). */
function isSameSwapped(port: number): boolean {
  return port >> 8 === (port & 0xff);
}

function takeLease(port: number): Deno.DatagramConn | undefined {
  try {
    return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
  } catch {
    return undefined;
  }
}

/** Whether the port is free on 127.0.0.1, over both TCP and UDP. */
export function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}
