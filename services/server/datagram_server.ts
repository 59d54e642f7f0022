import { delay } from "@std/async/delay";
import { type InternetEndpoint, loopbackAddresses } from "../../protocol/addresses.ts";
import { MAX_DATAGRAM, readDatagram } from "../../protocol/datagram.ts";
import { type ForeignStart, foreignStart } from "../../protocol/first_bytes.ts";
import type { Line } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import { reasonOf } from "../../sockets/errno.ts";
import { bindNewAddresses, bindUdp } from "../../sockets/bind_udp.ts";
import { isLoopback, isWildcard } from "../../sockets/host_addresses.ts";
import { receiveFrom } from "../../sockets/receive.ts";
import type { DatagramSocket } from "../../sockets/stream.ts";
import { system } from "../../sockets/system.ts";
import { SocketTrace, traceDatagrams } from "../../sockets/trace.ts";
import type { ReplyPlan, ReplyStep, Service } from "../service.ts";
import { BufferPool } from "./buffer_pool.ts";
import { whyIgnored } from "./conversation.ts";
import { DatagramDialogues } from "./datagram_dialogues.ts";
import { DatagramGuard } from "./datagram_guard.ts";
import { Exchange } from "./exchange.ts";
import { isRequest } from "./foreign.ts";
import { scheduler } from "./scheduler.ts";
import {
  type AddressOptions,
  ARRIVED_MS,
  commonPort,
  defaultLimits,
  guardedEvents,
  NOT_UTF8,
  type Server,
  type ServerEvents,
  type ServerOptions,
} from "./server.ts";

const encoder = new TextEncoder();

/** Bytes of a datagram from which answering it counts as long work. */
const LONG_REQUEST = 512;
/** Maximum number of replies that wait to be sent. */
const MAX_OPEN = 2_048;
/** Maximum number of delayed replies, which hold up no others. */
const MAX_LATE = 256;
/** Milliseconds between two checks for new addresses of this host. */
const NEW_ADDRESSES_MS = 2_000;
/** Bytes of a buffer that replies are encoded into, and how many buffers are kept. */
const REPLY_SIZE = 4_096;
const REPLIES_KEPT = 64;

/**
 * Starts a server that runs the service over UDP: one datagram is one request
 * and gets at most one datagram back.
 *
 * {@linkcode DatagramGuard} decides which requests are answered.
 *
 * @throws {SocketFailure} of kind `BIND` if it can't bind the addresses.
 */
export async function serveUdp(
  service: Service,
  options: ServerOptions & AddressOptions,
): Promise<Server> {
  const { addresses = loopbackAddresses, port } = options;
  const isWatching = addresses.some(isWildcard);
  const { unbound } = guardedEvents(options.events);
  const sockets = await bindUdp(addresses, port, isWatching ? unbound : undefined);
  const server = new DatagramServer(service, sockets, options);
  if (isWatching) server.watch(addresses);
  return server;
}

class DatagramServer implements Server {
  readonly protocol = "udp";
  readonly addresses: readonly InternetEndpoint[];
  readonly port: number | undefined;
  readonly finished: Promise<void>;
  served = 0;
  open = 0;
  /** How many of the open ones are delayed. */
  #late = 0;

  readonly #service: Service;
  readonly #sockets: DatagramSocket[] = [];
  readonly #options: ServerOptions;
  readonly #events: ServerEvents;
  readonly #maxRequest: number;
  readonly #guard: DatagramGuard;
  /** Of a service that converses. */
  readonly #dialogues: DatagramDialogues | undefined;
  readonly #buffers = new BufferPool(REPLY_SIZE, REPLIES_KEPT);
  readonly #stopping = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  /** Sockets being received from. */
  #serving = 0;
  #received = 0;
  #newAddresses: ReturnType<typeof setInterval> | undefined;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(service: Service, sockets: readonly DatagramSocket[], options: ServerOptions) {
    this.#service = service;
    this.#options = options;
    this.#events = guardedEvents(options.events);
    this.#maxRequest = Math.min(options.maxRequest ?? defaultLimits.maxRequest, MAX_DATAGRAM);
    this.addresses = sockets.map(({ addr }) => addr);
    this.port = commonPort(this.addresses);
    this.#guard = new DatagramGuard(service, this.#sockets);
    this.#dialogues = service.converse && new DatagramDialogues(service.converse);
    for (const socket of sockets) this.#add(socket);
    this.finished = this.#ended.promise.then(() => this.#cleanUp());
    if (options.signal?.aborted) this.#drain();
    else options.signal?.addEventListener("abort", this.#drain);
  }

  #add(socket: DatagramSocket): void {
    const { trace } = this.#options;
    const added = trace === undefined
      ? socket
      : traceDatagrams(socket, new SocketTrace(trace, `${this.#service.name}-server`));
    this.#sockets.push(added);
    this.#serving++;
    this.#serveFrom(added).then(() => {
      if (--this.#serving === 0) this.#ended.resolve();
    });
  }

  /** Also serves on addresses that this host gets later. */
  watch(addresses: readonly string[]): void {
    this.#newAddresses = setInterval(() => {
      for (const socket of bindNewAddresses(addresses, this.port ?? 0, this.#sockets)) {
        this.#add(socket);
      }
    }, NEW_ADDRESSES_MS);
  }

  #serveFrom(socket: DatagramSocket): Promise<void> {
    const isLocal = isLoopback(socket.addr.hostname);
    return receiveFrom(socket, {
      signal: this.#stopping.signal,
      onFailure: this.#events.acceptFailed,
      take: (bytes, from) => {
        const turn = bytes.length >= LONG_REQUEST ? scheduler.beforeLongWork() : undefined;
        return turn === undefined
          ? this.#take(bytes, from, socket, isLocal)
          : turn.then(() => this.#take(bytes, from, socket, isLocal));
      },
    });
  }

  /** @returns what to wait for before more is received. */
  #take(
    bytes: Uint8Array,
    from: Deno.Addr,
    socket: DatagramSocket,
    isLocal: boolean,
  ): Promise<void> | undefined {
    const exchange = new Exchange(++this.#received, readDatagram(bytes), socket, from);
    const answered = this.#answer(exchange, bytes);
    // A send may wait for the network, which must not hold up others. On loopback it never does,
    // and receiving meanwhile would find nothing yet (`task bench --only udp`).
    const mustWait = this.#options.once || (isLocal && !exchange.takesTime);
    return mustWait ? answered : undefined;
  }

  /** Answers a datagram, if the limits allow. Never throws. */
  #answer(exchange: Exchange, bytes: Uint8Array): Promise<void> | undefined {
    const { remote, datagram: { line, length, ending } } = exchange;
    const refused = this.open - this.#late >= MAX_OPEN
      ? "too many replies are waiting to be sent"
      : this.#guard.refuses(line, remote);
    if (refused !== undefined) return this.#events.ignored?.(exchange, refused) as undefined;
    const foreign = foreignStart(bytes);
    if (foreign !== undefined) this.#events.foreign?.(exchange, foreign.kind);
    const reply = this.#dialogues === undefined
      ? this.#reply(exchange, bytes, foreign)
      : this.#dialogues.reply(exchange, bytes);
    if (reply === undefined) {
      return this.#events.ignored?.(exchange, whyIgnored(bytes)) as undefined;
    }
    if (typeof reply !== "string") {
      exchange.takesTime = true;
      return this.#perform(reply, exchange);
    }
    const encoded = this.#buffers.encode(reply + ending);
    const withheld = this.#guard.withholds(reply, encoded.length, length + ending.length, remote);
    if (withheld !== undefined) return this.#events.ignored?.(exchange, withheld) as undefined;
    return this.#send(encoded, exchange, reply);
  }

  async #send(
    bytes: Uint8Array<ArrayBuffer>,
    exchange: Exchange,
    reply: string,
  ): Promise<void> {
    this.open++;
    try {
      await exchange.send(bytes);
      this.#onAnswered(exchange, exchange.datagram.line, reply);
    } catch (error) {
      this.#onUnsent(exchange, error);
    } finally {
      this.open--;
      this.#buffers.giveBack(bytes);
    }
  }

  /** Takes the steps of a reply; each `send` is a datagram. Never throws. */
  async #perform(plan: ReplyPlan, exchange: Exchange): Promise<void> {
    const { datagram: { line, length, ending }, remote } = exchange;
    const steps = [...plan.steps(ending)];
    const bytes = sentBy(steps);
    const withheld = bytes === 0
      ? undefined
      : this.#guard.withholds(plan.shown, bytes, length + ending.length, remote);
    if (withheld !== undefined) return this.#events.ignored?.(exchange, withheld);
    this.open++;
    try {
      for (const step of steps) {
        if (this.#stopping.signal.aborted) return;
        if (typeof step === "string") continue; // there is no connection
        if ("send" in step) await exchange.send(step.send);
        else if (this.#late < MAX_LATE) await this.#pause(step.waitMs);
        else return this.#events.ignored?.(exchange, "too many delayed replies");
      }
      this.#onAnswered(exchange, line, plan.shown);
    } catch (error) {
      this.#onUnsent(exchange, error);
    } finally {
      this.open--;
    }
  }

  /** Waits, at most until the server stops. */
  async #pause(ms: number): Promise<void> {
    this.#late++;
    await delay(ms, this.#stopping).catch(() => {});
    this.#late--;
  }

  #onAnswered(exchange: Exchange, request: Line, reply: string): void {
    this.served++;
    this.#events.answered?.(exchange, request, reply);
    if (this.#options.once) this.#close();
  }

  #onUnsent(exchange: Exchange, error: unknown): void {
    this.#events.ignored?.(exchange, `cannot send: ${reasonOf(error)}`);
  }

  #reply(
    exchange: Exchange,
    bytes: Uint8Array,
    foreign: ForeignStart | undefined,
  ): string | ReplyPlan {
    const { line, length } = exchange.datagram;
    if (foreign !== undefined) {
      const mayAnswer = line !== null && isRequest(foreign, bytes, this.#service, exchange);
      if (!mayAnswer) return foreign.error;
    }
    if (length > this.#maxRequest) {
      return `${ERROR_PREFIX}the request is longer than ${this.#maxRequest} bytes`;
    }
    if (line === null) return NOT_UTF8;
    const reply = this.#service.reply(line, exchange);
    // A UTF-16 code unit takes at most three bytes, so most replies need not be measured.
    const fits = typeof reply !== "string" || reply.length * 3 < system.maxDatagram ||
      encoder.encode(reply).length < system.maxDatagram;
    return fits ? reply : `${ERROR_PREFIX}the reply does not fit in a datagram`;
  }

  /** Answers what the kernel already holds, then closes. */
  readonly #drain = (): void => {
    this.#stopTimer ??= setTimeout(() => this.#close(), ARRIVED_MS);
  };

  #close(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    clearInterval(this.#newAddresses);
  }

  #cleanUp(): void {
    clearTimeout(this.#stopTimer);
    scheduler.release();
    this.#options.signal?.removeEventListener("abort", this.#drain);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.finished;
  }
}

/** Bytes of all datagrams that the steps send. */
function sentBy(steps: readonly ReplyStep[]): number {
  let bytes = 0;
  for (const step of steps) {
    if (typeof step !== "string" && "send" in step) bytes += step.send.length;
  }
  return bytes;
}
