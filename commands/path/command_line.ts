import { Failure, misuse } from "../../cli/errors/failure.ts";
import {
  durationFlag,
  type FlagValues,
  parseCommandLine,
  readName,
  readNumber,
} from "../../cli/arguments/flags.ts";
import { reportFlags } from "../../cli/reports/open_report.ts";
import { readIds } from "../../cli/arguments/ids.ts";
import { type InternetTarget, parseTarget } from "../../cli/arguments/target.ts";
import type { Choice } from "./fixture.ts";
import { questionsOver } from "./questions.ts";

/** Milliseconds of the longest wait for anything expected. */
const TIMEOUT_MS = 5_000;

/** MiB that the question `bulk` sends each way; random bytes, held in memory. */
export const BULK_MIB = 4;
const MAX_BULK_MIB = 256;

const USAGE_HINT = "for a forwarder that listens at 8080 and forwards to 4040: " +
  "netdemo path --listen 4040 localhost:8080";

/** Where something listens: a host name or an address, and a port. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

export const flags = {
  listen: {
    value: "[HOST:]PORT",
    about: "where the forwarder forwards to; HOST defaults to localhost",
    read: readListen,
  },
  udp: { about: "ask about datagrams; the same as udp:// before TARGET" },
  only: { value: "ID,...", about: "ask only these questions", read: readName },
  allow: {
    value: "ID,...",
    about: "accept these known failures: show them, but don't count them",
    read: readName,
  },
  for: durationFlag("longest wait for the forwarder to come up", undefined),
  idle: durationFlag("also ask about a connection without traffic for D", undefined),
  bulk: {
    value: "MIB",
    about: `how much the question bulk sends each way (default ${BULK_MIB})`,
    read: readNumber(1, MAX_BULK_MIB),
  },
  timeout: durationFlag("longest wait for anything expected", TIMEOUT_MS),
  explain: {
    about: "explain what each answer means for an application; alone, list all questions",
  },
  ...reportFlags,
};

type Values = FlagValues<typeof flags>;

/** Where the server and the forwarder listen. */
export interface Ends {
  readonly listen: Place;
  readonly target: InternetTarget;
}

/** What the command line asks for. */
export interface PathOptions {
  readonly flags: Values;
  readonly protocol: "tcp" | "udp";
  readonly choice: Choice;
  /** `undefined` to only explain the questions. */
  readonly ends: Ends | undefined;
}

/** Reads a command line. @throws {Failure} of kind `USAGE`. */
export function readCommandLine(args: readonly string[]): PathOptions {
  const { flags: values, words } = parseCommandLine(args, flags);
  const [word, surplus] = words;
  if (surplus !== undefined) throw wrong(`path takes one TARGET: received '${surplus}' as well`);
  const explained = questionsOver(values.udp ? "udp" : "tcp").find(({ id }) => id === word);
  if (values.explain && explained !== undefined) {
    const hint = `for one question: netdemo path --explain --only ${explained.id}`;
    throw wrong(`--explain takes no value: received '${explained.id}'`, hint);
  }
  const onlyExplains = values.explain && word === undefined && values.listen === undefined;
  const ends = onlyExplains ? undefined : readEnds(word, values.listen);
  if (values.udp && word !== undefined && /^tcp:/i.test(word)) {
    throw wrong(`--udp makes no sense with ${word}`, "leave one of them out");
  }
  const protocol = values.udp ? "udp" : ends?.target.protocol ?? "tcp";
  const choice = readChoice(values, protocol, onlyExplains);
  return { flags: values, protocol, ends, choice };
}

function readEnds(word: string | undefined, listen: Place | undefined): Ends {
  if (word === undefined) throw wrong("path needs a TARGET: where the forwarder listens");
  if (listen === undefined) {
    throw wrong("path needs --listen [HOST:]PORT: where the forwarder forwards to");
  }
  return { listen, target: readTarget(word) };
}

function readTarget(word: string): InternetTarget {
  const target = parseTarget(word);
  if (target.protocol !== "unix") return target;
  throw wrong(`path asks about TCP and UDP, not about Unix sockets: '${word}'`);
}

/** `4040`, `0.0.0.0:4040`, `[::1]:4040`, `web:4040`. */
function readListen(text: string, flag: string): Place {
  if (/^\d*$/.test(text)) return { host: "localhost", port: readNumber(1, 65_535)(text, flag) };
  const refusal = `${flag} takes [HOST:]PORT: received '${text}'`;
  if (/^\w+:\/\/|^unix:/i.test(text)) {
    throw wrong(refusal, "leave out what precedes the host; for UDP add --udp");
  }
  try {
    const { host, port } = readTarget(text);
    return { host, port };
  } catch (error) {
    throw error instanceof Failure ? wrong(refusal, error.hint) : error;
  }
}

/** The ids of `--only` and `--allow`. @throws {Failure} of kind `USAGE` */
function readChoice(values: Values, protocol: "tcp" | "udp", onlyExplains: boolean): Choice {
  const known = questionsOver(protocol).map(({ id }) => id);
  const ids = { known, what: `questions over ${protocol}` };
  const only = values.only === undefined ? undefined : readIds(values.only, "--only", ids);
  for (const flag of ["idle", "bulk"] as const) {
    if (values[flag] === undefined || protocol === "tcp") continue;
    const instead = flag === "idle"
      ? "the question 'late' is about a late reply"
      : "the questions 'size-...' are about large datagrams";
    throw wrong(
      `--${flag} makes no sense with UDP: there is no connection`,
      `leave it out; ${instead}`,
    );
  }
  if (only?.has("idle") && values.idle === undefined && !onlyExplains) {
    throw wrong("the question 'idle' needs a time", "add it, for example --idle 2m");
  }
  const allow = values.allow === undefined ? undefined : readIds(values.allow, "--allow", ids);
  return { only, allow };
}

function wrong(message: string, hint = USAGE_HINT): Failure {
  return misuse(message, { hint });
}
