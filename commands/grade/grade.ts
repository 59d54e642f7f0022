import type { Program, Run } from "../../cli/command.ts";
import { type FlagValues, parseCommandLine } from "../../cli/arguments/flags.ts";
import { readTalk } from "../../cli/arguments/talk_file.ts";
import type { Channels } from "../../cli/output/channels.ts";
import { flags, type GradeOptions } from "./options.ts";
import { readId, readIds } from "../../cli/arguments/ids.ts";
import { suggest } from "../../cli/arguments/suggest.ts";
import { systemWords } from "../../cli/system_words.ts";
import { misuse } from "../../cli/errors/failure.ts";
import { explanation, idsOf, listing } from "./checks/catalogue.ts";
import {
  fileSubject,
  lessonSubject,
  type Protocol,
  type Role,
  roles,
  type Subject,
  subjectNames,
} from "./subjects.ts";
import { grade } from "./run.ts";

/** The command that examines a learner's program. */
export function gradeProgram({ python, ownProgram } = systemWords()): Program {
  return {
    usage: "SUBJECT (-- COMMAND... | TARGET)",
    about: `Examines a program that you wrote yourself, in any language, and
says which rule it breaks, what was observed, why it matters and how to fix it.
SUBJECT is what the program is: hello-server, message-server, calc-server,
echo-server or upper-server, or the client of one of them. For any other
program it is server or client, and --talk FILE is the conversation that it
holds: netdemo help conversations shows what such a file holds.

COMMAND starts the program; it runs many times. {port} in it, and PORT in its
environment, stand for the port that it must use, a new one at each start.
Without {port}, the system's tools find the port that a server listens on.
TARGET is a server that is already running: HOST:PORT.

--class FOLDER grades a whole class: each folder or file in FOLDER is a
submission, and starts in its own folder. {dir} in COMMAND stands for that
folder, {file} for the file, or the only file in the folder. A table follows.
Those that are done are kept in FOLDER; --resume goes on with the others.

Levels: lesson is what the lesson's own programs do; robust is what a program
needs before others can use it; stream is for programs whose requests are lines.

All that the program starts ends with the examination, as far as the system
allows. This is not a sandbox: run other people's programs in a container, and
as another user: --run-as USER.

Exit code: 0 all passed (in a class: all of them), 1 some failed, 124 --max-time has passed, 126 or 127
the program can't be started.`,
    examples: [
      `netdemo grade calc-server -- ${python} server.py "{port}"`,
      `netdemo grade calc-server --level robust -- ${ownProgram} "{port}"`,
      "netdemo grade calc-client --port 4040 -- node client.mjs",
      "netdemo grade message-server localhost:4040",
      `netdemo grade server --talk exercise.talk -- ${ownProgram} "{port}"`,
      `netdemo grade calc-server --class handed-in --html class.html -- ${python} server.py "{port}"`,
      "netdemo grade --explain hangs-up",
    ],
    flags,
    words: [...subjectNames, ...roles],
    parse,
  };
}

/** Reads a command line. @throws {Failure} of kind `USAGE`. */
function parse(args: readonly string[]): Run {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  const command = end === -1 ? undefined : args.slice(end + 1);
  const { flags: values, words, given } = parseCommandLine(own, flags);
  const [name, target, surplus] = words;
  const protocol = values.udp || target?.startsWith("udp://") ? "udp" : "tcp";
  refuseContradictions(values, given);
  const choice: Choice = { name, protocol, lines: values.lines, talk: values.talk };
  const known = choice.talk === undefined ? lessonSubjects(choice) : undefined;
  if (values.list) return async (channels) => show(listing(await chosen(choice)), channels);
  if (values.explain !== undefined) return explaining(values.explain, choice);
  if (name === undefined) {
    throw misuse("grade needs to know what the program is", {
      hint: `name it first: ${allNames}`,
    });
  }
  if (surplus !== undefined) {
    throw misuse(`received '${surplus}' after the target`, {
      hint: `a command goes after --: netdemo grade ${name} -- COMMAND`,
    });
  }
  const optionsFor = (subject: Subject): GradeOptions => ({
    target,
    command,
    ...values,
    subject,
    only: idsFrom(values.only, "--only", subject),
    skip: idsFrom(values.skip, "--skip", subject),
    input: values.input?.replaceAll("\\n", "\n"),
  });
  const [lesson] = known ?? [];
  if (lesson !== undefined) {
    const options = optionsFor(lesson);
    return (channels) => start(options, channels);
  }
  readRole(name);
  return async (channels) => {
    const [subject] = await chosen(choice);
    if (subject === undefined) throw new TypeError(`Cannot examine ${name}`);
    return await start(optionsFor(subject), channels);
  };
}

/** The flags that need --class. */
const classFlags = ["jobs", "csv", "html", "resume"];

/** @throws {Failure} of kind `USAGE` for flags that mean nothing together. */
function refuseContradictions(values: FlagValues<typeof flags>, given: ReadonlySet<string>): void {
  if (values.lines && values.talk !== undefined) {
    throw misuse("--lines is for the lesson's programs: a conversation file shows its line ends", {
      hint: "end each line of the file with \\n, and leave out --lines",
    });
  }
  const ofClass = classFlags.find((flag) => given.has(flag));
  if (values.class === undefined && ofClass !== undefined) {
    throw misuse(`--${ofClass} is for a class: --class FOLDER`);
  }
}

/** Examines one program, or a class; only then is the code for that loaded. */
async function start(options: GradeOptions, channels: Channels): Promise<number> {
  if (options.class === undefined) return await grade(options, channels);
  return await (await import("./class/class.ts")).gradeClass(options, channels);
}

/** Which programs are meant. */
interface Choice {
  /** @default all */
  readonly name: string | undefined;
  /** @default both */
  readonly protocol: Protocol | undefined;
  readonly lines: boolean;
  /** Path of a conversation file. */
  readonly talk: string | undefined;
}

/** The subjects that are meant. */
async function chosen(choice: Choice): Promise<readonly Subject[]> {
  const { name, talk: path, protocol } = choice;
  if (path === undefined) return lessonSubjects(choice);
  const talk = await readTalk(path);
  if (protocol === "udp" && !talk.udp) {
    throw misuse(`the conversation in ${path} is held over TCP`, {
      hint: "leave out --udp; or, if the program uses UDP, write udp in the file's first line",
    });
  }
  return [fileSubject(readRole(name ?? "server"), talk)];
}

function lessonSubjects({ name, protocol, lines }: Choice): readonly Subject[] {
  if (name !== undefined) checkName(name);
  const names = name === undefined ? subjectNames : [name];
  const protocols = protocol === undefined ? ["tcp", "udp"] as const : [protocol];
  return protocols.flatMap((each) => names.flatMap((one) => lessonSubject(one, each, lines) ?? []));
}

function checkName(name: string): void {
  if (subjectNames.includes(name)) return;
  if (roles.some((role) => role === name)) {
    throw misuse(`grade ${name} needs the conversation that the program holds`, {
      hint: `give its file: netdemo grade ${name} --talk FILE -- COMMAND`,
    });
  }
  const hint = name.endsWith(".talk")
    ? `its program is a server or a client: netdemo grade server --talk ${name} -- COMMAND`
    : suggest(name, [...subjectNames, ...roles]) ?? `one of ${allNames}`;
  throw misuse(`'${name}' is not a program of the lesson`, { hint });
}

function readRole(name: string): Role {
  const role = roles.find((role) => role === name);
  if (role !== undefined) return role;
  const hint = "netdemo grade server --talk FILE -- COMMAND";
  throw misuse(`with --talk the program is server or client: received '${name}'`, { hint });
}

const allNames = [...subjectNames, ...roles].join(", ");

/** Explains a check over both protocols. */
function explaining(id: string, choice: Choice): Run {
  return async (channels) => {
    const subjects = await chosen({ ...choice, protocol: undefined });
    return await show(explanation(readId(id, "--explain", idsOf(subjects)), subjects), channels);
  };
}

/** The ids of --only and --skip. */
function idsFrom(
  text: string | undefined,
  flag: string,
  subject: Subject,
): ReadonlySet<string> | undefined {
  if (text === undefined) return undefined;
  // That --lines leaves out a check is told apart from a check that does not exist.
  const plain = lessonSubject(subject.name, subject.protocol) ?? subject;
  return readIds(text, flag, idsOf([subject, plain]));
}

async function show(text: string, { stdout }: Channels): Promise<number> {
  stdout.text(text);
  await stdout.flush();
  return 0;
}
