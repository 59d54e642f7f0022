import { formatEndpoint, type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { MAX_DATAGRAM } from "../../protocol/datagram.ts";
import type { Side } from "../../ladder/rung.ts";
import { bindUdp } from "../../sockets/bind_udp.ts";
import { bindDatagrams } from "../../sockets/listen.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
import { bytesOf, has, type Throttled, waitOf } from "./datagram_faults.ts";
import { type Draw, drawFrom } from "./draw.ts";
import type { Fault } from "./fault.ts";
import { altered } from "./faulty_way.ts";
import { kept } from "./link.ts";
import type { Relay, RelayOptions } from "./relay_engine.ts";

/** Milliseconds without a datagram after which a client is forgotten. */
const FORGET_AFTER_MS = 60_000;
const SWEEP_MS = 5_000;
/** Milliseconds to wait after a failed receive. */
const RECEIVE_PAUSE_MS = 20;
/** Datagrams that faults may hold back at a time; further ones are lost. */
const MOST_HELD = 1_024;
/** Clients at a time: each takes a socket and a buffer. A new one replaces the longest silent. */
const MOST_CLIENTS = 1_000;

/** Passes datagrams on between clients and a server until the signal, with a socket per client. */
export async function startUdpRelay(options: RelayOptions, signal: AbortSignal): Promise<Relay> {
  const relay = new UdpRelay(options, await bindUdp(options.addresses, options.port));
  const stop = (): void => relay.stop();
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return relay;
}

/** A client with the socket that its datagrams are sent from. */
interface Session extends Throttled {
  readonly id: number;
  readonly key: string;
  readonly client: Deno.Addr;
  /** The socket that the client sends to. */
  readonly near: DatagramSocket;
  readonly far: DatagramSocket;
  readonly startedAt: number;
  readonly bytes: Record<Side, number>;
  lastAt: number;
}

class UdpRelay implements Relay {
  readonly protocol = "udp";
  connections = 0;
  readonly rejected = 0;
  readonly addresses: readonly InternetEndpoint[];

  readonly #options: RelayOptions;
  readonly #server: InternetEndpoint;
  readonly #draws: Readonly<Record<Side, Draw>>;
  readonly #sockets: readonly DatagramSocket[];
  /** Longest silent first. */
  readonly #sessions = new Map<string, Session>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #loops: Promise<void>[] = [];
  readonly #sweep: ReturnType<typeof setInterval>;
  #stopped = false;

  constructor(options: RelayOptions, sockets: readonly DatagramSocket[]) {
    const [server] = options.targets;
    if (server === undefined) throw new TypeError("Cannot relay to a server without an address");
    this.#options = options;
    this.#server = server;
    this.#draws = {
      client: drawFrom(options.faults, options.seed, 1),
      server: drawFrom(options.faults, options.seed, 2),
    };
    this.#sockets = sockets;
    this.addresses = this.#sockets.map(({ addr }) => addr);
    for (const socket of this.#sockets) this.#loops.push(this.#listen(socket));
    this.#sweep = setInterval(() => this.#forgetTheSilent(), SWEEP_MS);
  }

  get finished(): Promise<void> {
    return Promise.all(this.#loops).then(() => {});
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#sweep);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.close();
    for (const session of this.#sessions.values()) this.#forget(session);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.finished;
  }

  /** Receives the datagrams of clients. */
  #listen(near: DatagramSocket): Promise<void> {
    return this.#receiveFrom(near, async (bytes, from) => {
      const session = this.#sessionOf(near, from);
      await this.#pass(session, "client", bytes);
    });
  }

  /** Receives until the socket is closed. */
  async #receiveFrom(
    socket: DatagramSocket,
    take: (bytes: Uint8Array, from: Deno.Addr) => Promise<void>,
    isOver: () => boolean = () => this.#stopped,
  ): Promise<void> {
    const buffer = new Uint8Array(MAX_DATAGRAM + 1);
    while (!isOver()) {
      try {
        const [bytes, from] = await socket.receive(buffer);
        await take(bytes, from);
      } catch (error) {
        if (isOver()) return;
        this.#options.notice({ what: "accept failed", error: error as Error });
        await new Promise((resolve) => setTimeout(resolve, RECEIVE_PAUSE_MS));
      }
    }
  }

  #sessionOf(near: DatagramSocket, client: Deno.Addr): Session {
    const key = `${near.addr.hostname} ${formatEndpoint(internetEndpointOf(client))}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) {
      // Move it to the end of the map, which keeps the longest silent client first.
      this.#sessions.delete(key);
      this.#sessions.set(key, known);
      return known;
    }
    const [oldest] = this.#sessions.values();
    const most = Math.min(MOST_CLIENTS, this.#options.maxConnections);
    if (oldest !== undefined && this.#sessions.size >= most) this.#forget(oldest);
    return this.#begin(near, client, key);
  }

  #begin(near: DatagramSocket, client: Deno.Addr, key: string): Session {
    const hostname = this.#server.hostname.includes(":") ? "::" : "0.0.0.0";
    const now = performance.now();
    const session: Session = {
      id: ++this.connections,
      key,
      client,
      near,
      far: bindDatagrams({ hostname, port: 0 }),
      startedAt: now,
      bytes: { client: 0, server: 0 },
      lastAt: now,
      nextAt: 0,
    };
    this.#sessions.set(key, session);
    this.#options.emit?.({
      what: "connected",
      time: now,
      connection: session.id,
      client: internetEndpointOf(client),
      relay: near.addr,
      server: this.#server,
      elapsedMs: 0,
    });
    this.#loops.push(this.#listenToServer(session));
    return session;
  }

  /** Receives the server's datagrams for one client, and ignores those of others. */
  #listenToServer(session: Session): Promise<void> {
    return this.#receiveFrom(session.far, async (bytes, from) => {
      if (!isSameEndpoint(internetEndpointOf(from), this.#server)) return;
      await this.#pass(session, "server", bytes);
    }, () => this.#sessions.get(session.key) !== session);
  }

  /** Passes a datagram on, with the faults drawn for it. */
  async #pass(session: Session, from: Side, bytes: Uint8Array): Promise<void> {
    session.lastAt = performance.now();
    session.bytes[from] += bytes.length;
    const faults = this.#draws[from]();
    const counted = session.bytes.client + session.bytes.server;
    const isStalled = faults.some(({ kind, amount }) => kind === "stall" && counted > amount);
    const isLost = isStalled || has(faults, "lose") || this.#timers.size >= MOST_HELD;
    this.#options.emit?.({
      what: "data",
      time: session.lastAt,
      connection: session.id,
      from,
      ...kept(bytes),
      faults: faults.map(({ kind }) => kind).filter((kind) => kind !== "stall" || isStalled),
      lost: isLost,
    });
    if (isLost) return;
    const copies = has(faults, "twice") ? [bytes, bytes] : [bytes];
    for (const copy of copies) await this.#passOne(session, from, copy, faults);
  }

  async #passOne(
    session: Session,
    from: Side,
    bytes: Uint8Array,
    faults: readonly Fault[],
  ): Promise<void> {
    const wait = waitOf(session, bytes.length, faults);
    const isAltered = has(faults, "garbage") && bytes.length > 0;
    if (wait === 0) {
      return await this.#send(session, from, isAltered ? altered(bytes) : bytes, faults);
    }
    const copy = isAltered ? altered(bytes) : new Uint8Array(bytes); // the buffer is reused
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#send(session, from, copy, faults);
    }, wait);
    this.#timers.add(timer);
  }

  /** A datagram that can't be sent is lost, as on any network. */
  async #send(
    { near, far, client }: Session,
    from: Side,
    bytes: Uint8Array,
    faults: readonly Fault[],
  ): Promise<void> {
    const [socket, to] = from === "client"
      ? [far, { transport: "udp", ...this.#server } as const]
      : [near, client];
    const parts = has(faults, "split") ? bytesOf(bytes) : [bytes];
    try {
      for (const part of parts) await socket.send(part, to);
    } catch {
      // Nothing is listening there, or the socket has been closed.
    }
  }

  #forgetTheSilent(): void {
    const since = performance.now() - FORGET_AFTER_MS;
    for (const session of this.#sessions.values()) {
      if (session.lastAt < since) this.#forget(session);
    }
  }

  #forget(session: Session): void {
    this.#sessions.delete(session.key);
    session.far.close();
    const time = performance.now();
    this.#options.emit?.({
      what: "closed",
      time,
      connection: session.id,
      reason: this.#stopped ? "ended" : "silent",
      client: internetEndpointOf(session.client),
      relay: session.near.addr,
      server: this.#server,
      clientBytes: session.bytes.client,
      serverBytes: session.bytes.server,
      elapsedMs: time - session.startedAt,
    });
  }
}
