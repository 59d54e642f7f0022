import { formatEndpoint, type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { errnoOf, kindOf } from "../../sockets/errno.ts";
import { bindDatagrams } from "../../sockets/listen.ts";
import type { DatagramSocket } from "../../sockets/stream.ts";
import { pause, until } from "./changes.ts";
import { type Datagram, Datagrams } from "./datagrams.ts";
import { since } from "./timing.ts";
import { Finding } from "../../suite/test.ts";
import { count, firstDifference, hasTagOf, mayBeTag } from "./tag.ts";

/** How often to send a request before it counts as lost: path MTU discovery loses the first. */
const TRIES = 2;

/** A request, and the replies that it should get. */
export interface Exchange {
  readonly request: Uint8Array;
  readonly replies: readonly Uint8Array[];
  /** Milliseconds between the request and its replies. @default {0} */
  readonly delay?: number;
}

export interface DatagramWayOptions {
  /** The server behind the forwarder. */
  readonly far: Datagrams;
  /** Where the forwarder may listen, tried in order. */
  readonly targets: readonly InternetEndpoint[];
  /** Milliseconds of the longest wait for anything expected. */
  readonly timeout: number;
}

/** Whether a datagram at the far end may be one of `path`'s: only an empty one has no tag. */
export function isOurs({ bytes }: Datagram): boolean {
  return mayBeTag(bytes);
}

/** The path of datagrams from a client through the forwarder to the server. */
export class DatagramWay {
  readonly far: Datagrams;
  /** Where the forwarder may listen. */
  readonly targets: readonly InternetEndpoint[];
  readonly timeout: number;
  /** Where it was found to listen; all questions use the same address. */
  target: InternetEndpoint | undefined;

  constructor({ far, targets, timeout }: DatagramWayOptions) {
    this.far = far;
    this.targets = targets;
    this.timeout = timeout;
    this.target = targets[0];
  }

  /** Stops what a question still does. */
  cancel(): Promise<void> {
    this.far[Symbol.dispose]();
    return Promise.resolve();
  }

  /** Opens a client with its own socket. */
  open(): DatagramClient {
    if (this.target === undefined) throw new RangeError("Cannot ask without an address");
    return new DatagramClient(this.target);
  }

  /**
   * Sends a request, answers it at the other end, and waits for the replies.
   *
   * @returns milliseconds until the request had arrived, and until all replies had.
   * @throws {Finding} if something did not arrive, or not as it was sent.
   */
  async exchange(
    client: DatagramClient,
    { request, replies, delay = 0 }: Exchange,
  ): Promise<{ readonly up: number; readonly both: number }> {
    const isRequest = ({ bytes }: Datagram): boolean => hasTagOf(request, bytes);
    let up: number | undefined;
    for (let tries = 1; tries <= TRIES; tries++) {
      const start = performance.now();
      await client.send(request);
      const hasArrived = (): boolean => this.far.kept.some(isRequest);
      await until(hasArrived, [this.far.changes], this.timeout / TRIES);
      const [arrived] = this.far.take(isRequest);
      if (arrived === undefined) continue;
      up = since(start);
      compare(arrived.bytes, request, "the server", "the request");
      if (delay > 0) await pause(delay);
      for (const reply of replies) await arrived.reply(reply);
      await this.#collect(client, replies);
      if (missing(client, replies) === 0) return { up, both: since(start) };
    }
    const saw = this.#describe(client, replies, up !== undefined);
    throw new Finding({ saw, kind: "TIMEOUT" });
  }

  /** Waits until all replies have arrived, as they were sent. @throws {Finding} if one is not. */
  async #collect(client: DatagramClient, replies: readonly Uint8Array[]): Promise<void> {
    const { received } = client;
    await until(() => missing(client, replies) === 0, [received.changes], this.timeout / TRIES);
    for (const { bytes } of received.kept) {
      const reply = replies.find((reply) => hasTagOf(reply, bytes));
      if (reply !== undefined) compare(bytes, reply, "the client", "the reply");
      else throw new Finding({ saw: "the client got a reply that is not its own" });
    }
  }

  #describe(client: DatagramClient, replies: readonly Uint8Array[], arrived: boolean): string {
    const time = formatDuration(this.timeout);
    if (!arrived) return `the server got no request within ${time}`;
    const received = replies.length - missing(client, replies);
    if (received > 0) return `the client got ${received} of ${replies.length} replies`;
    const { stranger } = client;
    if (stranger === undefined) return `the client got no reply within ${time}`;
    return `the client got a reply from ${formatEndpoint(stranger)}, which it did not send to`;
  }
}

/** The number of replies that have not arrived. */
function missing({ received }: DatagramClient, replies: readonly Uint8Array[]): number {
  const hasArrived = (reply: Uint8Array): boolean =>
    received.kept.some(({ bytes }) => hasTagOf(reply, bytes));
  return replies.filter((reply) => !hasArrived(reply)).length;
}

function compare(bytes: Uint8Array, sent: Uint8Array, who: string, what: string): void {
  if (bytes.length !== sent.length) {
    throw new Finding({ saw: `${who} got ${count(bytes.length)} of ${count(sent.length)} bytes` });
  }
  const difference = firstDifference(bytes, sent);
  if (difference === undefined) return;
  const where = `byte ${count(difference + 1)} of ${count(sent.length)}`;
  throw new Finding({ saw: `${who} got ${what} altered: ${where} is not what was sent` });
}

/** A client that sends to the forwarder and keeps what it sends back. */
export class DatagramClient implements Disposable {
  readonly received: Datagrams;
  /** Another endpoint that has sent something. */
  stranger: InternetEndpoint | undefined;
  readonly #socket: DatagramSocket;
  readonly #target: InternetEndpoint;

  constructor(target: InternetEndpoint) {
    this.#target = target;
    const hostname = target.hostname.includes(":") ? "::" : "0.0.0.0";
    this.#socket = bindDatagrams({ hostname, port: 0 });
    this.received = new Datagrams([this.#socket], ({ from }) => {
      const isTarget = isSameEndpoint(from, target);
      if (!isTarget) this.stranger = from;
      return isTarget;
    });
  }

  /** @throws {Finding} if this host can't send it. */
  async send(bytes: Uint8Array): Promise<void> {
    try {
      await this.#socket.send(bytes, { transport: "udp", ...this.#target });
    } catch (cause) {
      const why = errnoOf(cause) ?? "not sent";
      const saw = `the client can't send ${count(bytes.length)} bytes: ${why}`;
      throw new Finding({ saw, kind: kindOf(cause) }, { cause });
    }
  }

  [Symbol.dispose](): void {
    this.received[Symbol.dispose]();
  }
}
