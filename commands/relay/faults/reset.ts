import { bytes } from "./argument.ts";
import type { FaultKind } from "./kind.ts";

/** The other end crashes, or a firewall cuts in. */
export const reset: FaultKind = {
  name: "reset",
  form: "reset=N",
  about: "reset both sides after N bytes",
  explanation: "The relay reset the connection at both ends.",
  crossing: "reset",
  argument: bytes(0, 20),
  only: { protocol: "tcp", why: "UDP has no connection to end" },
  cutsOff: (connection) => connection.reset(),
};
