/** Chooses the tests of a program, and sets up its examination. */
import { type Driver, run } from "../../suite/runner.ts";
import type { Outcome } from "../../suite/outcome.ts";
import { upToLevel, withNeeds } from "../../suite/selection.ts";
import { type Check, type SubjectTest, testsOf } from "./checks/check.ts";
import { ClientUnderTest } from "./clients/client_under_test.ts";
import { Program, type ProgramOptions } from "./program/program.ts";
import { isMachineBusy } from "./program/system.ts";
import { TcpClients } from "./servers/playing_tcp_clients.ts";
import { UdpClients } from "./servers/playing_udp_clients.ts";
import { type ServerSettings, ServerUnderTest } from "./servers/server_under_test.ts";
import { type Level, levels } from "./subjects.ts";
import { tcpClientChecks, tcpServerChecks, udpClientChecks, udpServerChecks } from "./tables.ts";

/** What is examined and how. */
export interface Examination extends ServerSettings, Omit<ProgramOptions, "mark"> {
  readonly level: Level;
  /** Ids of the checks to run; those that they need run, too. @default all */
  readonly only?: ReadonlySet<string> | undefined;
  /** Ids of checks not to run. @default none */
  readonly skip?: ReadonlySet<string> | undefined;
}

/** An examination that is ready to begin. */
export interface Prepared extends AsyncDisposable {
  /** The tests that will run. */
  readonly tests: readonly SubjectTest<never>[];
  /** Runs them. */
  outcomes(signal: AbortSignal): AsyncGenerator<Outcome>;
}

/** Prepares an examination. */
export function prepare(examination: Examination): Prepared {
  const { subject, target } = examination;
  const program = new Program(examination);
  const isUdp = subject.protocol === "udp";
  if (subject.role === "client") {
    const table = isUdp ? udpClientChecks : tcpClientChecks;
    const tests = chosenFrom(table, examination);
    const waiting = table.filter(({ id }) => tests.some((test) => test.id === id))
      .flatMap(({ scenario }) => scenario?.waits ? [scenario] : []);
    return prepared(tests, new ClientUnderTest(program, { ...examination, waiting }));
  }
  if (isUdp) {
    const clients = new UdpClients(program, target?.addresses);
    const server = new ServerUnderTest(program, examination, clients);
    return prepared(chosenFrom(udpServerChecks(subject), examination), server);
  }
  const clients = new TcpClients(program, target?.addresses);
  const server = new ServerUnderTest(program, examination, clients);
  return prepared(chosenFrom(tcpServerChecks(subject), examination), server);
}

function chosenFrom<D extends Driver>(
  table: readonly Check<D>[],
  { subject, level, only, skip, timeout, fixedPort }: Examination,
): SubjectTest<D>[] {
  const tests = upToLevel(testsOf(table, subject, timeout, fixedPort !== undefined), level, levels);
  const chosen = withNeeds(tests, only).filter(({ id }) => !skip?.has(id));
  if (fixedPort === undefined) return chosen;
  // A program without SO_REUSEADDR can't have its port again for a minute after this one.
  const isLast = ({ id }: SubjectTest<D>): boolean => id === "restart";
  return [...chosen.filter((test) => !isLast(test)), ...chosen.filter(isLast)];
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
