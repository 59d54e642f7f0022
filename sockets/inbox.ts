import type { InternetEndpoint } from "../protocol/addresses.ts";
import { Changes, until } from "./changes.ts";
import { receiveFrom } from "./receive.ts";
import { type DatagramSocket, internetEndpointOf } from "./stream.ts";
import { withZone } from "./zone.ts";

/** Maximum number of datagrams kept; further ones are dropped, as in a full receive buffer. */
const MAX_KEPT = 8_192;

/** A datagram that has arrived. */
export interface Received {
  readonly bytes: Uint8Array;
  readonly from: InternetEndpoint;
  /** When it was received, as `performance.now()`. */
  readonly at: number;
  /** Replies from the address that it was sent to. Never throws: UDP promises nothing. */
  reply(bytes: Uint8Array): Promise<void>;
}

/** Keeps the datagrams that arrive at sockets until they are taken. Disposing closes the sockets. */
export class Inbox implements Disposable {
  /** Notified when a datagram arrives, and when the sockets are closed. */
  readonly changes = new Changes();
  /** Datagrams that were not kept. */
  others = 0;
  readonly #closed = new AbortController();
  readonly #accepts: (datagram: Received) => boolean;
  #kept: Received[] = [];

  /** @param accepts Whether to keep a datagram. @default {all are kept} */
  constructor(
    sockets: readonly DatagramSocket[],
    accepts: (datagram: Received) => boolean = () => true,
  ) {
    this.#accepts = accepts;
    const { signal } = this.#closed;
    for (const socket of sockets) {
      receiveFrom(socket, { signal, take: (bytes, from) => this.#add(bytes, from, socket) });
    }
  }

  /** The datagrams not yet taken, in order of arrival. */
  get kept(): readonly Received[] {
    return this.#kept;
  }

  /** Takes the matching datagrams. */
  take(matches: (datagram: Received) => boolean): readonly Received[] {
    const { taken = [], left = [] } = Object.groupBy(
      this.#kept,
      (datagram) => matches(datagram) ? "taken" : "left",
    );
    this.#kept = left;
    return taken;
  }

  /** Takes the next datagram; `undefined` if none arrives within this many milliseconds. */
  async next(milliseconds: number): Promise<Received | undefined> {
    const isOver = (): boolean => this.#kept.length > 0 || this.#closed.signal.aborted;
    await until(isOver, [this.changes], milliseconds);
    return this.#kept.shift();
  }

  /** May be called twice. */
  [Symbol.dispose](): void {
    this.#closed.abort();
    this.changes.notify();
  }

  #add(bytes: Uint8Array, from: Deno.Addr, socket: DatagramSocket): undefined {
    const reply = async (answer: Uint8Array): Promise<void> => {
      await socket.send(answer, from).catch(() => {});
    };
    const datagram = {
      bytes: bytes.slice(),
      from: withZone(internetEndpointOf(from), socket.addr),
      at: performance.now(),
      reply,
    };
    if (this.#kept.length < MAX_KEPT && this.#accepts(datagram)) this.#kept.push(datagram);
    else this.others++;
    this.changes.notify();
  }
}
