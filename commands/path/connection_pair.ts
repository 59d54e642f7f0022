import type { InternetEndpoint } from "../../protocol/addresses.ts";
import { EagerPeer } from "../../sockets/eager_peer.ts";
import type { SocketFailureKind } from "../../sockets/errno.ts";
import type { Stream } from "../../sockets/stream.ts";
import { Finding } from "../../suite/test.ts";
import { nounFor } from "../../text/counted.ts";
import { difference, grouped, quoted, whatCame } from "./wording.ts";
import { randomBytes } from "./tag.ts";

/** How many timeouts a transfer may take as long as it makes progress. */
const LONGEST = 12;

/** One end of a connection through the forwarder, with what has arrived there. */
export interface End extends EagerPeer {
  readonly side: "client" | "server";
  readonly local: InternetEndpoint;
  readonly remote: InternetEndpoint;
}

/** One end of a TCP connection. */
export function endOf(stream: Stream, side: End["side"]): End {
  return Object.assign(new EagerPeer(stream), { side }) as End;
}

/** Both ends of one connection through the forwarder. */
export class ConnectionPair implements Disposable {
  readonly client: End;
  readonly server: End;
  /** Milliseconds of the longest wait for anything expected. */
  readonly timeout: number;

  constructor(client: End, server: End, timeout: number) {
    this.client = client;
    this.server = server;
    this.timeout = timeout;
  }

  /** The other end. */
  peerOf({ side }: End): End {
    return side === "client" ? this.server : this.client;
  }

  /**
   * Sends bytes from one end to the other.
   *
   * @throws {Finding} if they don't arrive as they were sent.
   */
  async carry(from: End, what: string, bytes: Uint8Array = randomBytes(64)): Promise<void> {
    from.send(bytes);
    await this.receive(this.peerOf(from), bytes, what);
  }

  /**
   * Waits for these bytes at an end, as long as more keep arriving.
   *
   * @throws {Finding} if something else arrives, or nothing more.
   */
  async receive(end: End, bytes: Uint8Array, what: string): Promise<void> {
    const deadline = performance.now() + LONGEST * this.timeout;
    let count = 0;
    while (count < bytes.length && performance.now() < deadline) {
      if (!await end.until(({ length }) => length > 0, this.timeout)) break;
      const received = end.take(bytes.length - count);
      const altered = difference(received, bytes, count);
      if (altered !== undefined) {
        throw new Finding({ saw: `the ${end.side} got ${what} altered: ${altered}` });
      }
      count += received.length;
    }
    if (count === bytes.length) return;
    const part = count === 0
      ? `instead of ${what}`
      : `after ${grouped(count)} of ${grouped(bytes.length)} bytes of ${what}`;
    throw this.#unexpected(end, part);
  }

  /** Waits for an end to see the end of the stream, and nothing else. @throws {Finding} */
  async seesEnd(end: End, whose: string): Promise<void> {
    await end.untilEnd(this.timeout);
    if (end.ending !== "end of stream") throw this.#unexpected(end, `instead of ${whose}`);
    nothingLeft(end);
  }

  /**
   * Sends a last message from an end that may still send: what was left over before it makes it
   * arrive altered.
   *
   * @throws {Finding}
   */
  async conclude(from: End): Promise<void> {
    await this.carry(from, `the ${from.side}'s last message`);
  }

  /** @throws {Finding} if an end has received what nobody sent. */
  nothingLeft(): void {
    nothingLeft(this.client);
    nothingLeft(this.server);
  }

  [Symbol.dispose](): void {
    this.client.close();
    this.server.close();
  }

  #unexpected(end: End, instead: string): Finding {
    const saw = `the ${end.side} ${whatCame(end, this.timeout)} ${instead}`;
    return new Finding({ saw, kind: kindOfEnding(end) });
  }
}

function nothingLeft(end: End): void {
  if (end.pending === 0) return;
  const more = `${grouped(end.pending)} ${nounFor(end.pending, "byte")} more than was sent`;
  throw new Finding({ saw: `the ${end.side} got ${more}: ${quoted(end.peek())}` });
}

/** How a connection failed at an end that did not get what it should. */
export function kindOfEnding({ ending }: End): SocketFailureKind {
  if (ending === undefined) return "TIMEOUT";
  return ending === "reset" ? "RESET" : "CLOSED";
}
