import { seededRandom, seedOf } from "../../../protocol/random.ts";
import type { Fault } from "./fault.ts";
import { faultTable } from "./table.ts";

/**
 * Faults, and the seed of all that is drawn for them. What is drawn depends on the fault's own text
 * and on the connection's number alone: other faults, and what else is drawn, change nothing.
 */
export interface Draws {
  /** Returns the faults that strike a connection or a datagram, in the order in which data passes them. */
  strike(number: number, stream?: Stream): readonly Fault[];
  /** Returns the random numbers of a fault in one direction of a connection. */
  random(fault: Fault, number: number, stream: string): () => number;
}

/** Datagrams of both directions are drawn apart, since the order between the two varies. */
interface Stream {
  readonly name: string;
  /** Number of the datagram in its direction. */
  readonly number: number;
}

/** Draws from these faults. */
export function drawFrom(faults: readonly Fault[], seed: number): Draws {
  const names = namesOf(faults);
  const inOrder = faults.toSorted((one, other) => orderOf(one) - orderOf(other));
  const draw = (fault: Fault, ...words: readonly (string | number)[]) =>
    seededRandom(seedOf([seed, names.get(fault), ...words].join(" ")));
  return {
    strike: (number, stream = { name: "", number }) =>
      inOrder.filter((fault) =>
        number >= fault.first && number <= fault.last &&
        (fault.percent === 100 ||
          draw(fault, stream.name, stream.number)() * 100 < fault.percent)
      ),
    random: (fault, number, stream) => draw(fault, "each", stream, number),
  };
}

/** The text of each fault; one that is given twice has two names, to be drawn independently. */
function namesOf(faults: readonly Fault[]): ReadonlyMap<Fault, string> {
  return new Map(faults.map((fault, index) => {
    const before = faults.slice(0, index).filter(({ text }) => text === fault.text).length;
    return [fault, before === 0 ? fault.text : `${fault.text} ${before}`];
  }));
}

function orderOf({ kind }: Fault): number {
  return faultTable.indexOf(kind);
}

/** A random seed. */
export function freshSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000;
}
