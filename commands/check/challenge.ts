import { Failure } from "../../cli/errors/failure.ts";
import { type Challenge as ServiceChallenge, randomWord } from "../../clients/challenge.ts";
import type { Client } from "../../clients/client.ts";
import { type Expectation, OPEN } from "./targets.ts";

const encoder = new TextEncoder();

/** The placeholder for a fresh random word in `--send` and `--reply`. */
const NONCE = "{nonce}";

/** A question to a target: that of a service, or the user's own. */
export type Challenge =
  & Omit<ServiceChallenge, "form">
  & { readonly form: ServiceChallenge["form"] | "text" };

/** What a finding must know of a question: a run may have many thousands of them. */
export type Asked = Pick<Challenge, "fresh" | "echo" | "form" | "expected">;

export function askedBy({ fresh, echo, form, expected }: Challenge): Asked {
  return { fresh, echo, form, expected };
}

/** The user's own question. */
export interface Custom {
  /** The request; `undefined` if the server speaks first. */
  readonly send: string | undefined;
  /** What the reply must contain. */
  readonly reply: string;
}

/** What targets can be asked. */
export interface Challenges {
  /** For targets that name no service. */
  readonly custom: Custom | undefined;
  /** The clients that know what to ask, by the name of their service. */
  readonly clients: ReadonlyMap<string, Client>;
}

/**
 * Makes a new question for a probe; `undefined` if the probe only connects.
 *
 * @param size Bytes of the request, its line end included. @default {as few as it needs}
 */
export function challengeFor(
  { service, target }: Expectation,
  { custom, clients }: Challenges,
  size?: number,
): Challenge | undefined {
  if (service === OPEN) return undefined;
  if (service === undefined) {
    if (custom === undefined) throw new TypeError(`Cannot ask ${target.text} without a question`);
    return customChallenge(custom);
  }
  const client = clients.get(service);
  if (client === undefined) throw new TypeError(`Cannot ask an unknown service ${service}`);
  return client.challenge(target.protocol, size === undefined ? undefined : size - 1);
}

/** Bytes of the smallest request to a target, its line end included. */
export function leastSize(expected: Expectation, options: Challenges): number {
  return (challengeFor(expected, options, 1)?.request?.length ?? 0) + 1;
}

/**
 * Returns the question that `--send` and `--reply` make, if any.
 *
 * @throws {Failure} of kind `USAGE` for a question whose answer can't be judged.
 */
export function customQuestion(
  send: string | undefined,
  reply: string | undefined,
): Custom | undefined {
  if (reply === undefined) {
    if (send === undefined) return undefined;
    throw new Failure("USAGE", "--send needs --reply: what the reply must contain", {
      hint: "for example --send 'ECHO {nonce}' --reply '{nonce}'",
    });
  }
  if (reply.includes(NONCE) && !send?.includes(NONCE)) {
    throw new Failure("USAGE", "--reply can't contain {nonce}, as --send does not", {
      hint: "the word is random: a reply can contain it only if the request does",
    });
  }
  return { send, reply };
}

/** Makes a challenge from the user's question, with a new random word. */
export function customChallenge({ send, reply }: Custom): Challenge {
  const nonce = randomWord();
  const expected = asReceived(reply.replaceAll(NONCE, nonce));
  const request = send?.replaceAll(NONCE, nonce).replace(/\n?$/, "\n");
  return {
    request: request === undefined ? undefined : fromBinary(request),
    fresh: reply.includes(NONCE),
    echo: asReceived(request ?? "").includes(expected),
    form: "text",
    expected,
    match(received, over) {
      if (asReceived(toBinary(received)).includes(expected)) return { is: "right" };
      return { is: over === undefined || received.length === 0 ? "part" : "wrong" };
    },
  };
}

/** A text as it is received in lines: without CR before a line end, without empty lines. */
function asReceived(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(/\n+/g, "\n");
}

/** Bytes as a string of as many characters. */
function toBinary(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

function fromBinary(binary: string): Uint8Array {
  return Uint8Array.from(binary, (byte) => byte.charCodeAt(0));
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };

/**
 * Reads text with the escapes `\\n`, `\\r`, `\\t`, `\\\\`, `\\xd2` (a byte) and `\\u00e9` (a character).
 *
 * @returns bytes as a string of as many characters.
 * @throws {Failure} of kind `USAGE`.
 */
export function readEscaped(text: string, flag: string): string {
  if (text === "") throw new Failure("USAGE", `${flag} must not be empty`);
  return text.replace(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|[^]|$)|[^\\]+/gi, (whole, escape?: string) => {
    if (escape === undefined) return toBinary(encoder.encode(whole));
    const code = parseInt(escape.slice(1), 16);
    if (/^x./i.test(escape)) return String.fromCharCode(code);
    if (/^u./i.test(escape)) return toBinary(encoder.encode(String.fromCharCode(code)));
    const character = escapes[escape];
    if (character !== undefined) return character;
    throw new Failure("USAGE", `${flag}: '${whole}' is not an escape: received '${text}'`, {
      hint: "escapes are \\n, \\r, \\t, \\\\, \\xd2 for a byte and \\u00e9 for a character",
    });
  });
}
