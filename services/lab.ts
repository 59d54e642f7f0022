import { formatEndpoint } from "../protocol/addresses.ts";
import {
  beginsAsRequest,
  type Carrier,
  digits,
  isLabReply,
  labHelp,
  type LabRequest,
  type LabWord,
  MAX_NAME,
  readLabRequest,
  SLOW_BYTE_MS,
  SPLIT_MS,
  whoamiReply,
} from "../protocol/lab.ts";
import { ERROR_PREFIX } from "../protocol/reply.ts";
import type { ReplyPlan, ReplyStep, Requester, Service } from "./service.ts";
import { counted } from "../text/counted.ts";

/** Milliseconds that a peer has to read what it was sent before a reset destroys the rest. */
const BEFORE_RESET_MS = 100;
/** Bytes that never occur in UTF-8 (RFC 3629, section 1). */
const GARBAGE = new Uint8Array([0xff, 0xfe, 0xfd]);

const encoder = new TextEncoder();
/** The digits 0 to 9, repeated; ends in 9, so that copies join up. */
const DIGITS = encoder.encode(digits(65_530));

/** Misbehaves on request, and only on the connection that asked. */
export const service: Service = serviceNamed(undefined);

/** @param name The name that `whoami` reports. @default {this host's name} */
function serviceNamed(name: string | undefined): Service {
  return {
    name: "lab",
    running: "Lab Server is running....",
    resets: true,
    reply(line, requester) {
      const request = readLabRequest(line, carrierOf(requester));
      if (typeof request === "string") return request;
      return answers[request.word](request, requester, name);
    },
    isReply: isLabReply,
    isRequest: beginsAsRequest,
    isWhole: () => false, // more text may follow, whatever has come
    neverAmplifies: true,
    flag: {
      name: "name",
      value: "NAME",
      about: "the name that whoami reports",
      default: "this host's name",
      apply(text) {
        if (/^[^\p{Cc}]+$/u.test(text) && encoder.encode(text).length <= MAX_NAME) {
          return serviceNamed(text);
        }
        throw new RangeError(`must be one line of 1 to ${MAX_NAME} bytes: received '${text}'`);
      },
    },
  };
}

function carrierOf({ protocol }: Requester): Carrier {
  return protocol === "udp" ? "datagram" : "stream";
}

type Answer = (
  request: LabRequest,
  requester: Requester,
  name: string | undefined,
) => string | ReplyPlan;

/** How each request is answered. */
const answers: Readonly<Record<LabWord, Answer>> = {
  help: (_, requester) => labHelp(carrierOf(requester)),
  whoami: ({ text }, { local, remote }, name = Deno.hostname()) =>
    whoamiReply(text, name, formatEndpoint(local), formatEndpoint(remote)),
  echo: ({ text }) => text,
  bytes: ({ count }) => ({
    shown: `(${counted(count, "byte")})`,
    *steps(ending) {
      yield* sendDigits(count);
      yield { send: encoder.encode(ending) };
    },
  }),
  delay: late,
  slowly: ({ text }) => ({ shown: text, steps: (ending) => slowly(encoder.encode(text + ending)) }),
  split: ({ text }) => ({ shown: text, steps: (ending) => split(text, ending) }),
  silence: () => ({ shown: "(silence)", steps: () => ["silence"] }),
  garbage: () => ({
    shown: "(not UTF-8 text)",
    steps: (ending) => [{ send: new Uint8Array([...GARBAGE, ...encoder.encode(ending)]) }],
  }),
  close: ({ count }) => ({
    shown: `(end of stream after ${counted(count, "byte")})`,
    *steps() {
      yield* sendDigits(count);
      yield "close";
    },
  }),
  reset: ({ count }, { canReset }) =>
    !canReset ? `${ERROR_PREFIX}this connection can't be reset` : {
      shown: `(reset after ${counted(count, "byte")})`,
      *steps() {
        yield* sendDigits(count);
        if (count > 0) yield { waitMs: BEFORE_RESET_MS };
        yield "reset";
      },
    },
  end: () => ({ shown: "(end of stream)", steps: () => ["end"] }),
  twice: ({ text }) => ({
    shown: text,
    steps(ending) {
      const send = encoder.encode(text + ending);
      return [{ send }, { send }];
    },
  }),
  late,
};

function late({ text, delayMs }: LabRequest): ReplyPlan {
  return {
    shown: text,
    steps: (ending) => [{ waitMs: delayMs }, { send: encoder.encode(text + ending) }],
  };
}

/** Sends the bytes one at a time. */
function* slowly(bytes: Uint8Array): Generator<ReplyStep> {
  for (const [index, byte] of bytes.entries()) {
    if (index > 0) yield { waitMs: SLOW_BYTE_MS };
    yield { send: Uint8Array.of(byte) };
  }
}

/** Sends the text in two segments, cut inside its first multibyte character if it has one. */
function split(text: string, ending: string): ReplyStep[] {
  const bytes = encoder.encode(text + ending);
  const within = bytes.findIndex((byte) => (byte & 0b1100_0000) === 0b1000_0000);
  const cut = within === -1 ? Math.floor(text.length / 2) : within;
  return [{ send: bytes.subarray(0, cut) }, { waitMs: SPLIT_MS }, { send: bytes.subarray(cut) }];
}

/** Sends digits from one shared buffer: what is not sent yet takes no memory. */
function* sendDigits(count: number): Generator<ReplyStep> {
  for (let sent = 0; sent < count; sent += DIGITS.length) {
    yield { send: DIGITS.subarray(0, Math.min(count - sent, DIGITS.length)) };
  }
}
