import { nothing } from "./argument.ts";
import type { FaultKind } from "./kind.ts";

/** Networks may double a datagram. */
export const twice: FaultKind = {
  name: "twice",
  form: "twice",
  about: "send the datagram twice (UDP)",
  explanation: "It arrives twice: the receiver can't know that it was sent once.",
  argument: nothing,
  only: { protocol: "udp", why: "only datagrams can be lost or doubled: add --udp" },
  disturb: () =>
    async function* (pieces) {
      for await (const piece of pieces) {
        yield piece;
        yield piece;
      }
    },
};
