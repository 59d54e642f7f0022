import { formatEndpoint, type InternetEndpoint } from "../../protocol/addresses.ts";
import { formatDuration, MAX_DURATION_MS } from "../../protocol/duration.ts";
import { errnoOf, kindOf, messageOf, type SocketFailureKind } from "../../sockets/errno.ts";
import { dialResettable } from "../../sockets/node_stream.ts";
import { until } from "./changes.ts";
import { ConnectionEnd } from "./connection_end.ts";
import type { FarEnd } from "./far_end.ts";
import { Finding } from "../../suite/test.ts";
import { count, firstDifference, newTag, randomBytes } from "./tag.ts";

/** How many timeouts a transfer may take as long as it makes progress. */
const LONGEST = 12;

const encoder = new TextEncoder();

/** Both ends of one connection through the forwarder. */
export interface Meeting extends Disposable {
  readonly client: ConnectionEnd;
  readonly server: ConnectionEnd;
}

export interface WayOptions {
  /** The server behind the forwarder. */
  readonly far: FarEnd;
  /** Where the forwarder may listen, tried in order. */
  readonly targets: readonly InternetEndpoint[];
  /** Milliseconds of the longest wait for anything expected. */
  readonly timeout: number;
  /** Milliseconds to leave a connection without traffic. */
  readonly idle?: number | undefined;
}

/** The path from a client through the forwarder to the server, with control of both ends. */
export class Way {
  readonly far: FarEnd;
  readonly timeout: number;
  readonly idle: number;
  readonly #targets: readonly InternetEndpoint[];
  /** The target that has answered; all questions use the same one. */
  #target: InternetEndpoint | undefined;

  constructor({ far, targets, timeout, idle = 0 }: WayOptions) {
    this.far = far;
    this.timeout = timeout;
    this.idle = idle;
    this.#targets = targets;
  }

  get #candidates(): readonly InternetEndpoint[] {
    return this.#target === undefined ? this.#targets : [this.#target];
  }

  /** The same path with another timeout. */
  withTimeout(timeout: number): Way {
    const { far, idle } = this;
    return new Way({
      far,
      idle,
      targets: this.#candidates,
      timeout: Math.min(timeout, MAX_DURATION_MS),
    });
  }

  /** Connects to the forwarder. @throws the failure of the first target if all fail. */
  async connect(): Promise<ConnectionEnd> {
    let failure: unknown;
    for (const target of this.#candidates) {
      try {
        const signal = AbortSignal.timeout(this.timeout);
        const end = new ConnectionEnd(await dialResettable({ ...target, signal }), "client");
        this.#target = target;
        return end;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  /** Stops what a question still does. */
  cancel(): Promise<void> {
    this.far.close();
    return Promise.resolve();
  }

  /** Connects to the forwarder. @throws {Finding} if it does not accept. */
  async open(): Promise<ConnectionEnd> {
    try {
      return await this.connect();
    } catch (error) {
      throw this.notConnected(error);
    }
  }

  /**
   * Connects through the forwarder to the server, and has the client send a first line.
   *
   * @throws {Finding} if that does not arrive.
   */
  async meet(id: string): Promise<Meeting> {
    const client = await this.open();
    try {
      return await this.introduce(client, newTag(id));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /**
   * Has a client that is connected to the forwarder send a first line.
   *
   * @throws {Finding} if that does not arrive at the server.
   */
  async introduce(client: ConnectionEnd, tag: string): Promise<Meeting> {
    const { far, timeout } = this;
    far.expect(tag);
    client.send(encoder.encode(tag));
    const hasArrived = (): boolean => far.arrived(tag) !== undefined;
    await until(
      () => hasArrived() || client.ending !== undefined,
      [far.changes, client.changes],
      timeout,
    );
    const server = far.arrived(tag);
    far.forget(tag);
    if (server !== undefined) {
      return {
        client,
        server,
        [Symbol.dispose]: () => close(client, server),
      };
    }
    throw new Finding({
      saw: `the client ${this.gotInstead(client)}, the server got no connection`,
      kind: kindOfEnding(client),
    });
  }

  /** Sends bytes from one end to the other. @throws {Finding} if they don't arrive as they were sent. */
  async carry(
    from: ConnectionEnd,
    to: ConnectionEnd,
    what: string,
    bytes: Uint8Array = randomBytes(64),
  ): Promise<void> {
    from.send(bytes);
    await this.receive(to, bytes, what);
  }

  /**
   * Waits for exactly these bytes at an end, as long as more keep arriving.
   *
   * @throws {Finding} if something else arrives, or nothing more.
   */
  async receive(end: ConnectionEnd, bytes: Uint8Array, what: string): Promise<void> {
    const deadline = performance.now() + LONGEST * this.timeout;
    const isOver = (): boolean => end.pending >= bytes.length || end.ending !== undefined;
    for (let had = -1; end.pending > had && !isOver() && performance.now() < deadline;) {
      had = end.pending;
      await until(() => end.pending > had || isOver(), [end.changes], this.timeout);
    }
    const received = end.take(bytes.length);
    const difference = firstDifference(received, bytes);
    if (difference !== undefined) {
      const where = `byte ${count(difference + 1)} of ${count(bytes.length)}`;
      throw new Finding({
        saw: `the ${end.side} got ${what} altered: ${where} is not what was sent`,
      });
    }
    if (end.pending > 0) {
      throw new Finding({
        saw: `the ${end.side} got ${count(end.pending)} bytes more than ${what} has`,
      });
    }
    if (received.length === bytes.length) return;
    const part = received.length === 0
      ? `instead of ${what}`
      : `after ${count(received.length)} of ${count(bytes.length)} bytes of ${what}`;
    throw new Finding({
      saw: `the ${end.side} ${this.gotInstead(end)} ${part}`,
      kind: kindOfEnding(end),
    });
  }

  /** Waits for an end to see the end of the stream. @throws {Finding} if it does not. */
  async seesEnd(end: ConnectionEnd, whose: string): Promise<void> {
    await this.ended(end);
    if (end.ending === "end of stream") return;
    throw new Finding({ saw: `the ${end.side} ${this.gotInstead(end)} instead of ${whose}` });
  }

  /** Waits for the input of an end to end, but no longer than the timeout. */
  async ended(end: ConnectionEnd): Promise<void> {
    await until(() => end.ending !== undefined, [end.changes], this.timeout);
  }

  /** What happened at an end instead of what was expected. */
  gotInstead(end: ConnectionEnd): string {
    switch (end.ending) {
      case "end of stream":
        return "got the end of the stream";
      case "reset":
        return "got a reset";
      case "broken":
        return "lost its connection";
      case undefined:
        return `got nothing within ${formatDuration(this.timeout)}`;
    }
  }

  notConnected(cause: unknown): Finding {
    const where = this.#candidates.map(formatEndpoint).join(" and ");
    const kind = kindOf(cause) ?? "ERROR";
    const how = words[kind] ?? errnoOf(cause) ?? messageOf(cause);
    return new Finding({ saw: `cannot connect to ${where}: ${how}`, kind }, { cause });
  }
}

const words: Partial<Record<SocketFailureKind, string>> = {
  REFUSED: "refused",
  RESET: "reset",
  TIMEOUT: "no answer",
};

function kindOfEnding({ ending }: ConnectionEnd): SocketFailureKind {
  if (ending === undefined) return "TIMEOUT";
  return ending === "reset" ? "RESET" : "CLOSED";
}

function close(...ends: readonly ConnectionEnd[]): void {
  for (const end of ends) end.close();
}
