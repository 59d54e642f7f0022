import { delay } from "@std/async/delay";
import { formatEndpoint, type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { until } from "../../sockets/changes.ts";
import type { Inbox, Received } from "../../sockets/inbox.ts";
import type { DatagramSocket } from "../../sockets/stream.ts";
import { Finding } from "../../suite/test.ts";
import { Ledger } from "./ledger.ts";
import { hasMarkOf, newTag, tagged, tagOf } from "./tag.ts";
import { UdpClient } from "./udp_client.ts";
import { difference, grouped, quoted, since } from "./wording.ts";

/** How often to send a request before it counts as lost: path MTU discovery loses the first. */
const TRIES = 2;
/** Milliseconds to wait for what nobody needs: in order, it would come after all that is awaited. */
const FENCE_MS = 250;
/** What a fence's datagrams are tagged with. */
const FENCE = "fence";
const fenceTag = newTag(FENCE);
/** Bytes of a datagram whose size does not matter. */
const USUAL_BYTES = 512;

/** A request, and the replies that it should get. */
export interface Exchange {
  /** The question for which it is. */
  readonly id: string;
  /** @default {512} */
  readonly bytes?: number;
  /** @default {1} */
  readonly replies?: number;
  /** Milliseconds between the request and its replies. @default {0} */
  readonly delay?: number;
}

/** How a request and its replies got through. */
export interface Exchanged {
  /** Milliseconds from the first try until the request had arrived, and until all replies had. */
  readonly up: number;
  readonly both: number;
  /** What was lost in the first try, if there was a second. */
  readonly lost: "request" | "reply" | undefined;
  /** Whether the replies arrived in the order in which they were sent. */
  readonly inOrder: boolean;
}

/** What was sent to the server, and what to clients. */
interface Ledgers {
  readonly up: Ledger;
  readonly down: Ledger;
}

export interface UdpDriverOptions {
  /** The server behind the forwarder: what arrives there, except strays. */
  readonly backend: Inbox;
  /** Its addresses. */
  readonly addresses: readonly string[];
  /** Where the forwarder may listen, tried in order. */
  readonly targets: readonly InternetEndpoint[];
  /** Milliseconds of the longest wait for anything expected. */
  readonly timeout: number;
  /** What was sent to the backend and to the clients. @default {nothing yet} */
  readonly ledgers?: Ledgers;
}

/** Sends datagrams through the forwarder, answers them, and counts them at both ends. */
export class UdpDriver {
  readonly options: UdpDriverOptions;
  /** Where the forwarder listens; all questions use the same address. */
  target: InternetEndpoint | undefined;
  /** Strays among what the backend took for datagrams of the client. */
  strays = 0;
  readonly #ledgers: Ledgers;
  /** The clients of the present question. */
  #clients: UdpClient[] = [];
  /** Where the forwarder has sent the client's datagrams from. */
  readonly #sources = new Set<string>();

  constructor(options: UdpDriverOptions) {
    this.options = options;
    this.target = options.targets[0];
    this.#ledgers = options.ledgers ?? {
      up: new Ledger("server"),
      down: new Ledger("client"),
    };
  }

  /** Milliseconds of the longest wait in one try. */
  get tryTimeout(): number {
    return this.options.timeout / TRIES;
  }

  /** The same driver with another timeout. */
  withTimeout(timeout: number): UdpDriver {
    return new UdpDriver({ ...this.options, timeout, ledgers: this.#ledgers });
  }

  /** Opens a client with a socket of its own, until {@linkcode close}. */
  open(): UdpClient {
    if (this.target === undefined) throw new RangeError("Cannot ask without an address");
    const client = new UdpClient(this.target);
    this.#clients.push(client);
    return client;
  }

  /** Closes all clients. */
  close(): void {
    for (const client of this.#clients) client[Symbol.dispose]();
    this.#clients = [];
  }

  /**
   * Sends a request, answers it at the other end, and waits for the replies.
   *
   * @throws {Finding} if something did not arrive, or not as it was sent.
   */
  async exchange(
    client: UdpClient,
    { id, bytes = USUAL_BYTES, replies: number = 1, delay: late = 0 }: Exchange,
  ): Promise<Exchanged> {
    const request = tagged(id, bytes);
    const replies = Array.from({ length: number }, () => tagged(id, bytes));
    const start = performance.now();
    let lost: Exchanged["lost"];
    let up: number | undefined;
    for (let tries = 1; tries <= TRIES; tries++) {
      const arrived = await this.request(client, request);
      if (arrived === undefined) {
        lost ??= "request";
        continue;
      }
      up ??= since(start);
      if (late > 0) await delay(late);
      for (const reply of replies) await this.reply(arrived, reply);
      const came = await this.#collect(client, replies);
      if (came.length < number) {
        lost ??= "reply";
        continue;
      }
      const inOrder = came.every((reply, index) => reply === replies[index]);
      return { up, both: since(start), lost, inOrder };
    }
    throw this.#notReplied(client, replies, up !== undefined);
  }

  /** Sends a request; returns it as it arrived. @throws {Finding} if that is altered. */
  async request(client: UdpClient, request: Uint8Array): Promise<Received | undefined> {
    this.#ledgers.up.sent(request);
    await client.send(request);
    const arrived = await takeFrom(this.options.backend, request, this.tryTimeout);
    if (arrived === undefined) return undefined;
    this.#ledgers.up.arrived(request);
    this.#sources.add(formatEndpoint(arrived.from));
    compare(arrived.bytes, request, "the server", "the request");
    return arrived;
  }

  /** Answers a request from the server, or from another socket of its host. */
  async reply(request: Received, reply: Uint8Array, from?: DatagramSocket): Promise<void> {
    this.#ledgers.down.sent(reply);
    if (from === undefined) await request.reply(reply);
    else await from.send(reply, { transport: "udp", ...request.from }).catch(() => {});
  }

  /**
   * Waits for replies.
   *
   * @returns those that have arrived, in the order in which they did.
   * @throws {Finding} if one is altered, or was not for this client.
   */
  async #collect(client: UdpClient, replies: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const { inbox } = client;
    const tags = replies.map(tagOf);
    const hasArrived = (tag: string): boolean =>
      client.replies.some(({ bytes }) => tagOf(bytes) === tag);
    await until(() => tags.every(hasArrived), [inbox.changes], this.tryTimeout);
    const came = new Map<Uint8Array, Received>();
    for (const datagram of client.replies) {
      const reply = replies[tags.indexOf(tagOf(datagram.bytes))];
      if (reply !== undefined) {
        compare(datagram.bytes, reply, "the client", "the reply");
        if (!came.has(reply)) came.set(reply, datagram);
      } else if (this.#ledgers.down.has(datagram.bytes)) {
        throw new Finding({ saw: "the client got a reply that is not its own" });
      }
    }
    if (came.size === replies.length) {
      const taken = new Set(came.values());
      inbox.take((datagram) => taken.has(datagram));
      for (const reply of came.keys()) this.#ledgers.down.arrived(reply);
    }
    return [...came.keys()];
  }

  #notReplied(client: UdpClient, replies: readonly Uint8Array[], arrived: boolean): Finding {
    const time = formatDuration(this.options.timeout);
    if (!arrived) {
      return new Finding({ saw: `the server got no request within ${time}`, kind: "TIMEOUT" });
    }
    const { stranger, replies: [first] } = client;
    if (first !== undefined && !this.#ledgers.down.has(first.bytes)) {
      return new Finding({ saw: `the client got ${quoted(first.bytes)} instead of its reply` });
    }
    const came = new Set(client.replies.map(({ bytes }) => tagOf(bytes))).size;
    const saw = came > 0
      ? `the client got ${came} of ${replies.length} replies`
      : stranger === undefined
      ? `the client got no reply within ${time}`
      : `the client got a reply from ${formatEndpoint(stranger)}, which it did not send to`;
    return new Finding({ saw, kind: "TIMEOUT" });
  }

  /**
   * Looks at what is left over at both ends, once all that is under way has arrived.
   *
   * @throws {Finding} if something came twice, or was not sent.
   */
  async conclude(): Promise<void> {
    await Promise.all(this.#clients.map((client) => this.#fence(client)));
    const up = this.options.backend.take(() => true).filter((datagram) => !this.#isStray(datagram));
    const down = this.#clients.flatMap(({ inbox, target }) =>
      inbox.take(({ from }) => isSameEndpoint(from, target))
    );
    const left = (all: readonly Received[]): Uint8Array[] =>
      all.map(({ bytes }) => bytes).filter((bytes) => !hasMarkOf(fenceTag, bytes));
    const toServer = this.#ledgers.up.surplus(left(up));
    const toClients = this.#ledgers.down.surplus(left(down));
    const saw = toServer ?? toClients;
    if (saw !== undefined) throw new Finding({ saw, isUsable: true });
  }

  /** Whether a datagram without a tag comes from elsewhere, such as a health check. */
  #isStray({ bytes, from }: Received): boolean {
    const isStray = bytes.length === 0 && !this.#sources.has(formatEndpoint(from));
    if (isStray) this.strays++;
    return isStray;
  }

  /**
   * Sends one more request with its reply, which arrive after all that was sent before, unless the
   * forwarder mixes up the order. To lose them is no failure.
   */
  async #fence(client: UdpClient): Promise<void> {
    const [request, reply] = [tagged(FENCE, USUAL_BYTES), tagged(FENCE, USUAL_BYTES)];
    await client.send(request);
    const arrived = await takeFrom(this.options.backend, request, FENCE_MS);
    if (arrived === undefined) return;
    this.#sources.add(formatEndpoint(arrived.from));
    await arrived.reply(reply);
    await takeFrom(client.inbox, reply, FENCE_MS);
  }
}

/** Waits for a datagram, and takes it; another one with its tag is left. */
async function takeFrom(
  inbox: Inbox,
  sent: Uint8Array,
  milliseconds: number,
): Promise<Received | undefined> {
  await until(() => foundIn(inbox, sent) !== undefined, [inbox.changes], milliseconds);
  const arrived = foundIn(inbox, sent);
  return inbox.take((datagram) => datagram === arrived)[0];
}

/** The first datagram in an inbox that has the tag of one of these. */
export function foundIn(inbox: Inbox, ...sent: readonly Uint8Array[]): Received | undefined {
  const tags = sent.map(tagOf);
  return inbox.kept.find(({ bytes }) => tags.includes(tagOf(bytes)));
}

function compare(bytes: Uint8Array, sent: Uint8Array, who: string, what: string): void {
  if (bytes.length !== sent.length) {
    throw new Finding({
      saw: `${who} got ${grouped(bytes.length)} of ${grouped(sent.length)} bytes`,
    });
  }
  const altered = difference(bytes, sent);
  if (altered === undefined) return;
  throw new Finding({ saw: `${who} got ${what} altered: ${altered}` });
}
