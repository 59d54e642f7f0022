/** Where the program under test is, or will be. */
import { parseTarget } from "../../cli/arguments/target.ts";
import { asFailure, type Failure, misuse } from "../../cli/errors/failure.ts";
import { errnoOf } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { systemWords } from "../../cli/system_words.ts";
import { resolve } from "../../sockets/resolve.ts";
import type { GradeOptions } from "./options.ts";
import { untilFree, whyNotFree } from "./program/ports.ts";

/** Explains why a program can't have its port. */
function notFree(port: number, cause: unknown): Failure {
  if (errnoOf(cause) !== "EADDRINUSE") {
    const endpoint = { hostname: "127.0.0.1", port };
    return asFailure(new SocketFailure("BIND", { phase: "listen", endpoint }, cause));
  }
  return misuse(`port ${port} is in use`, {
    hint: 'stop what is listening there, or let your program take its port from "{port}"',
  });
}

/** Returns where a TARGET runs; `undefined` for a COMMAND. @throws {Failure} */
export async function locate(
  options: GradeOptions,
  { python } = systemWords(),
  onWait?: (port: number) => void,
) {
  const { target, command, subject, port } = options;
  const named = subject.isFile ? `${subject.name} --talk FILE` : subject.name;
  if (target !== undefined) {
    if (command !== undefined) throw misuse("a TARGET and a COMMAND can't both be given");
    if (subject.role === "server") return await whereIs(target, options);
    throw misuse("a client has no TARGET: netdemo starts it and plays its server", {
      hint: `netdemo grade ${named} -- ${python} client.py "{port}"`,
    });
  }
  if (command === undefined || command.length === 0) {
    throw misuse("grade needs the command that starts the program", {
      hint: options.class === undefined
        ? `give it after --: netdemo grade ${named} -- ${python} program.py "{port}"`
        : `give it after --: netdemo grade ${named} --class FOLDER -- ${python} "{dir}/program.py" "{port}"`,
    });
  }
  if (port === undefined) return undefined;
  const end = performance.now() + options["max-time"];
  await untilFree(port, { isOver: () => performance.now() > end, onWait });
  const cause = whyNotFree(port);
  if (cause !== undefined) throw notFree(port, cause);
  return undefined;
}

/** The addresses and the port of a running server. @throws {Failure} */
async function whereIs(target: string, options: GradeOptions) {
  const { subject, level, timeout } = options;
  const parsed = parseTarget(target, { services: ["hello", "message", "calc"] });
  if (parsed.protocol === "unix") {
    throw misuse("grade examines servers over TCP and UDP", {
      hint: "let the server listen on a port, and give HOST:PORT",
    });
  }
  const addresses = await resolve(parsed.host, timeout);
  const isBeyond = addresses.some((address) => !/^127\.|^::1$/.test(address));
  if (isBeyond && level !== "lesson" && !options["i-may-break-it"]) {
    throw misuse(`--level ${level} may break the server at ${parsed.host}`, {
      hint: "if it is yours, add --i-may-break-it",
    });
  }
  if (parsed.protocol !== subject.protocol && target.includes("://")) {
    const protocol = subject.protocol.toUpperCase();
    throw misuse(`this program speaks ${protocol}, and the target does not: ${target}`, {
      hint: `give the target without ${parsed.protocol}://`,
    });
  }
  return { addresses, port: parsed.port };
}
