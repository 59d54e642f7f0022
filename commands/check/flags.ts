import { durationFlag, readName, readNumber } from "../../cli/arguments/flags.ts";
import { reportFlags } from "../../cli/reports/report_flags.ts";
import { readEscaped } from "./custom.ts";
import { readSizes } from "./sizes.ts";

/** The flags of check. */
export const flags = {
  timeout: durationFlag("time limit for each probe, all phases together", {
    least: 1,
    default: 5_000,
  }),
  for: durationFlag("retry every 250ms until all targets are as expected, for at most D", {
    least: 1,
    default: undefined,
  }),
  count: {
    value: "N",
    about: "probe N times; print the loss and the latencies",
    read: readNumber(1, 1_000_000),
  },
  every: durationFlag("interval between the probes of --count", { least: 0, default: 1_000 }),
  "slower-than": durationFlag("report an ok that took longer as slow", {
    least: 1,
    default: undefined,
  }),
  sizes: {
    value: "A..B",
    about: "send requests of A to B bytes; find the largest that passes",
    read: readSizes,
  },
  send: {
    value: "TEXT",
    about: "line to send to targets that name no service; {nonce} is a fresh random word",
    read: readEscaped,
  },
  reply: {
    value: "TEXT",
    about:
      "text that the reply must contain, {nonce} included; without --send the server speaks first",
    read: readEscaped,
  },
  targets: {
    value: "FILE",
    about: "read targets from a file, one per line, # starts a comment; - is stdin",
    read: readName,
  },
  strict: {
    about: "require every address to be as expected, and an answer from each blocked host",
  },
  ...reportFlags,
};
