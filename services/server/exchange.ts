import type { InternetEndpoint } from "../../protocol/addresses.ts";
import type { Datagram } from "../../protocol/datagram.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
import { withZone } from "../../sockets/zone.ts";
import type { Requester } from "../service.ts";
import type { Peer } from "./server.ts";

/** One received datagram: who sent it, what it says, and the socket that received it. */
export class Exchange implements Peer, Requester {
  readonly protocol = "udp";
  readonly canReset = false;
  readonly id: number;
  readonly remote: InternetEndpoint;
  readonly datagram: Datagram;
  /** Whether its reply is a plan, not a single datagram sent at once. */
  takesTime = false;
  readonly #socket: DatagramSocket;
  readonly #to: Deno.Addr;

  constructor(id: number, datagram: Datagram, socket: DatagramSocket, from: Deno.Addr) {
    this.id = id;
    this.datagram = datagram;
    this.remote = withZone(internetEndpointOf(from), socket.addr);
    this.#socket = socket;
    this.#to = from;
  }

  get local(): InternetEndpoint {
    return this.#socket.addr;
  }

  send(bytes: Uint8Array): Promise<number> {
    return this.#socket.send(bytes, this.#to);
  }
}
