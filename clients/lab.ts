import {
  type Carrier,
  digits,
  labForms,
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
  usage: "[REQUEST...]",
  takesText: true,
  about: `Sends a request to a lab server and prints the reply, or says how the
connection failed instead. Without a REQUEST it asks for requests at a terminal
until end of file (Ctrl-D); from a pipe it sends every line.

${formsOver("Requests", ["stream", "datagram"])}

${formsOver("Requests over TCP and Unix sockets", ["stream"])}

${formsOver("Requests over UDP", ["datagram"])}`,
  examples: ["whoami", "delay 2s Good morning", "close 5", "--udp twice"],
  prompt: "Enter Request ",
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

/** The requests available over exactly these carriers, one per line. */
function formsOver(title: string, carriers: readonly Carrier[]): string {
  const rows = labForms.filter((form) => form.carriers.join() === carriers.join());
  const lines = rows.map(({ form, about, limit }) => {
    const note = limit === undefined ? "" : ` (${limit})`;
    return `  ${form.padEnd(14)}  ${about}${note}`;
  });
  return [`${title}:`, ...lines].join("\n");
}
