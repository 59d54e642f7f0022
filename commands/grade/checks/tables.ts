/** Every check, in the order in which they run, and those that are asked of a program. */
import type { DatagramPeer } from "../../../clients/call/datagram_peer.ts";
import type { EagerPeer } from "../../../sockets/eager_peer.ts";
import type { Check, CheckFacts, For } from "./check.ts";
import { connects, lessonClientChecks, reaches } from "./clients/lesson.ts";
import { streamClientChecks } from "./clients/stream.ts";
import { type ClientCheck, tcpTroubles, udpTroubles } from "./clients/trouble.ts";
import { badRequestChecks, mistakeChecks } from "./servers/bad_requests.ts";
import { calculatorChecks, calculatorMistakes, operationsCheck } from "./servers/calculator.ts";
import { connectionChecks, hangsUp } from "./servers/connections.ts";
import {
  answers,
  conversationChecks,
  listens,
  listensForDatagrams,
  nextClient,
  nextDatagram,
  noNewline,
} from "./servers/lesson.ts";
import { busy, prints, processChecks } from "./servers/process.ts";
import { streamChecks } from "./servers/stream.ts";
import { udpChecks } from "./servers/udp.ts";
import type { ServerUnderTest } from "../servers/server_under_test.ts";
import { type Level, levels, type Subject } from "../subjects.ts";
import type { Driver } from "../../../suite/runner.ts";
import { upToLevel, withNeeds } from "../../../suite/selection.ts";
import { Skipped, type Test, type TestFacts } from "../../../suite/test.ts";

/** Milliseconds that a check may take on top of its timeouts, unless it says otherwise. */
const LIMIT_MS = 10_000;
/** Milliseconds that a closed connection may keep a port. */
const LINGER_MS = 61_000;
/** Most times that a check waits in vain for an answer. */
const WAITS = 4;

/** The checks of a server over TCP. */
export function tcpServerChecks(subject: Subject): readonly Check<ServerUnderTest<EagerPeer>>[] {
  return [
    ...[listens, answers, noNewline, nextClient, operationsCheck, prints],
    ...conversationChecks(subject),
    ...[hangsUp, busy],
    ...mistakeChecks(subject),
    ...calculatorMistakes,
    ...badRequestChecks,
    ...calculatorChecks,
    ...connectionChecks,
    ...processChecks,
    ...streamChecks,
  ];
}

/** The checks of a server over UDP. */
export function udpServerChecks(
  subject: Subject,
): readonly Check<ServerUnderTest<DatagramPeer>>[] {
  return [
    ...[listensForDatagrams, answers, nextDatagram, operationsCheck],
    ...conversationChecks(subject),
    ...mistakeChecks(subject),
    ...calculatorMistakes,
    ...badRequestChecks,
    ...calculatorChecks,
    ...udpChecks,
  ];
}

export const tcpClientChecks: readonly ClientCheck[] = [
  ...[connects, ...lessonClientChecks],
  ...tcpTroubles,
  ...streamClientChecks,
];

export const udpClientChecks: readonly ClientCheck[] = [
  ...[reaches, ...lessonClientChecks],
  ...udpTroubles,
];

/** The checks of a subject. */
export function tableOf(subject: Subject): readonly CheckFacts[] {
  const { role, protocol } = subject;
  if (role === "client") return protocol === "udp" ? udpClientChecks : tcpClientChecks;
  return protocol === "udp" ? udpServerChecks(subject) : tcpServerChecks(subject);
}

/** A check as a test of one subject. */
export type SubjectTest<D> = Test<D> & SubjectFacts;

/** The facts of a check for one subject. */
export interface SubjectFacts extends TestFacts {
  readonly level: Level;
  readonly how: string;
  readonly fix: string;
}

/** The facts of those checks that apply to a subject. */
export function factsFor<C extends CheckFacts>(
  table: readonly C[],
  subject: Subject,
): readonly (Omit<C, "level" | "sentence" | "fix"> & SubjectFacts)[] {
  return table.filter((check) =>
    (subject.isFile && !check.isLessonOnly) || check.lacks?.(subject) === undefined
  )
    .map((check) => ({
      ...check,
      level: valueFor(check.level, subject),
      sentence: valueFor(check.sentence, subject),
      fix: valueFor(check.fix, subject),
    }));
}

/** What is asked of a program. */
export interface Selection {
  readonly subject: Subject;
  readonly level: Level;
  /** Ids of the checks to run; those that they need run, too. @default all */
  readonly only?: ReadonlySet<string> | undefined;
  /** Ids of checks not to run. @default none */
  readonly skip?: ReadonlySet<string> | undefined;
  /** Milliseconds to wait for each answer. */
  readonly timeout: number;
}

/**
 * Returns the checks of a table that are asked of a program, as tests of it. Those for which its
 * conversation gives no ground are skipped, and say why.
 *
 * @param keepsPort Whether it is started on the same port again and again.
 */
export function chosenTests<D extends Driver>(
  table: readonly Check<D>[],
  { subject, level, only, skip, timeout }: Selection,
  keepsPort: boolean,
): SubjectTest<D>[] {
  const tests = factsFor(table, subject).map((check): SubjectTest<D> => {
    const wait = keepsPort ? LINGER_MS : 0;
    const milliseconds = (check.limit ?? LIMIT_MS) + WAITS * timeout + wait;
    const evidence = { saw: `the check was still running after ${milliseconds / 1_000} s` };
    const lack = check.lacks?.(subject);
    const run = lack === undefined ? check.run : () => Promise.reject(new Skipped(lack));
    return { ...check, limit: { milliseconds, evidence }, run };
  });
  const chosen = withNeeds(upToLevel(tests, level, levels), only)
    .filter(({ id }) => !skip?.has(id));
  if (!keepsPort) return chosen;
  // A program without SO_REUSEADDR can't have its port again for a minute after this one.
  const isLast = ({ id }: SubjectTest<D>): boolean => id === "restart";
  return [...chosen.filter((test) => !isLast(test)), ...chosen.filter(isLast)];
}

function valueFor<T extends string>(value: For<T>, subject: Subject): T {
  return typeof value === "string" ? value : value(subject);
}
