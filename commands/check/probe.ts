import { type Endpoint, isSameEndpoint, type Protocol } from "../../protocol/addresses.ts";
import { connectTcp, connectUnix } from "../../sockets/dial.ts";
import { errnoOf, kindOf } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { bindDatagrams } from "../../sockets/listen.ts";
import { isRefusedHere } from "../../sockets/route.ts";
import {
  type DatagramSocket,
  denoStream,
  internetEndpointOf,
  type Stream,
} from "../../sockets/stream.ts";
import type { DeviationFacts } from "../../talk/deviation.ts";
import { writeAll } from "../../sockets/write_all.ts";
import type { Match } from "../../clients/challenge.ts";
import type { Challenge } from "./challenge.ts";
import { playTalk, type TalkQuestion } from "./talk_question.ts";
import type { NetworkClock, WaitEnd } from "./network_clock.ts";
import type { Failed, Phase, ProbeEnding } from "./verdict.ts";

/** Bytes to receive before giving up on a reply that is not yet right. */
const MAX_REPLY = 1_048_576;
/** Bytes of a reply that are kept, to show them. */
const MAX_KEPT = 1_024;
/** Bytes of the first buffer for a reply; it grows as needed. */
const FIRST_SIZE = 4_096;
/** Holds any datagram: over IPv6 they may be slightly longer than over IPv4. */
const DATAGRAM_SIZE = 65_536;
/** No bytes: shared, since a buffer of its own takes memory even if it is empty. */
export const nothing = new Uint8Array(0);
/** Bytes from which a request may take more than one write. */
const LONG = 4_096;

/** What to probe, and how. */
export interface ProbeOptions {
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** What to ask; `undefined` to connect only. */
  readonly challenge: Challenge | TalkQuestion | undefined;
  /** Milliseconds for the whole probe; of a conversation, to connect and for each reply. */
  readonly timeout: number;
  readonly clock: NetworkClock;
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
  /** From the last byte of an incomplete reply to the end of the probe. */
  readonly silentMs?: number | undefined;
  readonly elapsedMs: number;
  /** How much of that this process may have been too busy to look. */
  readonly busyMs: number;
  /** Bytes received. */
  readonly bytes: number;
  /** The beginning of what was received, unless it was the right answer. */
  readonly reply: Uint8Array;
  /** Another endpoint that sent a datagram instead of the one asked. */
  readonly stranger?: Endpoint | undefined;
  /** How the reply deviates from a conversation file. */
  readonly deviation?: DeviationFacts | undefined;
}

/** Why a probe ended itself: silence may also be what completes a reply. */
type OwnEnd = WaitEnd | "silence" | "cancelled";

/** What has been observed so far. */
interface Seen {
  phase: Phase;
  connectMs?: number;
  sendMs?: number;
  sentAt?: number;
  /** When the last byte arrived. */
  lastAt?: number;
  reply: Uint8Array;
  stranger?: Endpoint;
  deviation?: DeviationFacts;
}

/** A probe under way. */
export interface Probing extends ProbeOptions {
  readonly seen: Seen;
  /** Ends it. The reason of its signal is an {@linkcode OwnEnd}. */
  readonly over: AbortController;
}

/** Probes one address, once. Anything a socket does is an ending; only bugs are thrown. */
export async function probe(options: ProbeOptions): Promise<Probed> {
  const { clock, timeout, signal } = options;
  const over = new AbortController();
  const cancel = (): void => over.abort("cancelled");
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  using _limit = options.challenge?.form === "talk"
    ? undefined
    : clock.after(timeout, (end) => over.abort(end));
  const [startedAt, clockStart] = [performance.now(), clock.time];
  const seen: Seen = { phase: "connect", reply: nothing };
  const probing = { ...options, seen, over };
  const ending = await endingOf(probing).catch((error) => endingOfError(error, probing));
  signal?.removeEventListener("abort", cancel);
  const endedAt = performance.now();
  const busyMs = Math.max(0, endedAt - startedAt - (clock.time - clockStart));
  return { ...probedOf(ending, seen, { startedAt, endedAt }), busyMs };
}

/** The durations of a probe that has ended. */
function probedOf(
  ending: ProbeEnding,
  { connectMs, sendMs, sentAt, lastAt, reply, stranger, deviation }: Seen,
  { startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number },
): Omit<Probed, "busyMs"> {
  const isAnswered = ending.how === "answered";
  // A reply that ends with silence had arrived before the silence was long enough to tell.
  const replyEnd = isAnswered ? lastAt ?? endedAt : endedAt;
  const replyMs = sentAt === undefined ? undefined : Math.max(0, replyEnd - sentAt);
  const silentMs = isAnswered || lastAt === undefined ? undefined : endedAt - lastAt;
  return {
    ending,
    connectMs,
    sendMs,
    replyMs,
    silentMs,
    elapsedMs: (isAnswered ? replyEnd : endedAt) - startedAt,
    bytes: reply.length,
    // A run may have many thousands of probes.
    reply: isAnswered && ending.right ? nothing : reply.slice(0, MAX_KEPT),
    stranger,
    deviation,
  };
}

async function endingOf(probing: Probing): Promise<ProbeEnding> {
  const { protocol, remote, challenge, over, seen } = probing;
  if (challenge?.form === "talk") return await playTalk(challenge, probing);
  if (protocol === "udp") return await askOverUdp(challenge, probing);
  const startedAt = performance.now();
  using stream = await connect(remote, over.signal).finally(() => {
    seen.connectMs = performance.now() - startedAt;
  });
  if (challenge === undefined) return { how: "connected", phase: "connect" };
  seen.phase = "reply";
  over.signal.addEventListener("abort", () => stream.close(), { once: true });
  over.signal.throwIfAborted();
  return await askOverStream(stream, challenge, probing);
}

async function connect(remote: Endpoint, signal: AbortSignal): Promise<Stream> {
  if ("path" in remote) return await connectUnix(remote.path ?? "");
  signal.throwIfAborted();
  return denoStream(await connectTcp(remote, signal));
}

/** Sends the request, and reads until the reply is whole, wrong, or cut short. */
async function askOverStream(
  stream: Stream,
  challenge: Challenge,
  probing: Probing,
): Promise<ProbeEnding> {
  const { over, seen, clock } = probing;
  startSending(stream, challenge, seen);
  const received = new ReplyBuffer();
  let match: Match = { is: "part" };
  while (received.size <= MAX_REPLY) {
    const silence = match.is === "part" ? undefined : clock.after(match.afterMs ?? 0, () => {
      over.abort("silence");
    });
    let count: number | null;
    try {
      count = await stream.read(received.space());
    } catch (error) {
      if (over.signal.reason === "silence") return answered(match);
      if (over.signal.reason !== "time is up") throw error;
      return concluded(challenge.match(seen.reply, "time is up"), "TIMEOUT");
    } finally {
      silence?.[Symbol.dispose]();
    }
    if (count === null) return concluded(challenge.match(seen.reply, "end"), "CLOSED");
    seen.reply = received.take(count);
    seen.lastAt = performance.now();
    match = challenge.match(seen.reply);
    if (match.is !== "part" && match.afterMs === undefined) return answered(match);
  }
  return { how: "failed", phase: "reply", kind: "ERROR", problem: "too long" };
}

/** Sends the request, and takes the first datagram from the peer. */
async function askOverUdp(
  challenge: Challenge | undefined,
  { remote, over, seen }: Probing,
): Promise<ProbeEnding> {
  if (challenge?.request === undefined || "path" in remote) {
    throw new TypeError("Cannot probe over UDP without an address and a request");
  }
  seen.phase = "send";
  const hostname = remote.hostname.includes(":") ? "::" : "0.0.0.0";
  const socket = bindDatagrams({ hostname, port: 0 });
  // It may be closed early, to end a pending call, and then a second time.
  using closing = new DisposableStack();
  closing.defer(() => socket.close());
  over.signal.addEventListener("abort", () => closing.dispose(), { once: true });
  over.signal.throwIfAborted();
  const sentAt = performance.now();
  await socket.send(challenge.request, { transport: "udp", ...remote });
  seen.phase = "reply";
  seen.sendMs = performance.now() - sentAt;
  seen.sentAt = performance.now();
  const buffer = new Uint8Array(DATAGRAM_SIZE);
  while (true) {
    const [bytes, from] = await receiveAny(socket, buffer);
    const sender = internetEndpointOf(from);
    if (isSameEndpoint(sender, remote)) {
      [seen.reply, seen.lastAt] = [bytes, performance.now()];
      return answered(challenge.match(bytes, "end"));
    }
    seen.stranger = sender;
  }
}

/** The next datagram. On Windows a receive may fail because nothing listens at the remote end. */
async function receiveAny(
  socket: DatagramSocket,
  buffer: Uint8Array,
): Promise<[Uint8Array, Deno.Addr]> {
  while (true) {
    try {
      return await socket.receive(buffer);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }
}

/** Sends a request. Not awaited: the peer may answer before it has read everything, or read nothing. */
function startSending(
  stream: Stream,
  { request, endsSending }: Challenge,
  seen: Seen,
): void {
  const startedAt = seen.sentAt = performance.now();
  if (request === undefined) return;
  const sent = (): void => {
    seen.sentAt = performance.now();
    seen.sendMs = seen.sentAt - startedAt;
  };
  // How the connection ended shows when reading.
  const sending = writeAll(stream, request)
    .then(() => endsSending ? stream.closeWrite() : undefined)
    .catch(() => {});
  // The system takes a short request at once, but the promise may resolve only after the reply.
  if (request.length < LONG) sent();
  else sending.then(sent);
}

/** The bytes of a reply, in one piece. */
class ReplyBuffer {
  size = 0;
  #bytes = new Uint8Array(FIRST_SIZE);

  /** Where the next read puts its bytes. */
  space(): Uint8Array {
    if (this.size === this.#bytes.length) {
      const grown = new Uint8Array(this.size * 4);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return this.#bytes.subarray(this.size);
  }

  /** Takes `count` bytes that were read; returns all of the reply so far. */
  take(count: number): Uint8Array {
    this.size += count;
    return this.#bytes.subarray(0, this.size);
  }
}

function answered({ is }: Match): ProbeEnding {
  return { how: "answered", phase: "reply", right: is === "right" };
}

/** The ending of a reply to which nothing can be added any more. */
function concluded(match: Match, kind: "CLOSED" | "TIMEOUT"): ProbeEnding {
  return match.is === "part" ? { how: "failed", phase: "reply", kind } : answered(match);
}

/** Turns an error of a socket into an ending; rethrows a bug. */
async function endingOfError(error: unknown, { seen, remote, over }: Probing): Promise<Failed> {
  const { phase } = seen;
  const failed = { how: "failed", phase } as const;
  if (over.signal.aborted) {
    return over.signal.reason === "time is up"
      ? { ...failed, kind: "TIMEOUT" }
      : { ...failed, kind: "ERROR", problem: "too busy" };
  }
  const { kind, errno } = causeOf(error);
  if (phase === "reply") return { ...failed, kind: kind === "RESET" ? "RESET" : "CLOSED", errno };
  const isLocal = kind === "UNREACHABLE" && "hostname" in remote &&
    await isRefusedHere(remote.hostname, errno);
  return { ...failed, kind, errno, ...isLocal && { problem: "this host" } };
}

/** The kind and the errno of a socket's error. @throws anything else */
export function causeOf(error: unknown): Pick<Failed, "kind" | "errno"> {
  if (error instanceof SocketFailure) {
    const { kind, facts, cause } = error;
    const isTooLong = facts.phase === "connect" && facts.problem === "path too long";
    return { kind, errno: isTooLong ? "ENAMETOOLONG" : errnoOf(cause) };
  }
  const errno = errnoOf(error);
  // Deno makes EINVAL a TypeError.
  if (errno === undefined && error instanceof TypeError) throw error;
  return { kind: kindOf(error) ?? "ERROR", errno };
}
