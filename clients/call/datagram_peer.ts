import { type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { kindOf } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { Inbox } from "../../sockets/inbox.ts";
import { bindClient } from "../../sockets/listen.ts";
import type { Watch } from "../../sockets/dial.ts";
import { SocketTrace, traceDatagrams } from "../../sockets/trace.ts";
import type { DatagramSocket } from "../../sockets/stream.ts";

/** A server over UDP, as one socket of a client sees it. */
export class DatagramPeer implements Disposable {
  readonly remote: InternetEndpoint;
  readonly inbox: Inbox;
  /** Whose datagrams are kept. @default {those of the server} */
  accepts: (from: InternetEndpoint) => boolean;
  readonly #socket: DatagramSocket;
  readonly #to: Deno.NetAddr;

  /** @throws {SocketFailure} if no socket can be opened for it. */
  constructor(remote: InternetEndpoint, watch?: Watch) {
    this.remote = remote;
    this.#socket = open(remote, watch);
    this.#to = { transport: "udp", ...remote };
    this.accepts = (from) => isSameEndpoint(from, remote);
    this.inbox = new Inbox([this.#socket], ({ from }) => this.accepts(from));
  }

  get local(): InternetEndpoint {
    return this.#socket.addr;
  }

  /** @throws {SocketFailure} if it can't be sent. */
  async send(bytes: Uint8Array): Promise<void> {
    try {
      await this.#socket.send(bytes, this.#to);
    } catch (cause) {
      throw sendFailure(this.remote, cause);
    }
  }

  [Symbol.dispose](): void {
    this.inbox[Symbol.dispose]();
  }
}

function open(remote: InternetEndpoint, watch: Watch | undefined): DatagramSocket {
  try {
    const socket = bindClient(remote);
    return watch === undefined
      ? socket
      : traceDatagrams(socket, new SocketTrace(watch.trace, watch.who));
  } catch (cause) {
    throw sendFailure(remote, cause);
  }
}

function sendFailure(endpoint: InternetEndpoint, cause: unknown): SocketFailure {
  return new SocketFailure(
    kindOf(cause) ?? "ERROR",
    { phase: "send", endpoint, protocol: "udp" },
    cause,
  );
}
