import type { EagerPeer } from "../../../sockets/eager_peer.ts";
import type { InternetEndpoint } from "../../../protocol/addresses.ts";
import { until } from "../../../sockets/changes.ts";
import type { DatagramSocket } from "../../../sockets/stream.ts";
import { Inbox, type Received } from "../../../sockets/inbox.ts";

/** What both kinds of client can do that netdemo plays: over TCP a connection, over UDP a socket. */
export type Peer =
  & Pick<EagerPeer, "peek" | "take" | "ending" | "until" | "untilSilent" | "untilEnd">
  & Pick<EagerPeer, "send" | "closeWrite" | "close">
  & Disposable;

/** A client's datagram socket, and the datagrams that it got; only the oldest is seen. */
export class UdpPeer implements Peer {
  /** Nothing ends. */
  readonly ending = undefined;
  readonly #socket: DatagramSocket;
  readonly #inbox: Inbox;
  readonly #server: () => InternetEndpoint;

  /** @param server Where to send to: asked each time, as the port may be found out late. */
  constructor(socket: DatagramSocket, server: () => InternetEndpoint) {
    this.#socket = socket;
    this.#inbox = new Inbox([socket]);
    this.#server = server;
  }

  /** The oldest datagram that was not taken yet. */
  get oldest(): Received | undefined {
    return this.#inbox.kept[0];
  }

  peek(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.oldest?.bytes ?? []);
  }

  take(): Uint8Array<ArrayBuffer> {
    const { oldest } = this;
    const bytes = this.peek();
    this.#inbox.take((datagram) => datagram === oldest);
    return bytes;
  }

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    // Windows reports here that an earlier datagram was refused.
    await this.#socket.send(bytes, { transport: "udp", ...this.#server() }).catch(() => {});
  }

  async until(
    test: (bytes: Uint8Array<ArrayBuffer>) => boolean,
    milliseconds: number,
  ): Promise<boolean> {
    await this.hasCome(milliseconds);
    return test(this.peek());
  }

  /** Waits up to this many milliseconds for a datagram, an empty one too; returns whether it came. */
  async hasCome(milliseconds: number): Promise<boolean> {
    return await until(() => this.oldest !== undefined, [this.#inbox.changes], milliseconds);
  }

  /** A datagram is whole when it comes. */
  untilSilent(): Promise<void> {
    return Promise.resolve();
  }

  untilEnd(): Promise<boolean> {
    return Promise.resolve(true);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#inbox[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
