import { formatDuration, parseDuration } from "./duration.ts";
import { ERROR_PREFIX, quotingError } from "./reply.ts";

/** Maximum bytes that `bytes`, `close` and `reset` send. */
export const MAX_BYTES = 1_048_576;
/** Maximum milliseconds that a reply is delayed. */
export const MAX_DELAY_MS = 60_000;
/** Milliseconds between two bytes of `slowly`: too few to end a reply without a line end. */
export const SLOW_BYTE_MS = 50;
/** Milliseconds between the two segments of `split`. */
export const SPLIT_MS = 100;
/** Maximum bytes that `slowly` sends: they take as long as the longest `delay`. */
const MAX_SLOW = MAX_DELAY_MS / SLOW_BYTE_MS;
/** What `twice` and `late` answer without a text: two of them are no longer than the word `twice`. */
const SHORT_TEXT = "ok";

const encoder = new TextEncoder();

/** How requests travel: in a stream, or each in a datagram. */
export type Carrier = "stream" | "datagram";

/** A request to lab: what it asks for, and with what. */
export interface LabRequest {
  readonly word: LabWord;
  /** The text to send back; for `whoami`, the nonce. */
  readonly text: string;
  /** Bytes to send. */
  readonly count: number;
  /** Milliseconds to wait. */
  readonly delayMs: number;
}

/** What follows a request's word, parsed. */
type Operands = Partial<Omit<LabRequest, "word">>;

/** How one kind of request is written, what it does, and where it works. */
export interface LabForm {
  /** As the help shows it: `delay D TEXT`. */
  readonly form: string;
  readonly about: string;
  /** What limits its operands. */
  readonly limit?: string;
  readonly carriers: readonly Carrier[];
  /** Reads what follows the word; `undefined` if that is malformed. */
  read(rest: string): Operands | undefined;
}

const both: readonly Carrier[] = ["stream", "datagram"];
const stream: readonly Carrier[] = ["stream"];
const datagram: readonly Carrier[] = ["datagram"];

const delayLimit = `D up to ${formatDuration(MAX_DELAY_MS)}`;

/** Every request to lab, by its word. */
const forms = {
  help: {
    form: "help",
    about: "the requests, in one line",
    carriers: both,
    read: nothing,
  },
  whoami: {
    form: "whoami [NONCE]",
    about: "the NONCE, the server's name, and the addresses of both ends",
    carriers: both,
    read: nonce,
  },
  echo: { form: "echo TEXT", about: "TEXT", carriers: both, read: text },
  bytes: {
    form: "bytes N",
    about: "N bytes, 0123456789 over and over",
    limit: `N from 1 to ${MAX_BYTES}`,
    carriers: stream,
    read: (rest) => number(rest, 1),
  },
  delay: {
    form: "delay D TEXT",
    about: "TEXT, after D",
    limit: delayLimit,
    carriers: stream,
    read: delayedText,
  },
  slowly: {
    form: "slowly TEXT",
    about: `TEXT, one byte every ${formatDuration(SLOW_BYTE_MS)}`,
    limit: `up to ${MAX_SLOW} bytes`,
    carriers: stream,
    read: (rest) => byteLength(rest) <= MAX_SLOW ? text(rest) : undefined,
  },
  split: {
    form: "split TEXT",
    about: `TEXT in two segments, ${formatDuration(SPLIT_MS)} apart`,
    limit: "2 bytes or more",
    carriers: stream,
    read: (rest) => byteLength(rest) >= 2 ? text(rest) : undefined,
  },
  silence: { form: "silence", about: "no reply, ever", carriers: both, read: nothing },
  garbage: { form: "garbage", about: "bytes that are not UTF-8", carriers: stream, read: nothing },
  close: {
    form: "close [N]",
    about: "N bytes of a reply, then the end of the stream",
    limit: `N up to ${MAX_BYTES}`,
    carriers: stream,
    read: (rest) => nothing(rest) ?? number(rest, 0),
  },
  reset: {
    form: "reset [N]",
    about: "N bytes of a reply, then a reset",
    limit: `N up to ${MAX_BYTES}`,
    carriers: stream,
    read: (rest) => nothing(rest) ?? number(rest, 0),
  },
  end: {
    form: "end",
    about: "the end of the stream; what you send is still read",
    carriers: stream,
    read: nothing,
  },
  twice: {
    form: "twice [TEXT]",
    about: `TEXT, or ${SHORT_TEXT}, in each of two datagrams`,
    carriers: datagram,
    read: (rest) => text(rest.trim()) ?? { text: SHORT_TEXT },
  },
  late: {
    form: "late D [TEXT]",
    about: `TEXT, or ${SHORT_TEXT}, after D`,
    limit: delayLimit,
    carriers: datagram,
    read: (rest) => delayedText(rest.trim()) ?? delayedText(`${rest.trim()} ${SHORT_TEXT}`),
  },
} as const satisfies Readonly<Record<string, LabForm>>;

/** The first word of a request to lab. */
export type LabWord = keyof typeof forms;

/** Every request to lab, for its help. */
export const labForms: readonly LabForm[] = Object.values(forms);

/**
 * Reads a request.
 *
 * @param carrier How it arrived. @default {unknown: requests over either are valid}
 * @returns the request, or, if it is invalid, the reply: text that starts with {@linkcode ERROR_PREFIX}.
 */
export function readLabRequest(line: string, carrier?: Carrier): LabRequest | string {
  const [, word = "", rest = ""] = /^\s*(\S*)(?:\s(.*))?$/su.exec(line) ?? [];
  if (!isLabWord(word)) return quotingError("unknown request ", word, ": send help");
  const { form, limit, carriers, read }: LabForm = forms[word];
  if (carrier !== undefined && !carriers.includes(carrier)) {
    const [works, not] = carrier === "stream" ? ["UDP", "TCP"] : ["TCP", "UDP"];
    return `${ERROR_PREFIX}${word} works over ${works}, not over ${not}`;
  }
  const operands = read(rest);
  if (operands !== undefined) return { word, text: "", count: 0, delayMs: 0, ...operands };
  return `${ERROR_PREFIX}expected ${form}${limit === undefined ? "" : `, ${limit}`}`;
}

/** Whether a text begins like a request that lab answers: two labs could keep each other talking. */
export function beginsAsRequest(text: string): boolean {
  return isLabWord(/^\s*(\S*)/u.exec(text)?.[1] ?? "");
}

/** All requests in one line, as `help` answers. */
export function labHelp(carrier: Carrier): string {
  const known = labForms.filter(({ carriers }) => carriers.includes(carrier));
  return `Requests: ${known.map(({ form }) => form).join(", ")}`;
}

/** The reply to `whoami`: who answers, and whom. */
export function whoamiReply(nonce: string, name: string, local: string, remote: string): string {
  return `${nonce === "" ? "" : `${nonce} `}${name} at ${local}, you are ${remote}`;
}

/** Whether a text is certainly a reply to `whoami` or `help` and not a request. */
export function isLabReply(text: string): boolean {
  const reads = / at \S+, you are \S+$/.test(text) || text.startsWith("Requests: help, whoami");
  return reads && !beginsAsRequest(text);
}

/**
 * A request padded with as many spaces as its reply may need: over UDP, except on
 * loopback, lab sends no more than it received.
 */
export function withRoom(request: string): string {
  return request + " ".repeat(MAX_REPLY_ENDS);
}

/** Maximum bytes of the name that `whoami` reports. */
export const MAX_NAME = 64;
/** Maximum bytes that a name and the two ends take in a reply, zones included. */
const MAX_REPLY_ENDS = 256;

/** The given number of digits, 0 to 9 over and over. */
export function digits(count: number): string {
  return "0123456789".repeat(Math.ceil(count / 10)).slice(0, count);
}

function isLabWord(word: string): word is LabWord {
  return Object.hasOwn(forms, word);
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

function nothing(rest: string): Operands | undefined {
  return rest.trim() === "" ? {} : undefined;
}

function text(rest: string): Operands | undefined {
  return rest === "" ? undefined : { text: rest };
}

/** One word, or none. */
function nonce(rest: string): Operands | undefined {
  const word = rest.trim();
  return /\s/.test(word) ? undefined : { text: word };
}

function number(rest: string, least: number): Operands | undefined {
  const digits = rest.trim();
  const count = /^\d{1,7}$/.test(digits) ? Number(digits) : NaN;
  return count >= least && count <= MAX_BYTES ? { count } : undefined;
}

function delayedText(rest: string): Operands | undefined {
  const [, duration = "", text] = /^(\S+)\s(.+)$/s.exec(rest) ?? [];
  const delayMs = parseDuration(duration);
  if (delayMs === undefined || delayMs > MAX_DELAY_MS || text === undefined) return undefined;
  return { delayMs, text };
}
