import type { Call } from "../../clients/call/call.ts";
import { DatagramCall } from "../../clients/call/datagram_call.ts";
import { StreamCall } from "../../clients/call/stream_call.ts";
import type { Challenge } from "../../clients/challenge.ts";
import type { Endpoint, Protocol } from "../../protocol/addresses.ts";
import { connectToFirst, connectUnix } from "../../sockets/dial.ts";
import { errnoOf } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import type { Stream } from "../../sockets/stream.ts";
import type { Failed, ProbeEnding } from "./verdict.ts";

/** Characters to receive before giving up on a reply that is not yet right. */
const MAX_REPLY = 1_048_576;

/** Bytes from which a request may take more than one write. */
const LONG = 4_096;

/** What to probe, and how. */
export interface ProbeOptions {
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** What to ask; `undefined` to connect only. */
  readonly challenge: Challenge | undefined;
  /** Milliseconds for the whole probe. */
  readonly timeout: number;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/** What a probe observed. A phase that was not reached has no duration. */
export interface Probed {
  readonly ending: ProbeEnding;
  readonly connectMs?: number | undefined;
  readonly sendMs?: number | undefined;
  /** From sending to the last byte of the reply, or to the end of a probe without one. */
  readonly replyMs?: number | undefined;
  readonly elapsedMs: number;
  /** Bytes received. */
  readonly bytes: number;
  /** The reply, or the part that arrived. */
  readonly reply: string;
  /** Another endpoint that sent a datagram instead of the one asked. */
  readonly stranger?: Endpoint | undefined;
}

/** The result of a probe that was cancelled before it started. */
const unprobed: Probed = {
  ending: { how: "failed", phase: "send", kind: "ERROR" },
  elapsedMs: 0,
  bytes: 0,
  reply: "",
};

type Seen = { -readonly [Key in keyof Omit<Probed, "ending">]: Probed[Key] };

/** Probes one address, once. Anything a socket does is an ending; only bugs are thrown. */
export async function probe(options: ProbeOptions): Promise<Probed> {
  if (options.signal?.aborted) return unprobed;
  const startedAt = performance.now();
  const seen: Seen = { elapsedMs: 0, bytes: 0, reply: "" };
  const ending = await endingOf(options, seen).catch(failedEnding);
  const { connectMs = 0, sendMs = 0, replyMs } = seen;
  // A reply that ends with silence had arrived before the silence was long enough to tell.
  const elapsedMs = replyMs === undefined
    ? performance.now() - startedAt
    : connectMs + sendMs + replyMs;
  return { ...seen, ending, elapsedMs };
}

async function endingOf(options: ProbeOptions, seen: Seen): Promise<ProbeEnding> {
  const { protocol, remote, challenge, timeout } = options;
  const deadline = performance.now() + timeout;
  if (protocol === "udp") {
    if (challenge === undefined || "path" in remote) {
      throw new TypeError("Cannot probe over UDP without an address and a request");
    }
    using call = new DatagramCall(remote, timeout);
    const ending = await ask(call, challenge, { ...options, deadline }, seen);
    seen.stranger = call.stranger;
    return ending;
  }
  const connectAt = performance.now();
  using stream = await connect(options).finally(() => {
    seen.connectMs = performance.now() - connectAt;
  });
  if (challenge === undefined) return { how: "connected", phase: "connect" };
  using call = new StreamCall(stream, timeout);
  return await ask(call, challenge, { ...options, deadline }, seen);
}

async function connect({ remote, timeout, signal }: ProbeOptions): Promise<Stream> {
  return "path" in remote
    ? await connectUnix(remote.path ?? "")
    : await connectToFirst([remote], { timeout, signal });
}

interface AskOptions extends ProbeOptions {
  /** When to stop, as `performance.now()`. */
  readonly deadline: number;
}

/** Asks and waits for the answer. */
async function ask(
  call: Call,
  challenge: Challenge,
  options: AskOptions,
  seen: Seen,
): Promise<ProbeEnding> {
  const { signal } = options;
  const end = (): void => call[Symbol.dispose]();
  signal?.addEventListener("abort", end, { once: true });
  const sendAt = performance.now();
  let sentAt = sendAt;
  if (challenge.request !== undefined) {
    const sent = (): void => {
      sentAt = performance.now();
      seen.sendMs = sentAt - sendAt;
    };
    // Not awaited: the peer may answer before it has read everything, or read nothing.
    const sending = call.send([challenge.request]);
    // The system takes a short request at once, but the promise may resolve only after the reply.
    if (challenge.request.length < LONG) sent();
    else sending.then(sent);
  }
  const ending = await awaitReply(call, challenge, options, seen).catch(failedEnding);
  signal?.removeEventListener("abort", end);
  const { bytes, at } = call.received;
  seen.bytes = bytes;
  seen.replyMs = Math.max(0, (ending.how === "answered" ? at : performance.now()) - sentAt);
  return ending;
}

/** Receives until the answer is complete, in however many pieces. */
async function awaitReply(
  call: Call,
  challenge: Challenge,
  { protocol, deadline }: AskOptions,
  seen: Seen,
): Promise<ProbeEnding> {
  const answered = (right: boolean): ProbeEnding => ({ how: "answered", phase: "reply", right });
  try {
    while (seen.reply.length <= MAX_REPLY) {
      const pieces = await call.receive(Math.max(1, deadline - performance.now()));
      if (challenge.form === "lines") {
        seen.reply += `${pieces.join("\n")}\n`;
        if (challenge.judge(seen.reply) === "right") return answered(true);
        // A peer may never stop sending lines.
        if (performance.now() > deadline) break;
      } else {
        seen.reply += pieces[0] ?? "";
        const found = challenge.judge(seen.reply);
        // A datagram, or a line with its end, is complete; anything else may continue.
        const isComplete = protocol === "udp" || call.framed;
        if (found !== "part" || isComplete) return answered(found === "right");
      }
    }
    return answered(false);
  } catch (error) {
    if (!(error instanceof SocketFailure)) throw error;
    const ended = error.kind === "CLOSED" && call.received.bytes === 0;
    if (challenge.form === "end" && ended) return answered(true);
    if (challenge.form === "lines" && seen.reply !== "") return answered(false);
    throw error;
  }
}

/** Turns a socket failure into an ending; rethrows anything else. */
export function failedEnding(error: unknown): Failed {
  if (!(error instanceof SocketFailure) || error.facts.phase === "listen") throw error;
  const { kind, facts, cause } = error;
  const problem = facts.phase === "reply" ? facts.problem : undefined;
  const tooLong = facts.phase === "connect" && facts.problem === "path too long";
  const errno = tooLong ? "ENAMETOOLONG" : errnoOf(cause); // such a path never reaches the system
  return { how: "failed", phase: facts.phase, kind, errno, problem };
}
