import { Failure } from "../../cli/errors/failure.ts";
import { parseTarget } from "../../cli/arguments/target.ts";
import { resolve } from "../../sockets/resolve.ts";
import type { CheckFacts, Outcome, Subject } from "./check.ts";
import { ExaminedClient } from "./client.ts";
import { checksOf, examine, withNeeds } from "./examine.ts";
import type { GradeOptions } from "./options.ts";
import { isFree } from "./ports.ts";
import { isInTimeWait } from "./system.ts";
import { type Examination, Starter } from "./server.ts";
import {
  tcpClientChecks,
  tcpServerChecks,
  udpClientChecks,
  udpServerChecks,
  waitingIn,
} from "./tables.ts";
import { TcpServer } from "./tcp_server.ts";
import { UdpServer } from "./udp_server.ts";

/** An examination that is ready to begin. */
export interface Prepared extends AsyncDisposable {
  /** The checks that will run. */
  readonly checks: readonly CheckFacts[];
  /** Runs them. */
  outcomes(signal: AbortSignal): AsyncGenerator<Outcome>;
}

/** Chooses the checks for a program, and sets up its examination. */
export function prepare(
  examination: Examination,
  { role, service }: Subject,
  only?: ReadonlySet<string>,
): Prepared {
  const { level, protocol, lines } = examination;
  const starter = new Starter(examination);
  const chosen = <C extends CheckFacts>(
    all: C[],
    pick: (all: C[], only: ReadonlySet<string>) => C[],
  ) =>
    (only === undefined ? all : pick(all, only)).filter(({ id }) => !lines || id !== "no-newline");
  if (role === "client") {
    const client = new ExaminedClient(starter);
    const table = protocol === "udp" ? udpClientChecks : tcpClientChecks;
    const checks = chosen(checksOf(table, service, level), withNeeds);
    client.waiting = waitingIn(checks);
    return preparedFor(checks, client, (signal) => examine(checks, client, signal));
  }
  if (protocol === "udp") {
    const server = new UdpServer(starter);
    const checks = chosen(checksOf(udpServerChecks, service, level), withNeeds);
    return preparedFor(checks, server, (signal) => examine(checks, server, signal));
  }
  const server = new TcpServer(starter);
  const checks = chosen(checksOf(tcpServerChecks, service, level), withNeeds);
  return preparedFor(checks, server, (signal) => examine(checks, server, signal));
}

function preparedFor(
  checks: readonly CheckFacts[],
  program: AsyncDisposable,
  outcomes: Prepared["outcomes"],
): Prepared {
  return { checks, outcomes, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

/** Explains why a program can't have its port. */
async function notFree(port: number): Promise<Failure> {
  const lingers = await isInTimeWait(port);
  const instead = "let your program take its port from {port}";
  return new Failure("USAGE", `port ${port} is ${lingers ? "not free yet" : "in use"}`, {
    hint: lingers
      ? `a connection was closed there a moment ago: wait a minute, or ${instead}`
      : `stop what is listening there, or ${instead}`,
  });
}

/** Returns where a TARGET runs; `undefined` for a COMMAND. @throws {Failure} */
export async function locate(options: GradeOptions) {
  const { target: text, command, subject, level, udp, port, mayBreak, timeout } = options;
  if (text === undefined) {
    if (command === undefined || command.length === 0) {
      throw new Failure("USAGE", "grade needs the command that starts the program", {
        hint: `give it after --: netdemo grade ${options.subjectName} -- python3 program.py {port}`,
      });
    }
    if (port !== undefined && !isFree(port)) throw await notFree(port);
    return undefined;
  }
  if (command !== undefined) {
    throw new Failure("USAGE", "a TARGET and a COMMAND can't both be given");
  }
  if (subject.role === "client") {
    throw new Failure("USAGE", "a client has no TARGET: netdemo starts it and plays its server", {
      hint: `netdemo grade ${options.subjectName} -- python3 client.py {port}`,
    });
  }
  const parsed = parseTarget(text, { services: ["hello", "message", "calc"] });
  if (parsed.protocol === "unix") {
    throw new Failure("USAGE", "grade examines servers over TCP and UDP", {
      hint: "let the server listen on a port, and give HOST:PORT",
    });
  }
  const addresses = await resolve(parsed.host, timeout);
  const isBeyond = addresses.some((address) => !/^127\.|^::1$/.test(address));
  if (isBeyond && level !== "lesson" && !mayBreak) {
    throw new Failure("USAGE", `--level ${level} may break the server at ${parsed.host}`, {
      hint: "if it is yours, add --i-may-break-it",
    });
  }
  return { protocol: udp ? "udp" as const : parsed.protocol, addresses, port: parsed.port };
}
