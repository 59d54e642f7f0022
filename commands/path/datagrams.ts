import type { InternetEndpoint } from "../../protocol/addresses.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
import { Changes, pause } from "./changes.ts";

/** Holds any datagram; over IPv6 they may be a little longer than over IPv4. */
const BUFFER_BYTES = 65_536;

/** Milliseconds to wait after a failed receive. */
const RECEIVE_PAUSE_MS = 5;

/** A datagram that has arrived. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: InternetEndpoint;
  /** Replies from the address it was sent to. Never throws: UDP promises nothing. */
  reply(bytes: Uint8Array): Promise<void>;
}

/** UDP sockets that keep datagrams until they are taken. */
export class Datagrams implements Disposable {
  /** Notified when a datagram arrives. */
  readonly changes = new Changes();
  /** Datagrams that were not kept. */
  others = 0;
  readonly #sockets: readonly DatagramSocket[];
  readonly #isOurs: (datagram: Datagram) => boolean;
  #kept: Datagram[] = [];
  #closed = false;

  /** @param isOurs Whether to keep a datagram. */
  constructor(
    sockets: readonly DatagramSocket[],
    isOurs: (datagram: Datagram) => boolean,
  ) {
    this.#sockets = sockets;
    this.#isOurs = isOurs;
    for (const socket of sockets) this.#receiveFrom(socket);
  }

  /** The datagrams not yet taken, in order of arrival. */
  get kept(): readonly Datagram[] {
    return this.#kept;
  }

  /** Takes the matching datagrams. */
  take(matches: (datagram: Datagram) => boolean): readonly Datagram[] {
    const taken = this.#kept.filter(matches);
    this.#kept = this.#kept.filter((datagram) => !matches(datagram));
    return taken;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#sockets) socket.close();
  }

  async #receiveFrom(socket: DatagramSocket): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (!this.#closed) {
      try {
        const [bytes, from] = await socket.receive(buffer);
        this.#add(bytes.slice(), internetEndpointOf(from), socket);
      } catch {
        // Closed; or, on Windows, nothing is listening where a datagram was sent.
        if (!this.#closed) await pause(RECEIVE_PAUSE_MS);
      }
    }
  }

  #add(bytes: Uint8Array, from: Deno.NetAddr, socket: DatagramSocket): void {
    const reply = async (answer: Uint8Array): Promise<void> => {
      await socket.send(answer, from).catch(() => {});
    };
    const datagram = { bytes, from, reply };
    if (this.#isOurs(datagram)) this.#kept.push(datagram);
    else this.others++;
    this.changes.notify();
  }
}
