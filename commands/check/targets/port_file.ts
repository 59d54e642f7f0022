import { delay } from "@std/async/delay";
import { Failure } from "../../../cli/errors/failure.ts";
import { formatDuration } from "../../../protocol/duration.ts";
import { errnoOf, reasonOf } from "../../../sockets/errno.ts";
import { fileName } from "../../../text/file_name.ts";
import { decodeText } from "../../../text/encoding.ts";
import { type Expectation, PORT } from "./targets.ts";

/** Milliseconds between two looks at a file. */
const EVERY_MS = 50;

/**
 * The ports in a file, by the service or the conversation file that has it; of a server with one
 * service, by no name.
 */
type Ports = ReadonlyMap<string | undefined, number>;

/**
 * Reads the ports that a server has written to its port file: one, or with `serve` a line such as
 * `calc 4040` for each service.
 *
 * @returns `undefined` if the file is not there yet, or still empty.
 * @throws {Failure} of kind `ERROR` if it can't be read, or holds something else.
 */
function portsIn(path: string): Ports | undefined {
  const text = textIn(path)?.trim() ?? "";
  if (text === "") return undefined;
  return new Map(
    text.split("\n").map((line) => {
      const [, service, port = ""] = /^(?:(.+) )?(\d{1,5})$/.exec(line.trim()) ?? [];
      if (Number(port) >= 1 && Number(port) <= 65_535) return [service, Number(port)] as const;
      throw new Failure("ERROR", `the port file ${path} holds no port: '${line.slice(0, 40)}'`, {
        hint: "it must hold a number from 1 to 65535, as a server's --port-file writes it",
      });
    }),
  );
}

function textIn(path: string): string | undefined {
  try {
    return decodeText(Deno.readFileSync(path));
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw new Failure("ERROR", `cannot read the port file ${path}: ${reasonOf(cause)}`, {
      cause,
      hint: "name the file that the server's --port-file writes",
    });
  }
}

/**
 * Waits until a server has written its port.
 *
 * @param limit Milliseconds to wait. @default {not at all}
 * @param signal Ends the wait early.
 * @throws {Failure} of kind `TIMEOUT`, or as {@linkcode portsIn} does.
 */
export async function waitForPort(
  path: string,
  limit: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + (limit ?? 0);
  while (portsIn(path) === undefined) {
    const left = end - performance.now();
    if (signal.aborted) return;
    if (left <= 0) throw noPort(path, limit);
    await delay(Math.min(EVERY_MS, left), { signal }).catch(() => {});
  }
}

function noPort(path: string, limit: number | undefined): Failure {
  return limit === undefined
    ? new Failure("ERROR", `there is no port in ${path}`, {
      hint: "to wait until the server has started, add --for 30s",
    })
    : new Failure("TIMEOUT", `there was no port in ${path} within ${formatDuration(limit)}`, {
      hint:
        `the server did not start, or was started without --port-file ${path}: see what it says`,
    });
}

/**
 * The targets, with the ports that their server has now or had last, if a file says them; until it
 * is there, as they were typed.
 */
export function placing(
  targets: readonly Expectation[],
  portFile: string | undefined,
): () => readonly Expectation[] {
  if (portFile === undefined) return () => targets;
  let ports: Ports = new Map();
  return () => {
    ports = portsIn(portFile) ?? ports;
    return ports.size === 0 ? targets : targets.map((target) => atPort(target, ports));
  };
}

/**
 * A target with the port of its service in place of `{port}`.
 *
 * @throws {Failure} of kind `ERROR` if the file has none for it.
 */
function atPort(expectation: Expectation, ports: Ports): Expectation {
  const { text, target, service, question } = expectation;
  if (target.protocol === "unix" || target.port !== 0) return expectation;
  const name = question?.form === "talk" ? fileName(question.name) : service;
  const [only] = ports.size === 1 && service === undefined ? ports.values() : [];
  const port = ports.get(name) ?? ports.get(undefined) ?? only;
  if (port === undefined) {
    throw new Failure("ERROR", `the port file has no port for '${text}'`, {
      hint: `it has ports for ${[...ports.keys()].join(", ")}: name a service after a slash`,
    });
  }
  const replace = (it: string): string => it.replace(PORT, String(port));
  return {
    ...expectation,
    text: replace(text),
    target: { ...target, text: replace(target.text), port },
  };
}
