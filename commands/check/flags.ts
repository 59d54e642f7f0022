import { durationFlag, readName, readNumber } from "../../cli/flags.ts";
import { reportFlags } from "../../cli/reports.ts";
import { readEscaped } from "./custom.ts";
import { readSizes } from "./sizes.ts";

/** The flags of check. */
export const flags = {
  timeout: durationFlag("longest time for each probe, all phases together", {
    least: 1,
    default: 5_000,
  }),
  for: durationFlag("try again, every 250ms, until all targets are as expected, for D at most", {
    least: 1,
    default: undefined,
  }),
  count: {
    value: "N",
    about: "probe N times; print how many were lost, and how long they took",
    read: readNumber(1, 1_000_000),
  },
  every: durationFlag("time from one of them to the next", { least: 0, default: 1_000 }),
  "slower-than": durationFlag("an ok that took longer is slow", { least: 1, default: undefined }),
  sizes: {
    value: "A..B",
    about: "send requests of A to B bytes; find the largest that passes",
    read: readSizes,
  },
  send: {
    value: "TEXT",
    about: "ask this, a line, where a target names no service; {nonce} is a fresh random word",
    read: readEscaped,
  },
  reply: {
    value: "TEXT",
    about: "what the reply must contain, {nonce} included; without --send the server speaks first",
    read: readEscaped,
  },
  targets: {
    value: "FILE",
    about: "read targets from a file, one a line, # begins a comment; - is stdin",
    read: readName,
  },
  strict: {
    about: "every address must be as expected, and a block needs an answer from its host",
  },
  ...reportFlags,
};
