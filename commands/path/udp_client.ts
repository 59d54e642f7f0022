import { type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { errnoOf, kindOf } from "../../sockets/errno.ts";
import { Inbox, type Received } from "../../sockets/inbox.ts";
import { bindDatagrams } from "../../sockets/listen.ts";
import type { DatagramSocket } from "../../sockets/stream.ts";
import { Finding, Skipped } from "../../suite/test.ts";
import { grouped } from "./wording.ts";

/** A client that sends to the forwarder, and keeps what comes back, from wherever it comes. */
export class UdpClient implements Disposable {
  readonly inbox: Inbox;
  readonly target: InternetEndpoint;
  readonly #socket: DatagramSocket;

  constructor(target: InternetEndpoint) {
    this.target = target;
    const hostname = target.hostname.includes(":") ? "::" : "0.0.0.0";
    this.#socket = bindDatagrams({ hostname, port: 0 });
    this.inbox = new Inbox([this.#socket]);
  }

  /** The datagrams from the forwarder. */
  get replies(): readonly Received[] {
    return this.inbox.kept.filter(({ from }) => isSameEndpoint(from, this.target));
  }

  /** Another endpoint that has sent something. */
  get stranger(): InternetEndpoint | undefined {
    return this.inbox.kept.find(({ from }) => !isSameEndpoint(from, this.target))?.from;
  }

  /**
   * Sends a datagram. @param to Where to. @default {the forwarder}
   *
   * @throws {Finding} if this host can't send it.
   * @throws {Skipped} if this host sends no datagrams of that size.
   */
  async send(bytes: Uint8Array, to = this.target): Promise<void> {
    try {
      await this.#socket.send(bytes, { transport: "udp", ...to });
    } catch (cause) {
      const errno = errnoOf(cause);
      const size = `${grouped(bytes.length)} bytes`;
      if (errno === "EMSGSIZE") {
        throw new Skipped(`this host itself does not send datagrams of ${size} (EMSGSIZE)`);
      }
      const saw = `the client can't send ${size}: ${errno ?? "not sent"}`;
      throw new Finding({ saw, kind: kindOf(cause) }, { cause });
    }
  }

  [Symbol.dispose](): void {
    this.inbox[Symbol.dispose]();
  }
}
