import {
  digits,
  type LabRequest,
  type LabWord,
  readLabRequest,
  withRoom,
} from "../protocol/lab.ts";
import { randomWord } from "./challenge.ts";
import { type Client, RequestError } from "./client.ts";

/** Asks a lab server to misbehave, and prints the result. */
export const client: Client = {
  name: "lab",
  requests(words) {
    if (words.length === 0) return undefined;
    const request = words.join(" ");
    if (request.trim() !== "" && !/[\r\n]/.test(request)) return [request];
    throw new RequestError("a request must be one line that is not empty");
  },
  expected(line) {
    const request = readLabRequest(line);
    return typeof request === "string" ? undefined : right[request.word]?.(request);
  },
  datagramOf: (request) => /^\s*(?:whoami|help)\b/.test(request) ? withRoom(request) : request,
  challenge(protocol, size = 0) {
    const nonce = randomWord();
    const request = `whoami ${nonce}`;
    return {
      request: (protocol === "udp" ? withRoom(request) : request).padEnd(size),
      fresh: true,
      form: "line",
      expected: `${nonce} NAME at ADDRESS, you are ADDRESS`,
      judge(reply) {
        if (!reply.startsWith(`${nonce} `)) return nonce.startsWith(reply) ? "part" : "wrong";
        return / at \S+, you are \S+$/.test(reply) ? "right" : "part";
      },
    };
  },
};

/** The right replies to the requests that have one. */
const right: Readonly<Partial<Record<LabWord, (request: LabRequest) => string>>> = {
  echo: ({ text }) => text,
  bytes: ({ count }) => digits(count),
  delay: ({ text }) => text,
  slowly: ({ text }) => text,
  split: ({ text }) => text,
  // Only a part of it is sent.
  close: ({ count }) => digits(count + 1),
  reset: ({ count }) => digits(count + 1),
  twice: ({ text }) => text,
  late: ({ text }) => text,
};
