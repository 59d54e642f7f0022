import { type Failure, misuse } from "../../cli/errors/failure.ts";
import { readNumber } from "../../cli/arguments/flags.ts";
import { suggest } from "../../cli/arguments/suggest.ts";
import { readServedTalk } from "../../cli/arguments/talk_file.ts";
import type { Service } from "../../services/service.ts";
import { fileService } from "../../services/talk.ts";
import { shellWord } from "../../text/shell.ts";
import type { Lesson } from "../lesson.ts";

/** A service to run, with its port; 0 means any free one. */
export interface ServedPort {
  /** Its name in the lesson, or the path of its conversation file. */
  readonly name: string;
  readonly port: number;
  service(): Promise<Service>;
  /** Sample words for its client. */
  readonly sample: readonly string[];
}

const readPort = readNumber(0, 65_535);

/**
 * Reads `SERVICE[:PORT]...` and `FILE:PORT...`: which services to run, and where. No words mean all
 * of the lesson. Files are read at once.
 *
 * @throws {Failure} of kind `USAGE` whose hint shows the right form.
 */
export async function servedPorts(
  words: readonly string[],
  lesson: Lesson,
): Promise<readonly ServedPort[]> {
  const chosen = words.length > 0 ? words : lesson.map(({ name }) => name);
  const ports = await Promise.all(
    chosen.map((word) => servedFile(word) ?? servedPort(word, lesson)),
  );
  ports.forEach(({ name, port }, index) => {
    const before = ports.slice(0, index);
    if (before.some((other) => other.name === name)) {
      const word = shellWord(`${name}:${port}`);
      throw misuse(`${name} is named twice`, {
        hint: `start another netdemo for its other port: netdemo serve ${word}`,
      });
    }
    const other = port === 0 ? undefined : before.find((other) => other.port === port);
    if (other === undefined) return;
    throw misuse(`${other.name} and ${name} can't both have port ${port}`, {
      hint: `give one of them another port, for example ${name}:0 for any free one`,
    });
  });
  return ports;
}

/** A conversation file with its port, after the last colon: `C:\\x.talk:7000`. */
async function readFile(path: string, port: string | undefined): Promise<ServedPort> {
  if (port === undefined) {
    throw misuse(`${path} has no port`, {
      hint: `write it after the file, for example netdemo serve ${shellWord(`${path}:7000`)}`,
    });
  }
  const number = readPort(port, `the port of ${path}`);
  const service = fileService(path, await readServedTalk(path));
  return { name: path, port: number, service: () => Promise.resolve(service), sample: [] };
}

function servedFile(word: string): Promise<ServedPort> | undefined {
  const [, path, port] = /^(.*\.talk)(?::([^:]*))?$/is.exec(word) ?? [];
  return path === undefined ? undefined : readFile(path, port);
}

function servedPort(word: string, lesson: Lesson): ServedPort {
  const [, name = "", port] = /^([^:]*)(?::(.*))?$/s.exec(word) ?? [];
  const row = lesson.find((row) => row.name === name);
  if (row === undefined) throw unknownService(word, name, lesson);
  const { servePort, service, sample: { words } } = row;
  const number = port === undefined ? servePort : readPort(port, `the port of ${name}`);
  return { name, port: number, service, sample: words };
}

function unknownService(word: string, name: string, lesson: Lesson): Failure {
  const names = lesson.map((row) => row.name);
  const hint = /^\d+$/.test(word)
    ? `name the service before its port: calc:${word}`
    : suggest(name.replace(/-server$/, ""), names) ??
      `write SERVICE, SERVICE:PORT or FILE.talk:PORT; the services are ${names.join(", ")}`;
  return misuse(`'${word}' is not a service`, { hint });
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
    if (hint !== undefined) throw misuse(`serve takes no ${flag}`, { hint });
  }
}
