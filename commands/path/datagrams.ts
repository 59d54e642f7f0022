import type { InternetEndpoint } from "../../protocol/addresses.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
import { Changes, pause } from "./changes.ts";

/** Holds any datagram; those of IPv6 may be a little longer than those of IPv4. */
const BUFFER_BYTES = 65_536;

/** Milliseconds before the next try to receive, when one has failed. */
const RECEIVE_PAUSE_MS = 5;

/** A datagram that has come. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: InternetEndpoint;
  /** Answers it, from the address that it was sent to. Never throws: UDP promises nothing. */
  reply(bytes: Uint8Array): Promise<void>;
}

/** UDP sockets that keep what comes until somebody takes it. */
export class Datagrams implements Disposable {
  /** Notified when a datagram comes. */
  readonly changes = new Changes();
  /** Datagrams that were not kept. */
  others = 0;
  readonly #sockets: readonly DatagramSocket[];
  readonly #isOurs: (datagram: Datagram) => boolean;
  #kept: Datagram[] = [];
  #closed = false;

  /** @param isOurs Which of the datagrams are kept. */
  constructor(
    sockets: readonly DatagramSocket[],
    isOurs: (datagram: Datagram) => boolean,
  ) {
    this.#sockets = sockets;
    this.#isOurs = isOurs;
    for (const socket of sockets) this.#receiveFrom(socket);
  }

  /** What has come and was not taken, in its order. */
  get kept(): readonly Datagram[] {
    return this.#kept;
  }

  /** Takes those of the datagrams that are meant. */
  take(isMeant: (datagram: Datagram) => boolean): readonly Datagram[] {
    const taken = this.#kept.filter(isMeant);
    this.#kept = this.#kept.filter((datagram) => !isMeant(datagram));
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
        // Closed; or, on Windows, that nobody listens where something was sent to.
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
