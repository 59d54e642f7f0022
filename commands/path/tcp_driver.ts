import { formatEndpoint, type InternetEndpoint } from "../../protocol/addresses.ts";
import { MAX_DURATION_MS } from "../../protocol/duration.ts";
import { EagerPeer } from "../../sockets/eager_peer.ts";
import { errnoOf, kindOf, reasonOf, type SocketFailureKind } from "../../sockets/errno.ts";
import { dialResettable } from "../../sockets/node_stream.ts";
import { system } from "../../sockets/system.ts";
import { Finding } from "../../suite/test.ts";
import { ConnectionPair, type End, endOf, kindOfEnding } from "./connection_pair.ts";
import { hasMarkOf, newTag } from "./tag.ts";
import type { TcpBackend } from "./tcp_backend.ts";
import { alteration, quoted, whatCame } from "./wording.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface TcpDriverOptions {
  /** The server behind the forwarder. */
  readonly backend: TcpBackend;
  /** Where the forwarder may listen, tried in order. */
  readonly targets: readonly InternetEndpoint[];
  /** Milliseconds of the longest wait for anything expected. */
  readonly timeout: number;
  /** Milliseconds to leave a connection without traffic. @default {that is not asked about} */
  readonly idle?: number | undefined;
  /** MiB to send each way at once. */
  readonly bulk: number;
}

/** Makes connections through the forwarder, and has both ends of each. */
export class TcpDriver {
  readonly options: TcpDriverOptions;
  /** Once one has answered, only that one: all questions use the same. */
  #targets: readonly InternetEndpoint[];

  constructor(options: TcpDriverOptions) {
    this.options = options;
    this.#targets = options.targets;
  }

  /** The same driver with another timeout. */
  withTimeout(timeout: number): TcpDriver {
    const possible = Math.min(timeout, MAX_DURATION_MS);
    return new TcpDriver({ ...this.options, targets: this.#targets, timeout: possible });
  }

  /** Connects to the forwarder. @throws the failure of the first target if all fail. */
  async connect(): Promise<End> {
    let failure: unknown;
    for (const target of this.#targets) {
      try {
        const signal = AbortSignal.timeout(Math.max(this.options.timeout, 2 * system.refusalMs));
        const client = endOf(await dialResettable({ ...target, signal }), "client");
        this.#targets = [target];
        return client;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  /** Connects to the forwarder. @throws {Finding} if it does not accept. */
  async open(): Promise<End> {
    try {
      return await this.connect();
    } catch (error) {
      throw this.notConnected(error);
    }
  }

  /**
   * Connects through the forwarder to the server, and has the client send a first line.
   *
   * @param id The question for which it is.
   * @throws {Finding} if that does not arrive.
   */
  async pair(id: string): Promise<ConnectionPair> {
    const client = await this.open();
    try {
      return await this.introduce(client, id);
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
  async introduce(client: End, id: string): Promise<ConnectionPair> {
    const { backend, timeout } = this.options;
    const tag = newTag(id);
    const arrival = backend.arrival(tag, client, timeout);
    client.send(tag);
    const came = await arrival;
    if (came instanceof EagerPeer) return new ConnectionPair(client, came, timeout);
    if (came !== undefined && hasMarkOf(tag, came)) throw alteredLine(came, encoder.encode(tag));
    const atServer = came === undefined ? "no connection" : `${quoted(came)} instead of its line`;
    throw new Finding({
      saw: `the client ${whatCame(client, timeout)}, the server got ${atServer}`,
      kind: kindOfEnding(client),
      fix: answeredByItself(client.peek()),
    });
  }

  notConnected(cause: unknown): Finding {
    const where = this.#targets.map(formatEndpoint).join(" and ");
    const kind = kindOf(cause) ?? "ERROR";
    const how = words[kind] ?? errnoOf(cause) ?? reasonOf(cause);
    return new Finding({ saw: `cannot connect to ${where}: ${how}`, kind }, { cause });
  }
}

const words: Partial<Record<SocketFailureKind, string>> = {
  REFUSED: "refused",
  RESET: "reset",
  TIMEOUT: "no answer",
};

function alteredLine(got: Uint8Array, sent: Uint8Array): Finding {
  const how = alteration(got, sent);
  return new Finding({
    saw: `the server got the client's first line altered${how === undefined ? "" : `: ${how}`}`,
    fix: `the client sent ${quoted(sent)}, the server got ${quoted(got)}`,
  });
}

/** What to do about an answer to the client that does not come from the server. */
function answeredByItself(answer: Uint8Array): string | undefined {
  if (answer.length === 0) return undefined;
  return /^HTTP\/\d/.test(decoder.decode(answer))
    ? "that is an HTTP proxy: have it forward TCP instead (nginx: stream, haproxy: mode tcp)"
    : "something answers there by itself: check that the TARGET is the forwarder";
}
