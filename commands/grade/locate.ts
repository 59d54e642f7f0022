/** Where the program under test is, or will be. */
import { parseTarget } from "../../cli/arguments/target.ts";
import { asFailure, type Failure, misuse } from "../../cli/errors/failure.ts";
import { errnoOf } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { systemWords } from "../../cli/system_words.ts";
import { resolve } from "../../sockets/resolve.ts";
import type { GradeOptions } from "./options.ts";
import { whyNotFree } from "./program/ports.ts";
import { isInTimeWait } from "./program/system.ts";

/** Explains why a program can't have its port. */
async function notFree(port: number, cause: unknown): Promise<Failure> {
  if (errnoOf(cause) !== "EADDRINUSE") {
    const endpoint = { hostname: "127.0.0.1", port };
    return asFailure(new SocketFailure("BIND", { phase: "listen", endpoint }, cause));
  }
  const lingers = await isInTimeWait(port);
  const instead = 'let your program take its port from "{port}"';
  return misuse(`port ${port} is ${lingers ? "not free yet" : "in use"}`, {
    hint: lingers
      ? `a connection was closed there a moment ago: wait a minute, or ${instead}`
      : `stop what is listening there, or ${instead}`,
  });
}

/** Returns where a TARGET runs; `undefined` for a COMMAND. @throws {Failure} */
export async function locate(options: GradeOptions, { python } = systemWords()) {
  const { target: text, command, subject, level, port, timeout } = options;
  const named = subject.isFile ? `${subject.name} --talk FILE` : subject.name;
  if (text === undefined) {
    if (command === undefined || command.length === 0) {
      throw misuse("grade needs the command that starts the program", {
        hint: options.class === undefined
          ? `give it after --: netdemo grade ${named} -- ${python} program.py "{port}"`
          : `give it after --: netdemo grade ${named} --class FOLDER -- ${python} "{dir}/program.py" "{port}"`,
      });
    }
    const cause = port === undefined ? undefined : whyNotFree(port);
    if (port !== undefined && cause !== undefined) throw await notFree(port, cause);
    return undefined;
  }
  if (command !== undefined) throw misuse("a TARGET and a COMMAND can't both be given");
  if (subject.role === "client") {
    throw misuse("a client has no TARGET: netdemo starts it and plays its server", {
      hint: `netdemo grade ${named} -- ${python} client.py "{port}"`,
    });
  }
  const parsed = parseTarget(text, { services: ["hello", "message", "calc"] });
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
  if (parsed.protocol !== subject.protocol && text.includes("://")) {
    const protocol = subject.protocol.toUpperCase();
    throw misuse(`this program speaks ${protocol}, and the target does not: ${text}`, {
      hint: `give the target without ${parsed.protocol}://`,
    });
  }
  return { addresses, port: parsed.port };
}
