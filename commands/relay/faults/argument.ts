import { parseDuration } from "../../../protocol/duration.ts";

/** The argument of a fault, once it is read. */
export interface Amount {
  /** Milliseconds, bytes, or bytes per second. */
  readonly amount: number;
  /** How far each single amount may differ from it. */
  readonly jitter: number;
}

/** What follows the name of a fault and "=". */
export interface Argument {
  /** What it needs: `a duration`. `undefined` if it takes no argument. */
  readonly wanted?: string;
  /** An argument that it takes. */
  readonly example?: string;
  /** Returns `undefined` if it is not such an argument. */
  read(text: string | undefined): Amount | undefined;
}

/** No argument at all. */
export const nothing: Argument = {
  read: (text) => text === undefined ? { amount: 0, jitter: 0 } : undefined,
};

/** `100ms`, or `100ms+-50ms` for anything between 50 and 150 milliseconds. */
export const duration: Argument = {
  wanted: "a duration, or a duration +- a shorter one",
  example: "100ms or delay=100ms+-50ms",
  read(text = "") {
    const [first = "", second = "0", more] = text.split("+-");
    const [amount = 0, jitter = Infinity] = [parseDuration(first), parseDuration(second)];
    const isRight = amount > 0 && jitter <= amount && more === undefined;
    return isRight ? { amount, jitter } : undefined;
  },
};

/** A number of bytes. */
export function bytes(least: number, example: number): Argument {
  return {
    wanted: `a whole number of bytes from ${least} up`,
    example: String(example),
    read(text = "") {
      const amount = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
      return amount >= least ? { amount, jitter: 0 } : undefined;
    },
  };
}
