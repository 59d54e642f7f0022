import {
  digits,
  type LabRequest,
  type LabWord,
  readLabRequest,
  withRoom,
} from "../protocol/lab.ts";
import { challengeOf, randomWord } from "./challenge.ts";
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
    const reply = {
      expected: `${nonce} NAME at ADDRESS, you are ADDRESS`,
      // Its last word may be cut anywhere: only the line end says that it is whole.
      needsEnd: true,
      compare(line: string) {
        if (!line.startsWith(`${nonce} `)) return nonce.startsWith(line) ? "part" : "wrong";
        return / at \S+, you are \S+$/.test(line) ? "right" : "part";
      },
    } as const;
    const padded = (protocol === "udp" ? withRoom(request) : request).padEnd(size);
    return challengeOf(padded, reply, { fresh: true });
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
