/** Examines a program. What is reported of it is up to the caller. */
import { asFailure, Failure, misuse } from "../../cli/errors/failure.ts";
import { type SystemWords, systemWords } from "../../cli/system_words.ts";
import { seededRandom } from "../../protocol/random.ts";
import { shellWord } from "../../text/shell.ts";
import type { Outcome } from "../../suite/outcome.ts";
import { type Driver, run } from "../../suite/runner.ts";
import { isReported } from "../../suite/selection.ts";
import type { TestFacts } from "../../suite/test.ts";
import {
  chosenTests,
  type Selection,
  type SubjectTest,
  tcpClientChecks,
  tcpServerChecks,
  udpClientChecks,
  udpServerChecks,
} from "./checks/tables.ts";
import { ClientUnderTest } from "./clients/client_under_test.ts";
import type { locate } from "./locate.ts";
import type { GradeOptions } from "./options.ts";
import { CannotStart } from "./program/child.ts";
import { type Container, type Containment, openContainer } from "./program/containment.ts";
import { Ports } from "./program/ports.ts";
import { type Place, Program, type ProgramOptions } from "./program/program.ts";
import { isExecutable, isMachineBusy } from "./program/system.ts";
import { TcpClients } from "./servers/playing_tcp_clients.ts";
import { UdpClients } from "./servers/playing_udp_clients.ts";
import { type ServerSettings, ServerUnderTest } from "./servers/server_under_test.ts";

/** Exit codes for programs that can't be started, as in shells. */
const EXIT_NOT_EXECUTABLE = 126;
const EXIT_NOT_FOUND = 127;

/** How an examination is carried out. */
interface ExamineOptions {
  readonly seed: number;
  /** Where the program is running, if it is. */
  readonly target?: Awaited<ReturnType<typeof locate>>;
  /** Where it is started. @default {netdemo's working folder} */
  readonly place?: Place | undefined;
  /** Marks the environment of all that it starts. @default a random one */
  readonly mark?: string | undefined;
  /** Interrupts the examination. */
  readonly stop: AbortSignal;
  /** Called before the first check, with all that will run. */
  begin?(tests: readonly TestFacts[]): void;
  /** Called with each outcome to report, as soon as it is known. */
  take?(outcome: Outcome): void;
  /** Called if a closed connection must leave the program's port before it can start. */
  onWait?(port: number): void;
}

/** Why an examination ended before all checks had run. */
export type Cut = "signal" | "time";

/** What an examination found. */
export interface Examination {
  /** What is reported; checks that did not run are not judged. */
  readonly outcomes: readonly Outcome[];
  readonly cut: Cut | undefined;
  /** Why no more of it could be examined. */
  readonly failure: Failure | undefined;
  /** How the program was contained, if it was started. */
  readonly containment: Containment | undefined;
  /** What it did to the machine that it must not do: `left processes running`. */
  readonly offences: readonly string[];
  readonly elapsedMs: number;
}

/** Examines a program. When this returns, all that it started has ended. @throws {Failure} */
export async function examine(options: GradeOptions, how: ExamineOptions): Promise<Examination> {
  const { seed, target, place, mark, onWait } = how;
  using ports = await Ports.reserve();
  await using stack = new AsyncDisposableStack();
  const container = await containerFor(options, how);
  if (container !== undefined) stack.defer(() => container.remove());
  const offences = new Set<string>();
  const prepared = stack.use(prepare({
    ...{ ...options, random: seededRandom(seed), ports, container, place, mark, target, onWait },
    fixedPort: options.port,
    onOffence: (offence) => offences.add(offence),
  }));
  refuseUnreached(options, prepared.tests);
  how.begin?.(prepared.tests);
  const timeLimit = new AbortController();
  const timer = setTimeout(() => timeLimit.abort(), options["max-time"]);
  const startedAt = performance.now();
  const outcomes: Outcome[] = [];
  let failure: Failure | undefined;
  const take = (outcome: Outcome): void => {
    if (!isReported(outcome, options.only)) return;
    outcomes.push(outcome);
    if (failure === undefined) how.take?.(outcome);
  };
  const done = new Set<string>();
  try {
    const signal = AbortSignal.any([timeLimit.signal, how.stop]);
    for await (const outcome of prepared.outcomes(signal)) {
      done.add(outcome.test.id);
      take(outcome);
    }
  } catch (error) {
    failure = error instanceof CannotStart ? cannotStart(error, options) : asFailure(error);
  } finally {
    clearTimeout(timer);
  }
  // What is left of the program ends before the marks are written for the last time.
  await stack.disposeAsync();
  const cut = how.stop.aborted ? "signal" : timeLimit.signal.aborted ? "time" : undefined;
  const why = failure?.message ?? (cut && whyCut(cut, options));
  const left = why === undefined ? [] : prepared.tests.filter(({ id }) => !done.has(id));
  for (const test of left) {
    take({ test, status: "not-judged", detail: `not judged: ${why}`, elapsedMs: 0 });
  }
  const elapsedMs = Math.round((performance.now() - startedAt) * 10) / 10;
  const containment = container?.kind;
  return { outcomes, cut, failure, containment, offences: [...offences], elapsedMs };
}

/** What is tested and how. */
export interface TestSettings extends Selection, ServerSettings, ProgramOptions {}

/** Tests that are ready to run. */
interface Prepared extends AsyncDisposable {
  /** The tests that will run. */
  readonly tests: readonly SubjectTest<never>[];
  /** Runs them. */
  outcomes(signal: AbortSignal): AsyncGenerator<Outcome>;
}

/** Chooses the tests of a program, and prepares what they drive. */
export function prepare(settings: TestSettings): Prepared {
  const { subject, target } = settings;
  const program = new Program(settings);
  const keepsPort = program.keepsPort && target === undefined;
  const isUdp = subject.protocol === "udp";
  if (subject.role === "client") {
    const table = isUdp ? udpClientChecks : tcpClientChecks;
    const tests = chosenTests(table, settings, keepsPort);
    const waiting = table.filter(({ id }) => tests.some((test) => test.id === id))
      .flatMap(({ scenario }) => scenario?.waits ? [scenario] : []);
    return prepared(tests, new ClientUnderTest(program, { ...settings, waiting }));
  }
  if (isUdp) {
    const clients = new UdpClients(program, target?.addresses);
    const tests = chosenTests(udpServerChecks(subject), settings, keepsPort);
    return prepared(tests, new ServerUnderTest(program, settings, clients));
  }
  const clients = new TcpClients(program, target?.addresses);
  const tests = chosenTests(tcpServerChecks(subject), settings, keepsPort);
  return prepared(tests, new ServerUnderTest(program, settings, clients));
}

function prepared<D extends Driver & AsyncDisposable>(
  tests: readonly SubjectTest<D>[],
  driver: D,
): Prepared {
  return {
    tests,
    outcomes: (signal) => run(tests, driver, { signal, isMachineBusy }),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

/** What the program runs in: nothing if it runs already, or can't be started anyway. */
async function containerFor(
  { command, "run-as": user }: GradeOptions,
  { place, mark }: ExamineOptions,
): Promise<Container | undefined> {
  const [program] = command ?? [];
  if (program === undefined) return undefined;
  return await isExecutable(program, place?.folder) ? await openContainer(user, mark) : undefined;
}

/** @throws {Failure} of kind `USAGE` if a check of --only would not run. */
function refuseUnreached(
  { only, skip, level, subject: { talk, lines, isFile } }: GradeOptions,
  tests: readonly TestFacts[],
): void {
  const missing = [...only ?? []].find((id) => !tests.some((test) => test.id === id));
  if (missing === undefined) return;
  if (skip?.has(missing)) throw misuse(`--skip leaves out the check ${missing}`);
  if (!isFile && talk === lines && missing === "no-newline") {
    throw misuse("--lines leaves out the check no-newline");
  }
  throw misuse(`--only: ${missing} is not a check of --level ${level}`, {
    hint: "netdemo grade --list shows the level of each check; --level stream has all of them",
  });
}

/** Why an examination ended early, in words. */
export function whyCut(cut: Cut, { "max-time": maxTime }: GradeOptions): string {
  return cut === "time"
    ? `the examination did not finish within ${maxTime / 1_000} s`
    : "the examination was interrupted";
}

/** The failure of a program that can't be started, with the exit code that a shell would give. */
export function cannotStart(
  cause: CannotStart,
  { command = [] }: GradeOptions,
  words = systemWords(),
): Failure {
  const { message, found } = cause;
  const hint = startHint(command, found, words);
  const exitCode = found ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND;
  return new Failure("ERROR", message, { cause, hint, exitCode });
}

function startHint(
  command: readonly string[],
  found: boolean,
  { python, pythonIs, notExecutable, ownProgram }: SystemWords,
): string {
  const [first = ""] = command;
  if (/^python3?$/.test(first) && first !== python) {
    return `${pythonIs}: netdemo grade ... -- ${python} program.py`;
  }
  const isScript = /^\S+\.py$/i.test(first);
  const script = isScript ? command.map(shellWord).join(" ") : "program.py";
  const interpreted = `name the interpreter: -- ${python} ${script}`;
  if (found) return `${notExecutable}, or ${interpreted}`;
  if (isScript) return interpreted;
  return command.length === 1 && first.includes(" ")
    ? "leave out the quotes: the program and its arguments are separate words"
    : `check the spelling; a program in this folder is called ${ownProgram}`;
}
