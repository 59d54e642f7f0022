import { bytes } from "./argument.ts";
import { type FaultKind, partsOf } from "./kind.ts";

/** How often a throttled direction sends per second, if its rate allows. */
const TICKS = 20;

/** A narrow line. */
export const throttle: FaultKind = {
  name: "throttle",
  form: "throttle=N",
  about: "pass on N bytes per second, both directions together",
  explanation: "It was passed on slowly, at a limited rate.",
  argument: bytes(1, 1_000),
  holds: true,
  disturb({ amount: rate }, { isDatagram, pauseUntil }) {
    let nextAt = 0; // both directions take turns
    return async function* (pieces) {
      for await (const piece of pieces) {
        const size = isDatagram ? Infinity : Math.ceil(rate / TICKS);
        for (const part of partsOf(piece, size)) {
          const turn = Math.max(performance.now(), nextAt);
          nextAt = turn + part.bytes.length / rate * 1_000;
          await pauseUntil(turn);
          yield part;
        }
      }
    };
  },
};
