import { nothing } from "./argument.ts";
import { type FaultKind, partsOf } from "./kind.ts";

/** Pieces up to this size are split with a pause after each byte, so that each is a segment. */
const PACED_BYTES = 1_024;
const PAUSE_MS = 1;

/** Streams have no messages: a program must collect the parts itself. */
export const split: FaultKind = {
  name: "split",
  form: "split",
  about: "pass each piece on byte by byte; over UDP, each byte as a datagram",
  explanation:
    "It was passed on byte by byte: a program that expects all of it from one recv() gets a part.",
  argument: nothing,
  disturb: (_, { isDatagram, pauseUntil }) =>
    async function* (pieces) {
      for await (const piece of pieces) {
        const isPaced = !isDatagram && piece.bytes.length <= PACED_BYTES;
        for (const part of partsOf(piece, 1)) {
          yield part;
          if (isPaced) await pauseUntil(performance.now() + PAUSE_MS);
        }
      }
    },
};
