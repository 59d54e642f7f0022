import type { Program, Run } from "../../cli/command.ts";
import { durationFlag, parseCommandLine, readName, readNumber } from "../../cli/arguments/flags.ts";
import { reportFlags } from "../../cli/reports/open_report.ts";
import { readId, readIds } from "../../cli/arguments/ids.ts";
import { suggest } from "../../cli/arguments/suggest.ts";
import { Failure } from "../../cli/errors/failure.ts";
import { explanation, idsOf, listing } from "./catalogue.ts";
import { type Level, levels, type Subject, subjects } from "./subjects.ts";
import { grade } from "./run.ts";

const DEFAULT_TIMEOUT_MS = 2_000;
const DEFAULT_MAX_TIME_MS = 60_000;

const flags = {
  level: {
    value: "LEVEL",
    about: "how strict to be: lesson, robust, stream",
    default: "lesson" as const,
    read: readLevel,
  },
  udp: { short: "u", about: "the program uses UDP" },
  lines: { about: "both sides use line ends; skips the check no-newline" },
  only: {
    value: "ID,...",
    about: "only these checks, and those they need",
    read: readName,
  },
  list: { about: "list the checks and start nothing" },
  explain: {
    value: "ID",
    about: "explain a check: how it works, why, how to fix it",
    read: readName,
  },
  port: {
    short: "p",
    value: "N",
    about: "the fixed port that the program uses",
    read: readNumber(1, 65_535),
  },
  input: { value: "TEXT", about: "what a client gets on stdin; \\n ends a line", read: readName },
  timeout: durationFlag("longest wait for each answer", {
    least: 1,
    default: DEFAULT_TIMEOUT_MS,
  }),
  "max-time": durationFlag("longest time for everything", {
    least: 1,
    default: DEFAULT_MAX_TIME_MS,
  }),
  seed: {
    value: "N",
    about: "repeat the questions of an earlier run",
    read: readNumber(0, 2 ** 31 - 1),
  },
  ...reportFlags,
  gradescope: {
    value: "PATH",
    about: "write results.json for Gradescope to this file, too",
    read: readName,
  },
  "i-may-break-it": { about: "allow robust and stream for a server on another host" },
};

/** The command that examines a learner's program. */
export const program: Program = {
  usage: "SUBJECT (-- COMMAND... | TARGET)",
  about: `Examines a program of the lesson that you wrote yourself, in any language, and
says which rule it breaks, what was observed, why it matters and how to fix it.
SUBJECT is what the program is: hello-server, message-server, calc-server,
hello-client, message-client or calc-client.

COMMAND starts the program; it runs many times. {port} in it, and PORT in its
environment, stand for the port that it must use, a new one at each start.
Without {port}, the system's tools find the port that a server listens on.
TARGET is a server that is already running: HOST:PORT.

Levels: lesson is what the lesson's own programs do; robust is what a program
needs before others can use it; stream is for programs whose requests are lines.

The program's whole process group ends with the examination; on Linux, so do
processes that have left the group. This is not a sandbox: run other people's
programs in a container.

Exit code: 0 all passed, 1 some failed, 124 --max-time has passed, 126 or 127
the program can't be started.`,
  examples: [
    "netdemo grade calc-server -- python3 server.py {port}",
    "netdemo grade calc-server --level robust -- ./server {port}",
    "netdemo grade calc-client --port 4040 -- node client.mjs",
    "netdemo grade message-server localhost:4040",
    "netdemo grade --explain hangs-up",
  ],
  flags,
  words: [...subjects.keys()],
  parse(args) {
    const end = args.indexOf("--");
    const own = end === -1 ? args : args.slice(0, end);
    const command = end === -1 ? undefined : args.slice(end + 1);
    const { flags: values, words } = parseCommandLine(own, flags);
    const [name, target, surplus] = words;
    const subject = name === undefined ? undefined : readSubject(name);
    const chosen = subject === undefined ? [...subjects.values()] : [subject];
    if (values.list) return showing(listing(chosen, values.udp ? "udp" : "tcp"));
    if (values.explain !== undefined) {
      const id = readId(values.explain, "--explain", { known: idsOf(chosen), what: "checks" });
      return showing(explanation(id, chosen));
    }
    if (subject === undefined) {
      throw usage("grade needs to know what the program is", `name it first: ${subjectNames()}`);
    }
    if (surplus !== undefined) {
      const line = `netdemo grade ${name} -- ${words.slice(1).join(" ")}`;
      throw usage(`received '${surplus}' after the target`, `a command goes after --: ${line}`);
    }
    const options = {
      subject,
      subjectName: name ?? "",
      target,
      command,
      ...values,
      only: onlyOf(values.only, subject, values.udp),
      maxTime: values["max-time"],
      mayBreak: values["i-may-break-it"],
      input: values.input?.replaceAll("\\n", "\n"),
    };
    return (channels) => grade(options, channels);
  },
};

function readLevel(text: string, flag: string): Level {
  const level = levels.find((level) => level === text);
  if (level !== undefined) return level;
  throw new Failure("USAGE", `${flag} must be ${levels.join(", ")}: received '${text}'`, {
    hint: suggest(text, levels),
  });
}

function readSubject(name: string): Subject {
  const subject = subjects.get(name);
  if (subject !== undefined) return subject;
  const hint = suggest(name, [...subjects.keys()]) ?? `one of ${subjectNames()}`;
  throw new Failure("USAGE", `'${name}' is not a program of the lesson`, { hint });
}

function subjectNames(): string {
  return [...subjects.keys()].join(", ");
}

/** The ids of --only. */
function onlyOf(
  text: string | undefined,
  subject: Subject,
  udp: boolean,
): ReadonlySet<string> | undefined {
  if (text === undefined) return undefined;
  const known = idsOf([subject], [udp ? "udp" : "tcp"]);
  return readIds(text, "--only", { known, what: "checks" });
}

function usage(message: string, hint: string): Failure {
  return new Failure("USAGE", message, { hint });
}

function showing(text: string): Run {
  return async ({ stdout }) => {
    stdout.text(text);
    await stdout.flush();
    return 0;
  };
}
