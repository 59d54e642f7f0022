import { bytes } from "./argument.ts";
import type { FaultKind } from "./kind.ts";

/** The other end leaves in the middle. */
export const close: FaultKind = {
  name: "close",
  form: "close=N",
  about: "end both sides after N bytes; 0 means at once",
  explanation: "The relay ended the connection at both ends.",
  crossing: "end of stream",
  argument: bytes(0, 20),
  only: { protocol: "tcp", why: "UDP has no connection to end" },
  cutsOff: (connection) => connection.end(),
};
