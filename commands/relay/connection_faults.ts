import { delay } from "@std/async/delay";
import type { Side } from "../../ladder/rung.ts";
import type { WireFault } from "../../ladder/wire.ts";
import type { Draws } from "./faults/draw.ts";
import type { Fault } from "./faults/fault.ts";
import type { Disturb, Transit } from "./faults/kind.ts";
import { FaultyDirection } from "./faulty_direction.ts";

/** The faults that strike one connection, and the bytes that they count. */
export class ConnectionFaults {
  /** The faults that each piece suffers. */
  readonly each: readonly WireFault[];
  readonly #id: number;
  readonly #draws: Draws;
  readonly #disturbs: readonly (readonly [Fault, Disturb])[];
  /** The fault that cuts off the connection, once this many bytes have come from both sides. */
  readonly #cutoff: Fault | undefined;
  readonly #stopped = new AbortController();
  #counted = 0;

  constructor(faults: readonly Fault[], id: number, draws: Draws) {
    this.#id = id;
    this.#draws = draws;
    const lasting = faults.filter(({ kind }) => kind.cutsOff === undefined);
    this.each = [...new Set(lasting.map(({ kind }) => kind))];
    this.#disturbs = disturbsOf(lasting, transitFor(this.#stopped.signal, false));
    [this.#cutoff] = faults.filter(({ kind }) => kind.cutsOff !== undefined)
      .sort((one, other) => one.amount - other.amount);
  }

  /** The fault that cuts off the connection before any data, if one does. */
  get first(): Fault | undefined {
    return this.#cutoff?.amount === 0 ? this.#cutoff : undefined;
  }

  /** Counts arriving bytes; returns how many of them may pass, and the cutoff that follows, if any. */
  count(bytes: number): { readonly passing: number; readonly cutoff: Fault | undefined } {
    const room = (this.#cutoff?.amount ?? Infinity) - this.#counted;
    this.#counted += bytes;
    if (bytes < room) return { passing: bytes, cutoff: undefined };
    return { passing: Math.max(0, room), cutoff: this.#cutoff };
  }

  /** Starts one direction. */
  direction(from: Side, write: (bytes: Uint8Array) => Promise<void>): FaultyDirection {
    const faults = this.#disturbs.map(([fault, disturb]) => {
      const random = this.#draws.random(fault, this.#id, from);
      return (pieces: Parameters<Disturb>[0]) => disturb(pieces, random);
    });
    return new FaultyDirection({ faults, write, signal: this.#stopped.signal });
  }

  /** Drops what still waits. */
  stop(): void {
    this.#stopped.abort();
  }
}

/** Starts each fault that disturbs data. */
export function disturbsOf(
  faults: readonly Fault[],
  transit: Transit,
): (readonly [Fault, Disturb])[] {
  return faults.flatMap((fault) => {
    const disturb = fault.kind.disturb?.(fault, transit);
    return disturb === undefined ? [] : [[fault, disturb] as const];
  });
}

/** What faults know of a connection whose data is dropped once the signal aborts. */
export function transitFor(signal: AbortSignal, isDatagram: boolean): Transit {
  return {
    isDatagram,
    async pauseUntil(time) {
      const wait = time - performance.now();
      if (wait > 0) await delay(wait, { signal }).catch(() => {});
    },
  };
}
