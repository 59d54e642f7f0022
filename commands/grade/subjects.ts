/** What can be examined: the lesson's programs, and any that speaks a conversation file. */
import { builtInTalk } from "../../talk/built_in.ts";
import { parseTalk } from "../../talk/parse.ts";
import type { Talk } from "../../talk/talk.ts";
import { onlySample, sampleOf, withLineEnds } from "./conversations.ts";

/** How strict a run is. Each level includes the ones before it. */
export type Level = "lesson" | "robust" | "stream";

/** Every level, the easiest first. */
export const levels: readonly Level[] = ["lesson", "robust", "stream"];

export type Protocol = "tcp" | "udp";
export type Role = "server" | "client";

export const roles: readonly Role[] = ["server", "client"];

/** What is examined. */
export interface Subject {
  /** As on the command line: `calc-server`. */
  readonly name: string;
  readonly role: Role;
  readonly protocol: Protocol;
  /** What it speaks. */
  readonly talk: Talk;
  /** The same with requests that are lines. A file shows where they are; the lesson adds line ends. */
  readonly lines: Talk;
  /** Values of the first exchange, by their names: the lesson's own. */
  readonly sample: Readonly<Record<string, string>>;
  /** What its first check claims: `answers "10 20 +"`. */
  readonly answers: string;
  /** From which level on it must serve one client after another. */
  readonly several: Level;
  /** Whether it calculates as the lesson does: it then has checks of its own. */
  readonly calculates: boolean;
  /** What a server prints for each client, if it should. */
  readonly prints: "clients" | "requests" | undefined;
  /** Whether it is described by a file, and not by the lesson. */
  readonly isFile: boolean;
}

/** A program of the lesson: what it says, and what is special about it. */
interface LessonProgram extends Partial<Omit<Subject, "talk">> {
  readonly tcp: Talk;
  /** @default the same as over TCP */
  readonly udp?: Talk;
  /** What a client hears: something that it can't work out. @default the same */
  readonly client?: Talk;
  readonly answers: string;
}

/** The names and the operators of the lesson's calculator. */
export const operations: readonly (readonly [name: string, operator: string])[] = [
  ["Sum", "+"],
  ["Diff", "-"],
  ["Product", "*"],
  ["Div", "/"],
];

/** A conversation about an operation. @param operands As a file shows them: `{a 1..9} {b}`. */
export function operationTalk([name, operator]: readonly string[], operands: string): string {
  return `== ${name}\n> ${operands} ${operator}\n< ${name} of {a} and {b} is {a ${operator} b}\n`;
}

const lesson: Readonly<Record<string, LessonProgram>> = {
  hello: {
    tcp: builtInTalk("hello"),
    udp: builtInTalk("hello-udp"),
    answers: 'answers "Hello" with "Hello"',
    prints: "clients",
  },
  message: {
    tcp: builtInTalk("message"),
    client: parseTalk("> {message}\n< Thanks... {nonce}\n"),
    answers: "thanks for a message",
    sample: { word: "HBD" },
    prints: "requests",
  },
  calc: {
    // The checks of a calculator ask for more than the other conversations of the file.
    tcp: onlySample(builtInTalk("calc")),
    client: builtInTalk("calc"),
    answers: 'answers "10 20 +"',
    sample: { a: "10", b: "20" },
    several: "lesson",
    calculates: true,
  },
  echo: { tcp: builtInTalk("echo"), answers: "sends back what it gets" },
  upper: { tcp: builtInTalk("upper"), answers: "sends back what it gets, in capitals" },
};

/** What holds of a program unless it is special. */
const usual = { sample: {}, several: "robust", calculates: false, prints: undefined } as const;

/** The names of the lesson's programs: `calc-server`. */
export const subjectNames: readonly string[] = roles.flatMap((role) =>
  Object.keys(lesson).map((service) => `${service}-${role}`)
);

/**
 * A program of the lesson.
 *
 * @param lines Whether both sides end each message with a line end.
 * @returns `undefined` if there is none of that name.
 */
export function lessonSubject(
  name: string,
  protocol: Protocol,
  lines = false,
): Subject | undefined {
  const [, service = "", role] = /^(\w+)-(server|client)$/.exec(name) ?? [];
  const program = lesson[service];
  if (program === undefined || (role !== "server" && role !== "client")) return undefined;
  const { tcp, udp = tcp, client } = program;
  const said = (role === "client" ? client : undefined) ?? (protocol === "udp" ? udp : tcp);
  const talk = { ...said, udp: protocol === "udp" };
  const withLines = withLineEnds(talk);
  return {
    ...usual,
    ...program,
    ...{ name, role, protocol, lines: withLines, talk: lines ? withLines : talk, isFile: false },
  };
}

/** A program that speaks what a conversation file shows. */
export function fileSubject(name: Role, talk: Talk): Subject {
  const { title } = sampleOf(talk);
  return {
    ...usual,
    ...{ name, role: name, talk, lines: talk, protocol: talk.udp ? "udp" : "tcp", isFile: true },
    answers: title === "" ? "says what the file shows" : title,
  };
}
