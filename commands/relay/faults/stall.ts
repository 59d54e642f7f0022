import { bytes } from "./argument.ts";
import type { FaultKind } from "./kind.ts";

/** The cable is pulled: nobody is notified. */
export const stall: FaultKind = {
  name: "stall",
  form: "stall=N",
  about: "pass nothing more on after N bytes, not even the end: both sides wait",
  explanation: "From here on nothing gets through, and neither end is notified.",
  crossing: "nothing more",
  argument: bytes(0, 20),
  cutsOff: (connection) => connection.stall(),
};
