import {
  type Endpoint,
  formatEndpoints,
  type InternetEndpoint,
  type Protocol,
} from "../protocol/addresses.ts";
import { formatDuration } from "../protocol/duration.ts";
import { Failure } from "../protocol/failure.ts";
import {
  SocketTrace,
  type StreamSocket,
  type Trace,
  traceStream,
} from "../protocol/socket_events.ts";
import { type Call, StreamCall } from "./call.ts";
import { kindOf } from "./socket_errors.ts";

/** Milliseconds after which the next address is tried beside one that is silent (RFC 8305, section 5). */
const NEXT_ATTEMPT_MS = 250;

/** Whom to call over TCP or UDP, and how long to wait. */
export interface DialOptions {
  /** The server's IP addresses, tried in this order. */
  readonly addresses: readonly string[];
  /** Port, 1-65535. */
  readonly port: number;
  /** Milliseconds to wait for the connection, and then for each next reply. */
  readonly timeout: number;
  /** Milliseconds of the wait for the connection that are spent already. @default {0} */
  readonly spent?: number;
  readonly watch?: Watch | undefined;
}

/** Takes what happens to a client's sockets. */
export interface Watch {
  readonly trace: Trace;
  /** The program's name in the events: `calc-client`. */
  readonly who: string;
}

/**
 * Connects over TCP to the first of the addresses that answers.
 *
 * @throws {Failure} of kind `REFUSED`, `UNREACHABLE`, `RESET` or `TIMEOUT` if none does.
 */
export async function dial(options: DialOptions): Promise<Call> {
  const { addresses, port, timeout, spent = 0 } = options;
  const endpoints = addresses.map((hostname) => ({ hostname, port }));
  try {
    const signal = AbortSignal.timeout(Math.max(1, timeout - spent));
    return new StreamCall(await connectToFirst(endpoints, signal, options.watch), timeout);
  } catch (error) {
    const errors = error instanceof AggregateError ? error.errors : [error];
    throw connectFailure(errors, endpoints, "tcp", timeout);
  }
}

/**
 * Connects to a Unix socket.
 *
 * @param timeout Milliseconds to wait for each next reply.
 * @throws {Failure} of kind `REFUSED` if nobody listens at the path, `ERROR` if it is not permitted.
 */
export async function dialUnix(
  path: string,
  timeout: number,
  watch?: Watch,
): Promise<Call> {
  try {
    const connect = (): Promise<Deno.UnixConn> => Deno.connect({ transport: "unix", path });
    return new StreamCall(await open({ path }, connect, watch), timeout);
  } catch (error) {
    throw connectFailure([error], [{ path }], "unix", timeout);
  }
}

/**
 * Tries one address after the other, the next as soon as one has failed or has
 * been silent for a moment, and keeps the first connection (RFC 8305).
 *
 * @throws {AggregateError} of all that went wrong if no address can be connected to.
 */
async function connectToFirst(
  endpoints: readonly InternetEndpoint[],
  signal: AbortSignal,
  watch: Watch | undefined,
): Promise<StreamSocket> {
  const decided = new AbortController();
  const eitherSignal = AbortSignal.any([signal, decided.signal]);
  const attempts: Promise<StreamSocket>[] = [];
  for (const endpoint of endpoints) {
    const attempt = open(
      endpoint,
      () => Deno.connect({ ...endpoint, signal: eitherSignal }),
      watch,
    );
    attempts.push(attempt);
    const isLast = attempts.length === endpoints.length;
    if (!isLast && await succeedsInTime(attempt)) break;
  }
  try {
    return await Promise.any(attempts);
  } finally {
    decided.abort();
    closeAllButFirst(attempts);
  }
}

/** Opens a socket and connects it; where it is watched, tells so. */
export async function open(
  remote: Endpoint,
  connect: () => Promise<StreamSocket>,
  watch: Watch | undefined,
): Promise<StreamSocket> {
  if (watch === undefined) return await connect();
  const trace = new SocketTrace(watch.trace, watch.who);
  trace.remote = remote;
  trace.tell("socket");
  const time = performance.now();
  try {
    const socket = traceStream(await connect(), trace);
    trace.tell("connect", { time });
    return socket;
  } catch (error) {
    return trace.fail("connect", error, { time });
  }
}

/** Whether a connection is there before the next is to be tried. */
async function succeedsInTime(attempt: Promise<StreamSocket>): Promise<boolean> {
  const { promise: silent, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), NEXT_ATTEMPT_MS);
  try {
    return await Promise.race([attempt.then(() => true, () => false), silent]);
  } finally {
    clearTimeout(timer);
  }
}

/** Two addresses may have answered at the same moment. */
function closeAllButFirst(attempts: readonly Promise<StreamSocket>[]): void {
  let first: StreamSocket | undefined;
  for (const attempt of attempts) {
    attempt.then((conn) => {
      first ??= conn;
      if (conn !== first) conn[Symbol.dispose]();
    }, () => {});
  }
}

/** What tells the user most of several failures: that a host answered, before that none was reached. */
function connectFailure(
  errors: readonly unknown[],
  endpoints: readonly Endpoint[],
  protocol: Protocol,
  timeout: number,
): Failure {
  const cause = errors.find((error) => kindOf(error) === "TIMEOUT") ??
    errors.find((error) => kindOf(error) !== "UNREACHABLE") ?? errors[0];
  const kind = kindOf(cause);
  const message = `cannot connect to ${formatEndpoints(endpoints, protocol)}`;
  if (kind === "TIMEOUT") {
    return new Failure(kind, `${message} within ${formatDuration(timeout)}`, { cause });
  }
  if (kind !== undefined) return new Failure(kind, message, { cause });
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure("ERROR", `${message}: ${why}`, { cause });
}
