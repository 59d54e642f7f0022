import { Failure } from "../../cli/errors/failure.ts";
import { readNumber } from "../../cli/arguments/flags.ts";
import { suggest } from "../../cli/arguments/suggest.ts";
import type { Lesson, LessonRow } from "../lesson.ts";

/** A service with its port; 0 means any free one. */
export interface ServedPort {
  readonly row: LessonRow;
  readonly port: number;
}

const readPort = readNumber(0, 65_535);

/**
 * Reads `SERVICE[:PORT]...`: which services to run, and where. No words mean all of them.
 *
 * @throws {Failure} of kind `USAGE` whose hint shows the right form.
 */
export function servedPorts(words: readonly string[], lesson: Lesson): readonly ServedPort[] {
  const chosen = words.length > 0 ? words : lesson.map(({ name }) => name);
  const ports = chosen.map((word) => servedPort(word, lesson));
  ports.forEach(({ row, port }, index) => {
    const before = ports.slice(0, index);
    if (before.some((other) => other.row === row)) {
      throw new Failure("USAGE", `${row.name} is named twice`);
    }
    const other = port === 0 ? undefined : before.find((other) => other.port === port)?.row;
    if (other === undefined) return;
    throw new Failure("USAGE", `${other.name} and ${row.name} can't both have port ${port}`, {
      hint: `give one of them another port, for example ${row.name}:0 for any free one`,
    });
  });
  return ports;
}

function servedPort(word: string, lesson: Lesson): ServedPort {
  const [, name = "", port] = /^([^:]*)(?::(.*))?$/s.exec(word) ?? [];
  const row = lesson.find((row) => row.name === name);
  if (row === undefined) throw unknownService(word, name, lesson);
  return { row, port: port === undefined ? row.servePort : readPort(port, `the port of ${name}`) };
}

function unknownService(word: string, name: string, lesson: Lesson): Failure {
  const names = lesson.map((row) => row.name);
  const hint = /^\d+$/.test(word)
    ? `name the service before its port: calc:${word}`
    : suggest(name.replace(/-server$/, ""), names) ??
      `write SERVICE or SERVICE:PORT; the services are ${names.join(", ")}`;
  return new Failure("USAGE", `'${word}' is not a service`, { hint });
}

const PORT_HINT = "write the port after its service: netdemo serve calc:4040";
const UDP_HINT = "leave it out: every service is served over TCP and UDP";

/** Flags that only single servers have, with what to do instead. */
const singleOnly: Readonly<Record<string, string>> = {
  "--port": PORT_HINT,
  "-p": PORT_HINT,
  "--udp": UDP_HINT,
  "-u": UDP_HINT,
  "--unix": "start a single server: netdemo calc-server --unix PATH",
  "--once": "start a single server: netdemo calc-server --once",
  "--reuse-port": "start single servers: Deno can't share the port for UDP",
};

/** @throws {Failure} of kind `USAGE` for a flag that only a single server has. */
export function refuseSingleFlags(args: readonly string[]): void {
  for (const arg of args) {
    if (arg === "--") return;
    const [flag = ""] = /^--[^=]+|^-[a-z]/.exec(arg) ?? [];
    const hint = Object.hasOwn(singleOnly, flag) ? singleOnly[flag] : undefined;
    if (hint !== undefined) throw new Failure("USAGE", `serve takes no ${flag}`, { hint });
  }
}
