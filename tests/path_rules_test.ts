import { pooledMap } from "@std/async/pool";
import { assertEquals } from "@std/assert";
import { questionsOver } from "../commands/path/questions.ts";
import { TAG_LENGTH } from "../commands/path/tag.ts";
import { freePort } from "./harness/free_port.ts";
import { resets } from "./harness/mod.ts";
import { type DatagramBreaks, DatagramForwarder } from "./path/datagram_forwarder.ts";
import { examine } from "./path/examine.ts";
import { type Breaks, Forwarder, type Passing, type Side } from "./path/forwarder.ts";

/** A forwarder, and everything that `path` reports about it except passes. */
interface Rule<B> {
  readonly name: string;
  readonly breaks: B;
  /** What does not pass, including what no forwarder of this kind can pass. */
  readonly found: readonly string[];
  readonly args?: readonly string[];
}

/** What no program between client and server can pass: it has its own address, and accepts first. */
const ALWAYS = ["address: note", "nobody: note"];

/** All questions over UDP fail. */
const ALL_OVER_UDP = questionsOver("udp").map(({ id }) => `${id}: fail`);

/** TCP forwarders that are tested at once, in one process: more would starve each other. */
const AT_ONCE = 12;
/** How long path waits: generous, as the machine may be busy. */
const TIMEOUT = "4s";

/** MiB that both send in the question `bulk`: enough for the rules below. */
const BULK_MIB = 2;
/** Bytes that the client sends in it, tag included. */
const UPLOAD = TAG_LENGTH + BULK_MIB * 1_048_576;

const tcpRules: readonly Rule<Breaks>[] = [
  { name: "keeps all rules", breaks: {}, found: ALWAYS },
  {
    name: "turns CR LF into LF",
    breaks: { alter: (bytes) => bytes.filter((byte) => byte !== 13) },
    found: ["reply: fail"],
  },
  {
    name: "adds a byte to what the server sends",
    breaks: { alter: (bytes, from) => from === "server" ? new Uint8Array([...bytes, 33]) : bytes },
    found: ["reply: fail"],
  },
  {
    name: "passes nothing from the server until the client has sent",
    breaks: { mutes: true },
    found: ["address: note", "server-first: fail", "nobody: note"],
  },
  {
    name: "connects only once the client has sent",
    breaks: { dialsLate: true },
    found: ["address: note", "server-first: fail", "nobody: note"],
  },
  {
    name: "alters a byte after half a megabyte",
    breaks: { alter: (bytes, _, passing) => flipped(bytes, 524_288, passing.bytes.server) },
    found: ["address: note", "bulk: fail", "nobody: note"],
  },
  {
    name: "passes no more than a megabyte",
    breaks: {
      alter: (bytes, from, passing) => passing.bytes[from] > 1_048_576 ? new Uint8Array() : bytes,
    },
    found: ["address: note", "bulk: fail", "nobody: note"],
  },
  {
    name: "adds a byte to an upload once it is complete",
    breaks: {
      alter: (bytes, from, passing) => {
        const isLast = from === "client" && passing.bytes.client + bytes.length === UPLOAD;
        return isLast ? new Uint8Array([...bytes, 33]) : bytes;
      },
    },
    found: ["address: note", "bulk: fail", "nobody: note"],
  },
  {
    name: "adds a byte before each end",
    breaks: { appends: new Uint8Array([33]) },
    found: [
      "address: note",
      ...["half-close: fail", "half-close-late: fail", "server-end: fail", "server-close: fail"],
      ...["client-close: fail", "server-last: fail", "client-last: fail", "nobody: note"],
    ],
  },
  {
    name: "drops what a server sends right before its end",
    breaks: { holdsBack: (from) => from === "server" ? 100 : 0 },
    found: ["address: note", "server-last: fail", "nobody: note"],
  },
  {
    name: "drops what a client sends right before its end",
    breaks: { holdsBack: (from) => from === "client" ? 100 : 0 },
    found: ["address: note", "client-last: fail", "nobody: note"],
  },
  {
    name: "closes both sides once the client has ended its side",
    breaks: { onEnd: (from) => from === "client" ? "close both" : "pass" },
    found: ["address: note", "half-close: fail", "half-close-late: fail", "nobody: note"],
  },
  {
    name: "loses an immediate reply to a half-close",
    breaks: losesQuickReplies(),
    found: ["address: note", "half-close: fail", "nobody: note"],
  },
  {
    name: "closes both sides half a second after one has ended",
    breaks: { lingers: 500 },
    found: ["address: note", "half-close-late: fail", "nobody: note"],
  },
  {
    name: "closes both sides once the server has ended its side",
    breaks: { onEnd: (from) => from === "server" ? "close both" : "pass" },
    found: ["address: note", "server-end: fail", "nobody: note"],
  },
  {
    name: "does not pass on the end of a server that has replied",
    breaks: { onEnd: (from, { bytes }) => swallowed(from === "server" && bytes.server > 0) },
    found: ["address: note", "server-close: fail", "nobody: note"],
  },
  {
    name: "does not pass on the end of a server",
    breaks: { onEnd: (from) => swallowed(from === "server") },
    found: ["address: note", "server-end: fail", "server-close: fail", "nobody: note"],
  },
  {
    name: "does not pass on the end of a client that has got a reply",
    breaks: { onEnd: (from, { bytes }) => swallowed(from === "client" && bytes.server > 0) },
    found: ["address: note", "client-close: fail", "nobody: note"],
  },
  {
    name: "turns a server's reset into an ordinary end",
    breaks: { onReset: (from) => from === "server" ? "end" : "reset" },
    found: ["address: note", "server-reset: fail", "nobody: note"],
  },
  {
    name: "does not pass on a server's reset",
    breaks: { onReset: (from) => from === "server" ? "swallow" : "reset" },
    found: ["address: note", "server-reset: fail", "nobody: note"],
  },
  {
    name: "turns a client's reset into an ordinary end",
    breaks: { onReset: (from) => from === "client" ? "end" : "reset" },
    found: ["address: note", "client-reset: fail", "nobody: note"],
  },
  {
    name: "serves 20 clients at once",
    breaks: { most: 20 },
    found: ["address: note", "many: fail", "nobody: note"],
  },
  {
    name: "closes a connection that is idle for 1.2 s",
    breaks: { idles: 1_200 },
    found: ["address: note", "idle: fail", "nobody: note"],
    args: ["--idle", "1500ms"],
  },
  {
    name: "accepts without a server behind it, and ends",
    breaks: { onRefused: "end" },
    found: ["address: note", "nobody: fail"],
  },
  {
    name: "accepts without a server behind it, and stays silent",
    breaks: { onRefused: "hang" },
    found: ["address: note", "nobody: fail"],
  },
];

const udpRules: readonly Rule<DatagramBreaks>[] = [
  { name: "keeps all rules", breaks: {}, found: ["other-port: note"] },
  {
    name: "alters a byte",
    breaks: { down: (bytes) => [flipped(bytes, 300)] },
    found: ["reply: fail"],
  },
  {
    name: "loses empty datagrams",
    breaks: { up: (bytes) => bytes.length === 0 ? [] : [bytes] },
    found: ["other-port: note", "size-0: fail"],
  },
  {
    name: "loses datagrams that fill a packet",
    breaks: { up: (bytes) => bytes.length === 1_472 ? [] : [bytes] },
    found: ["size-1472: fail", "other-port: note"],
  },
  {
    name: "loses replies of 8,000 bytes",
    breaks: { down: (bytes) => bytes.length === 8_000 ? [] : [bytes] },
    found: ["size-8000: fail", "other-port: note"],
  },
  {
    name: "cuts datagrams to 16,384 bytes",
    breaks: { up: (bytes) => [bytes.subarray(0, 16_384)] },
    found: ["size-65507: fail", "other-port: note"],
  },
  {
    name: "cuts replies to 4,096 bytes",
    breaks: { down: (bytes) => [bytes.subarray(0, 4_096)] },
    found: ["size-8000: fail", "size-65507: fail", "other-port: note"],
  },
  {
    name: "passes one reply to each client",
    breaks: { down: (bytes, number) => number === 0 ? [bytes] : [] },
    found: ["two-replies: fail", "other-port: note"],
  },
  {
    name: "forgets a client after 1.5 s",
    breaks: { forgets: 1_500 },
    found: ["other-port: note", "late: fail"],
  },
  {
    name: "sends replies to the client that sent last",
    breaks: { mixes: true },
    found: ["other-port: note", "many: fail"],
  },
  {
    name: "doubles every datagram to the server",
    breaks: { up: (bytes) => [bytes, bytes] },
    found: ALL_OVER_UDP,
  },
  {
    name: "doubles every reply",
    breaks: { down: (bytes) => [bytes, bytes] },
    found: ALL_OVER_UDP,
  },
  {
    name: "sends the server an empty datagram for each new client",
    breaks: { up: (bytes, number) => number === 0 ? [new Uint8Array(), bytes] : [bytes] },
    found: ALL_OVER_UDP,
  },
  {
    name: "loses the first datagram of each client",
    breaks: { up: (bytes, number) => number === 0 ? [] : [bytes] },
    found: ["reply: note", "size-8000: note", "many: note", "size-0: note"],
    args: ["--only", "reply,size-8000,many,size-0"], // each waits for a second try
  },
  {
    name: "exchanges the first two replies to each client",
    breaks: { down: exchangesFirst() },
    found: ["two-replies: note", "other-port: note"],
  },
];

Deno.test("path reports exactly the rules that a forwarder breaks (TCP)", async () => {
  const found = await foundBy(AT_ONCE, tcpRules, async ({ name, breaks, args = [] }) => {
    const port = freePort();
    await using forwarder = await Forwarder.start(port, breaks);
    return { name, found: await notPassed("tcp", port, forwarder.port, args) };
  });
  assertEquals(found, tcpRules.map(({ name, found }) => ({ name, found: asSkipped(found) })));
});

Deno.test("path reports exactly the rules that a forwarder breaks (UDP)", async () => {
  const found = await foundBy(udpRules.length, udpRules, async ({ name, breaks, args }) => {
    const port = freePort();
    using forwarder = new DatagramForwarder(port, breaks);
    return { name, found: await notPassed("udp", port, forwarder.port, args) };
  });
  assertEquals(found, udpRules.map(({ name, found }) => ({ name, found })));
});

function foundBy<R, F>(
  atOnce: number,
  rules: readonly R[],
  find: (rule: R) => Promise<F>,
): Promise<F[]> {
  return Array.fromAsync(pooledMap(atOnce, rules, find));
}

/** What path finds if the runtime can't reset: both questions about resets are skipped. */
function asSkipped(found: readonly string[]): readonly string[] {
  if (resets.isMet() || found.includes("reply: fail")) return found;
  const rest = found.filter((line) => !line.includes("-reset"));
  const next = rest.findIndex((line) => /^(?:many|idle|nobody):/.test(line));
  return rest.toSpliced(next, 0, "server-reset: skip", "client-reset: skip");
}

async function notPassed(
  protocol: "tcp" | "udp",
  port: number,
  target: number,
  args: readonly string[] = [],
) {
  const listen = ["--listen", `127.0.0.1:${port}`, "--timeout", TIMEOUT];
  if (protocol === "tcp") listen.push("--bulk", String(BULK_MIB));
  return (await examine(...listen, ...args, `${protocol}://127.0.0.1:${target}`)).notPassed;
}

/** What no forwarder fails. */
const onlyNoted = ["address", "other-port"];

/** A question that no forwarder fails proves nothing, so each has a rule that it alone detects. */
Deno.test("for each question some forwarder fails it and passes all others", () => {
  const alone = (rules: readonly Rule<unknown>[]): string[] => {
    const failed = rules.map(({ found }) => found.filter((line) => line.endsWith(": fail")));
    const single = failed.filter(({ length }) => length === 1).flat();
    return [...new Set(single.map((line) => line.replace(": fail", "")))].sort();
  };
  const ids = (questions: readonly { readonly id: string }[]): string[] =>
    questions.map(({ id }) => id).filter((id) => !onlyNoted.includes(id)).sort();
  assertEquals(alone(tcpRules), ids(questionsOver("tcp")));
  assertEquals(alone(udpRules), ids(questionsOver("udp")));
});

function swallowed(isSo: boolean): "swallow" | "pass" {
  return isSo ? "swallow" : "pass";
}

/** Bytes with one changed, given by its place in the whole stream. */
function flipped(bytes: Uint8Array, place: number, before = 0): Uint8Array {
  const index = place - before;
  return bytes.map((byte, at) => at === index ? byte ^ 1 : byte);
}

/** For 300 ms after a client's end, nothing from the server gets through. */
function losesQuickReplies(): Breaks {
  const endedAt = new WeakMap<Passing, number>();
  return {
    onEnd(from: Side, passing: Passing) {
      if (from === "client") endedAt.set(passing, performance.now());
      return "pass";
    },
    alter(bytes: Uint8Array, from: Side, passing: Passing) {
      const isQuick = performance.now() - (endedAt.get(passing) ?? -Infinity) < 300;
      return from === "server" && isQuick ? new Uint8Array() : bytes;
    },
  };
}

/** Holds back a reply that is the first of two. */
function exchangesFirst(): DatagramBreaks["down"] {
  const isTwo = (bytes: Uint8Array): boolean =>
    new TextDecoder().decode(bytes).includes("two-replies");
  const held: Uint8Array[] = [];
  return (bytes) => {
    if (!isTwo(bytes)) return [bytes];
    const first = held.pop();
    if (first !== undefined) return [bytes, first];
    held.push(bytes);
    return [];
  };
}
