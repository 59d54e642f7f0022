import { duration } from "./argument.ts";
import type { FaultKind } from "./kind.ts";

/** Slow networks, and with a jitter uneven ones: datagrams may then overtake each other. */
export const delay: FaultKind = {
  name: "delay",
  form: "delay=D[+-D]",
  about: "hold back each piece, and the end, for D; 100ms+-50ms means 50 to 150ms",
  explanation: "It was held back on the way.",
  argument: duration,
  holds: true,
  disturb: ({ amount, jitter }, { pauseUntil }) =>
    async function* (pieces, random) {
      for await (const piece of pieces) {
        await pauseUntil(piece.at + amount + (2 * random() - 1) * jitter);
        yield piece;
      }
    },
};
