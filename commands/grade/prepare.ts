/** Chooses the tests of a program, and sets up its examination. */
import { type Driver, run } from "../../suite/runner.ts";
import type { Outcome } from "../../suite/outcome.ts";
import { upToLevel, withNeeds } from "../../suite/selection.ts";
import { type Check, type ServiceTest, testsOf } from "./checks/check.ts";
import { ClientUnderTest } from "./clients/client_under_test.ts";
import type { Ports } from "./program/ports.ts";
import { Program } from "./program/program.ts";
import { isMachineBusy } from "./program/system.ts";
import { sampleOf } from "./questions.ts";
import { TcpClients } from "./servers/playing_tcp_clients.ts";
import { UdpClients } from "./servers/playing_udp_clients.ts";
import { type ServerSettings, ServerUnderTest } from "./servers/server_under_test.ts";
import { type Level, levels, type Subject } from "./subjects.ts";
import { tcpClientChecks, tcpServerChecks, udpClientChecks, udpServerChecks } from "./tables.ts";

/** What is examined and how. */
export interface Examination
  extends Pick<ServerSettings, "lines" | "timeout" | "random" | "target"> {
  readonly subject: Subject;
  readonly level: Level;
  readonly protocol: "tcp" | "udp";
  /** Ids of the checks to run; those that they need run, too. @default all */
  readonly only?: ReadonlySet<string> | undefined;
  readonly ports: Ports;
  /** The command that starts the program; `{port}` in it stands for the port. */
  readonly command?: readonly string[] | undefined;
  /** The fixed port that the program uses. */
  readonly fixedPort?: number | undefined;
  /** What a client gets on stdin. @default what the lesson's user types */
  readonly input?: string | undefined;
}

/** An examination that is ready to begin. */
export interface Prepared extends AsyncDisposable {
  /** The tests that will run. */
  readonly tests: readonly ServiceTest<never>[];
  /** Runs them. */
  outcomes(signal: AbortSignal): AsyncGenerator<Outcome>;
}

/** Prepares an examination. */
export function prepare(examination: Examination): Prepared {
  const { subject: { role, service }, protocol, ports, command, fixedPort } = examination;
  const program = new Program({ ports, command, fixedPort });
  if (role === "client") {
    const table = protocol === "udp" ? udpClientChecks : tcpClientChecks;
    const tests = chosenFrom(table, examination);
    const waiting = table.filter(({ id }) => tests.some((test) => test.id === id))
      .flatMap(({ scenario }) => scenario?.waits ? [scenario] : []);
    return prepared(tests, new ClientUnderTest(program, { ...examination, service, waiting }));
  }
  const { lines, target } = examination;
  const settings = { ...examination, service, asks: service !== "hello" || protocol === "udp" };
  if (protocol === "udp") {
    const probe = sampleOf(service).request + (lines ? "\n" : "");
    const clients = new UdpClients(program, probe, target?.addresses);
    const server = new ServerUnderTest(program, settings, clients);
    return prepared(chosenFrom(udpServerChecks, examination), server);
  }
  const clients = new TcpClients(program, target?.addresses);
  const server = new ServerUnderTest(program, settings, clients);
  return prepared(chosenFrom(tcpServerChecks, examination), server);
}

function chosenFrom<D extends Driver>(
  table: readonly Check<D>[],
  { subject: { service }, level, only, lines, timeout }: Examination,
): ServiceTest<D>[] {
  const tests = upToLevel(testsOf(table, service, timeout), level, levels);
  return withNeeds(tests, only).filter(({ id }) => !lines || id !== "no-newline");
}

function prepared<D extends Driver & AsyncDisposable>(
  tests: readonly ServiceTest<D>[],
  driver: D,
): Prepared {
  return {
    tests,
    outcomes: (signal) => run(tests, driver, { signal, isMachineBusy }),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}
