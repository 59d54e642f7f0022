import type { Fault } from "./fault.ts";

/** Draws which faults strike the next connection or datagram. */
export type Draw = () => readonly Fault[];

/**
 * Draws faults for connections or datagrams in their order; the same seed gives the same draws.
 *
 * Each fault has its own sequence, so that another on the command line does not change where the
 * others strike. So does each direction of datagrams, whose relative order varies.
 *
 * @param stream Distinguishes sequences of the same seed, such as the two directions.
 */
export function drawFrom(faults: readonly Fault[], seed: number, stream = 0): Draw {
  const dice = faults.map((fault, index) => ({
    fault,
    random: randomFrom(seed + index * 7_919 + stream * 104_729),
  }));
  return () =>
    dice.filter(({ fault, random }) => random() * 100 < fault.percent).map(({ fault }) => fault);
}

/** A random seed. */
export function freshSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000;
}

/** Numbers from 0 to below 1: mulberry32, which is short and uniform enough for percentages. */
function randomFrom(seed: number): () => number {
  let state = Math.imul(seed | 0, 0x9e37_79b1) >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
