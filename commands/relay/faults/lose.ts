import { nothing } from "./argument.ts";
import type { FaultKind } from "./kind.ts";

/** UDP promises nothing. */
export const lose: FaultKind = {
  name: "lose",
  form: "lose",
  about: "lose the datagram (UDP)",
  explanation: "It was lost on the way, and neither end is notified.",
  argument: nothing,
  only: { protocol: "udp", why: "only datagrams can be lost or doubled: add --udp" },
  loses: true,
};
