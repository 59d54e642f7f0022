/** Chooses the tests of a program, and prepares what they drive. */
import { type Driver, run } from "../../suite/runner.ts";
import type { Outcome } from "../../suite/outcome.ts";
import { upToLevel, withNeeds } from "../../suite/selection.ts";
import { type Check, type SubjectTest, testsOf } from "./checks/check.ts";
import { ClientUnderTest } from "./clients/client_under_test.ts";
import { Program, type ProgramOptions } from "./program/program.ts";
import { isMachineBusy } from "./program/system.ts";
import { TcpClients } from "./servers/playing_tcp_clients.ts";
import { UdpClients } from "./servers/playing_udp_clients.ts";
import { ServerUnderTest } from "./servers/server_under_test.ts";
import type { ServerSettings } from "./settings.ts";
import { type Level, levels } from "./subjects.ts";
import { tcpClientChecks, tcpServerChecks, udpClientChecks, udpServerChecks } from "./tables.ts";

/** What is tested and how. */
export interface TestSettings extends ServerSettings, ProgramOptions {
  readonly level: Level;
  /** Ids of the checks to run; those that they need run, too. @default all */
  readonly only?: ReadonlySet<string> | undefined;
  /** Ids of checks not to run. @default none */
  readonly skip?: ReadonlySet<string> | undefined;
}

/** Tests that are ready to run. */
interface Prepared extends AsyncDisposable {
  /** The tests that will run. */
  readonly tests: readonly SubjectTest<never>[];
  /** Runs them. */
  outcomes(signal: AbortSignal): AsyncGenerator<Outcome>;
}

export function prepare(settings: TestSettings): Prepared {
  const { subject, target } = settings;
  const program = new Program(settings);
  const isUdp = subject.protocol === "udp";
  if (subject.role === "client") {
    const table = isUdp ? udpClientChecks : tcpClientChecks;
    const tests = chosenFrom(table, settings, program.keepsPort);
    const waiting = table.filter(({ id }) => tests.some((test) => test.id === id))
      .flatMap(({ scenario }) => scenario?.waits ? [scenario] : []);
    return prepared(tests, new ClientUnderTest(program, { ...settings, waiting }));
  }
  if (isUdp) {
    const clients = new UdpClients(program, target?.addresses);
    const tests = chosenFrom(udpServerChecks(subject), settings, program.keepsPort);
    return prepared(tests, new ServerUnderTest(program, settings, clients));
  }
  const clients = new TcpClients(program, target?.addresses);
  const tests = chosenFrom(tcpServerChecks(subject), settings, program.keepsPort);
  return prepared(tests, new ServerUnderTest(program, settings, clients));
}

function chosenFrom<D extends Driver>(
  table: readonly Check<D>[],
  { subject, target, level, only, skip, timeout }: TestSettings,
  keepsPort: boolean,
): SubjectTest<D>[] {
  const tests = upToLevel(testsOf(table, subject, timeout, keepsPort), level, levels);
  const chosen = withNeeds(tests, only).filter(({ id }) => !skip?.has(id));
  if (!keepsPort || target !== undefined) return chosen;
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
