import { nothing } from "./argument.ts";
import type { FaultKind } from "./kind.ts";

/** What arrives may be anything. */
export const garbage: FaultKind = {
  name: "garbage",
  form: "garbage",
  about: "change the first byte of each piece to one that never occurs in UTF-8",
  explanation: "Its first byte was altered on the way, so it is no longer UTF-8 text.",
  argument: nothing,
  disturb: () =>
    async function* (pieces) {
      for await (const { bytes, at } of pieces) yield { bytes: altered(bytes), at };
    },
};

function altered(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[0] = copy[0] === 0xff ? 0xfe : 0xff;
  return copy;
}
