import { deadline } from "@std/async/deadline";
import { type Endpoint, type InternetEndpoint, isSameEndpoint } from "../protocol/addresses.ts";
import { descriptors } from "./descriptors.ts";
import { errnoOf, kindOf, kindOfPath, type SocketFailureKind } from "./errno.ts";
import { type Attempt, type ConnectFacts, SocketFailure } from "./failure.ts";
import type { Trace } from "./socket_events.ts";
import { DenoStream, type Ends, type Stream } from "./stream.ts";
import { system } from "./system.ts";
import { SocketTrace, TracedStream } from "./trace.ts";

/** Milliseconds after which the next address is tried alongside a silent one (RFC 8305, section 5). */
const NEXT_ATTEMPT_MS = 250;

/** Receives the events of a client's sockets. */
export interface Watch {
  readonly trace: Trace;
  /** The program's name in the events: `calc-client`. */
  readonly who: string;
}

/** How long to try to connect, and where to report events. */
export interface ConnectOptions {
  /** Milliseconds allowed to resolve and connect. */
  readonly timeout: number;
  /** Milliseconds of these already spent. @default {0} */
  readonly spent?: number | undefined;
  readonly watch?: Watch | undefined;
  /** Ends the attempt early. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects over TCP to the first of the endpoints that answers, trying the next
 * as soon as one has failed or has been silent for a moment (RFC 8305).
 *
 * @throws {SocketFailure} of kind `REFUSED`, `UNREACHABLE`, `RESET` or `TIMEOUT` if none does.
 */
export async function connectToFirst(
  endpoints: readonly InternetEndpoint[],
  options: ConnectOptions,
): Promise<Stream> {
  const { timeout, spent = 0, watch, signal } = options;
  const over = new AbortController();
  const stop = (): void => over.abort(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  // AbortSignal.timeout() would hold its memory until it fires, long after it is needed.
  const timer = setTimeout(() => {
    over.abort(new DOMException("no connection in time", "TimeoutError"));
  }, Math.max(1, timeout - spent));
  const connect = (endpoint: InternetEndpoint, signal: AbortSignal): Promise<Stream> =>
    open(endpoint, () => connectTcp(endpoint, signal), watch);
  try {
    return (await firstToAnswer(endpoints, connect, over)).connection;
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    const tried = endpoints.slice(0, error.errors.length);
    const failed = tried.map((endpoint, index) => attemptOf(endpoint, error.errors[index]));
    throw connectFailure(failed, { protocol: "tcp", timeoutMs: timeout });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** A connection that was made, and where to. */
interface Answered<C> {
  readonly connection: C;
  readonly endpoint: InternetEndpoint;
}

/**
 * Connects to the first of the endpoints that answers: the next is tried as soon as one has failed
 * or has been silent for a moment (RFC 8305), and as long as none has answered. One that reset the
 * connection after the handshake has answered.
 *
 * @param over Ends all attempts; is aborted as soon as one has succeeded.
 * @throws {AggregateError} of an error for each endpoint that was tried.
 */
export async function firstToAnswer<C extends { close(): void }>(
  endpoints: readonly InternetEndpoint[],
  connect: (endpoint: InternetEndpoint, signal: AbortSignal) => Promise<C>,
  over: AbortController,
): Promise<Answered<C>> {
  const attempts: Promise<Answered<C>>[] = [];
  let chosen: C | undefined;
  for (const endpoint of endpoints) {
    const attempt = connect(endpoint, over.signal).then((connection) => ({ connection, endpoint }));
    attempts.push(attempt);
    const isLast = attempts.length === endpoints.length;
    if (!isLast && await answersInTime(attempt)) break;
  }
  try {
    const first = await Promise.any(attempts);
    chosen = first.connection;
    return first;
  } finally {
    if (attempts.length > 1) {
      over.abort();
      closeOthers(attempts, chosen);
    }
  }
}

/**
 * Connects to a Unix socket.
 *
 * @throws {SocketFailure} of kind `REFUSED` if nothing is listening at the path, `ERROR` if it is not permitted.
 */
export async function connectUnix(path: string, watch?: Watch): Promise<Stream> {
  const facts = { protocol: "unix", timeoutMs: 0 } as const;
  const failure = (kind: SocketFailureKind, problem: ConnectFacts["problem"], error?: unknown) =>
    connectFailure([{ endpoint: { path }, kind, error }], { ...facts, problem });
  if (new TextEncoder().encode(path).length > system.maxUnixPath) {
    throw failure("ERROR", "path too long");
  }
  try {
    return await open({ path }, () => Deno.connect({ transport: "unix", path }), watch);
  } catch (error) {
    throw failure(kindOfPath(error) ?? "ERROR", problemAt(path), error);
  }
}

/** What is wrong with a path that can't be connected to, if the file itself shows it. */
function problemAt(path: string): ConnectFacts["problem"] {
  try {
    return Deno.statSync(path).isSocket ? undefined : "not a socket";
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? "nothing" : undefined;
  }
}

/** Connects to an endpoint, but never to itself. */
export async function connectTcp(
  endpoint: InternetEndpoint,
  signal?: AbortSignal,
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ ...endpoint, ...(signal && { signal }) });
  return notToItself(conn, conn.localAddr, conn.remoteAddr);
}

/**
 * Closes a connection whose ends are the same. A socket that connects to a free port of the
 * ephemeral range may be given that very port as its own, and TCP then connects it to itself
 * (RFC 9293, section 3.5: simultaneous open).
 *
 * @throws {Deno.errors.ConnectionRefused} if they are.
 */
export function notToItself<C extends { close(): void }>(
  connection: C,
  local: InternetEndpoint,
  remote: InternetEndpoint,
): C {
  if (!isSameEndpoint(local, remote)) return connection;
  connection.close();
  const message = "connected to itself: nothing is listening there";
  throw Object.assign(new Deno.errors.ConnectionRefused(message), { code: "ECONNREFUSED" });
}

/** Opens a socket and connects it, reporting the calls to `watch` if given. */
export async function open(
  remote: Endpoint,
  connect: () => Promise<Deno.TcpConn | Deno.UnixConn>,
  watch: Watch | undefined,
): Promise<Stream> {
  const ends = "path" in remote ? { remote } : {}; // a server's socket may be bound under another name
  if (watch === undefined) return await openCounted(connect, ends);
  const trace = new SocketTrace(watch.trace, watch.who);
  trace.ends = { remote };
  trace.report("socket");
  const time = performance.now();
  try {
    const stream = new TracedStream(await openCounted(connect, ends), trace);
    trace.made("connect", time);
    return stream;
  } catch (error) {
    return trace.fail("connect", error, { time, duration: performance.now() - time });
  }
}

/** The descriptor is in use as soon as the attempt begins. */
async function openCounted(
  connect: () => Promise<Deno.TcpConn | Deno.UnixConn>,
  ends: Ends,
): Promise<Stream> {
  const giveBack = descriptors.take();
  try {
    return new DenoStream(await connect(), ends, giveBack);
  } catch (error) {
    giveBack();
    throw error;
  }
}

/** Whether an attempt is answered before the next is due. */
function answersInTime(attempt: Promise<unknown>): Promise<boolean> {
  // Where the connection was reset before it could be used, Linux reports one of these.
  const wasReset = (error: unknown) => ["ENOTCONN", "ECONNRESET"].includes(errnoOf(error) ?? "");
  return deadline(attempt, NEXT_ATTEMPT_MS).then(() => true, wasReset);
}

/** Two addresses may have answered at the same moment. */
function closeOthers<C extends { close(): void }>(
  attempts: readonly Promise<Answered<C>>[],
  chosen: C | undefined,
): void {
  for (const attempt of attempts) {
    attempt.then(({ connection }) => {
      if (connection !== chosen) connection.close();
    }, () => {});
  }
}

/**
 * Which of several failures counts, the one that got furthest first: an answer
 * from a host says more than no answer.
 */
const furthestFirst: readonly SocketFailureKind[] = ["RESET", "REFUSED", "UNREACHABLE", "TIMEOUT"];

function attemptOf(endpoint: Endpoint, error: unknown): Attempt {
  const kind = kindOf(error) ?? "ERROR";
  // An address is looked up for its zone alone.
  return { endpoint, kind: kind === "DNS" ? "ERROR" : kind, error };
}

function connectFailure(
  attempts: readonly Attempt[],
  facts: Pick<ConnectFacts, "protocol" | "timeoutMs" | "problem">,
): SocketFailure {
  const kind = furthestFirst.find((kind) => attempts.some((attempt) => attempt.kind === kind)) ??
    "ERROR";
  const cause = attempts.find((attempt) => attempt.kind === kind)?.error;
  return new SocketFailure(kind, { phase: "connect", attempts, ...facts }, cause);
}
