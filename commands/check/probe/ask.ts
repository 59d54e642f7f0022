import { delay } from "@std/async/delay";
import type { Match } from "../../../clients/challenge.ts";
import { type Endpoint, isSameEndpoint } from "../../../protocol/addresses.ts";
import { proxyHeader } from "../../../protocol/proxy_header.ts";
import { connectTcp, connectUnix } from "../../../sockets/dial.ts";
import { kindOf } from "../../../sockets/errno.ts";
import { bindDatagrams } from "../../../sockets/listen.ts";
import {
  type DatagramSocket,
  DenoStream,
  internetEndpointOf,
  type Stream,
} from "../../../sockets/stream.ts";
import { writeAll } from "../../../sockets/write_all.ts";
import type { Challenge } from "../questions/challenge.ts";
import type { Probing, Seen } from "./probing.ts";
import { problemOf, secure, TlsFailure } from "./tls.ts";
import type { ProbeEnding } from "./verdict.ts";

/** Bytes to receive before giving up on a reply that is not yet right. */
const MAX_REPLY = 1_048_576;
/** Bytes of the first buffer for a reply; it grows as needed. */
const FIRST_SIZE = 4_096;
/** Bytes from which a request may take more than one write. */
const LONG = 4_096;
/** Holds any datagram: over IPv6 they may be slightly longer than over IPv4. */
const DATAGRAM_SIZE = 65_536;

/**
 * Connects to a probe's remote end, and secures the connection if that is asked for.
 *
 * @throws {Error} of the socket, with an errno.
 * @throws {TlsFailure} if it can't be secured.
 */
export async function openStream(probing: Probing): Promise<Stream> {
  const { remote, tls, proxyProtocol, seen, over } = probing;
  const startedAt = performance.now();
  const stream = await connect(remote, over.signal).finally(() => {
    seen.connectMs ??= performance.now() - startedAt;
  });
  over.signal.addEventListener("abort", () => stream.close(), { once: true });
  if (over.signal.aborted) stream.close();
  if (proxyProtocol !== undefined) {
    // Not awaited: how the connection ended shows when reading.
    writeAll(stream, proxyHeader(proxyProtocol, stream.local, stream.remote)).catch(() => {});
  }
  if (tls === undefined) return stream;
  const connectedAt = performance.now();
  seen.phase = "tls";
  const secured = await secure(stream, tls).finally(() => {
    seen.tlsMs ??= performance.now() - connectedAt;
  });
  const { certificate } = secured;
  seen.certificate = certificate;
  const problem = problemOf(certificate, tls);
  if (problem === undefined) return secured.stream;
  secured.stream.close();
  throw new TlsFailure(problem);
}

async function connect(remote: Endpoint, signal: AbortSignal): Promise<Stream> {
  if ("path" in remote) return await connectUnix(remote.path ?? "");
  signal.throwIfAborted();
  return readingResets(new DenoStream(await connectTcp(remote, signal)));
}

/** The system reports a reset once: after a write that met it, reading shows an ordinary end. */
function readingResets(stream: Stream): Stream {
  let reset: unknown;
  return {
    local: stream.local,
    remote: stream.remote,
    async read(buffer) {
      const count = await stream.read(buffer);
      if (count !== null) return count;
      await delay(0); // the write may have failed in the same turn
      if (reset !== undefined) throw reset;
      return null;
    },
    async write(bytes) {
      try {
        return await stream.write(bytes);
      } catch (error) {
        if (kindOf(error) === "RESET") reset = error;
        throw error;
      }
    },
    closeWrite: () => stream.closeWrite(),
    close: () => stream.close(),
    [Symbol.dispose]: () => stream.close(),
  };
}

/** Sends the request, and reads until the reply is whole, wrong, or cut short. */
export async function askOverStream(
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
    seen.firstAt ??= seen.lastAt;
    match = challenge.match(seen.reply);
    if (match.is !== "part" && match.afterMs === undefined) return answered(match);
  }
  return { how: "failed", phase: "reply", kind: "ERROR", problem: "too long" };
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

/** Sends the request, and takes the first datagram from the peer. */
export async function askOverUdp(
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

/** The ending of a reply that is right or wrong. */
function answered({ is }: Match): ProbeEnding {
  return { how: "answered", phase: "reply", right: is === "right" };
}

/** The ending of a reply to which nothing can be added any more. */
function concluded(match: Match, kind: "CLOSED" | "TIMEOUT"): ProbeEnding {
  return match.is === "part" ? { how: "failed", phase: "reply", kind } : answered(match);
}
