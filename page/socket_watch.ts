import { ownRung } from "../ladder/own_side.ts";
import type { Rung } from "../ladder/rung.ts";
import { type Endpoint, formatEndpoint } from "../protocol/addresses.ts";
import { LruMap } from "../sockets/lru_map.ts";
import type { SocketCall, SocketEvent, Trace } from "../sockets/socket_events.ts";
import { visible } from "../text/visible.ts";
import { EventLimiter } from "./event_limiter.ts";
import type { Connection, ConnectionState, EventLog } from "./log.ts";

/** Calls that belong to no connection. */
const opening: readonly SocketCall[] = ["socket", "bind", "listen"];
/** Reasons for a normal end. */
const goodEnds: readonly string[] = ["end of stream", "served", "server stops"];

/** Watches servers' sockets: each accepted one, and each client over UDP, is a connection. */
export class SocketWatch implements Disposable {
  /** The trace to pass to the servers. */
  readonly trace: Trace;
  readonly #log: EventLog;
  readonly #limiter = new EventLimiter();
  readonly #open = new Map<number, Connection>();
  /** Clients over UDP, by the server's socket and their address. */
  readonly #clients = new LruMap<Connection>();
  /** By the addresses of both ends, to match the reason why one ended. */
  readonly #byEnds = new LruMap<Connection>();
  /** Connections on which the server has ended its sending. */
  readonly #ended = new WeakSet<Connection>();

  constructor(log: EventLog) {
    this.#log = log;
    const takes = (socket: number, call: SocketCall): boolean => {
      if (this.#limiter.takes(socket, call)) return true;
      if (call === "accept") log.miss();
      else log.skip(this.#open.get(socket));
      return false;
    };
    this.trace = Object.assign((event: SocketEvent) => this.#take(event), { takes });
  }

  /** Takes a server's reason for ending a connection, which its calls do not show. */
  ended(remote: Endpoint, local: Endpoint, reason: string): void {
    if (goodEnds.includes(reason)) return;
    const connection = this.#byEnds.get(keyOf(remote, local));
    if (connection !== undefined) this.#log.setState(connection, { kind: "bad", word: reason });
  }

  [Symbol.dispose](): void {
    this.#limiter[Symbol.dispose]();
  }

  #take(event: SocketEvent): void {
    const { socket, call } = event;
    const skipped = this.#limiter.skipped(socket);
    if (call === "close") this.#limiter.forget(socket);
    if (opening.includes(call)) return;
    const connection = call === "sendto" || call === "recvfrom"
      ? this.#clientOf(event)
      : this.#connectionOf(event);
    if (connection === undefined) return;
    const rung = ownRung(event, connection.startedAt, this.#ended.has(connection));
    this.#log.add(connection, rung, skipped);
    if (call === "shutdown") this.#ended.add(connection);
    const state = stateAfter(event, rung);
    if (state !== undefined) this.#log.setState(connection, state);
    if (call === "close") this.#open.delete(socket);
  }

  /** Returns the connection of a socket, which begins with its first event taken. */
  #connectionOf(event: SocketEvent): Connection | undefined {
    const { socket, call, time, remote, local, who } = event;
    const known = this.#open.get(socket);
    if (known !== undefined || call === "close" || remote === undefined) return known;
    const connection = this.#log.begin(namesOf(who, remote, local), time, call !== "accept");
    this.#open.set(socket, connection);
    if (local !== undefined) this.#byEnds.set(keyOf(remote, local), connection);
    return connection;
  }

  #clientOf({ socket, remote, local, time, who }: SocketEvent): Connection | undefined {
    if (remote === undefined) return undefined;
    const key = `${socket} ${formatEndpoint(remote)}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const connection = this.#log.begin(namesOf(who, remote, local), time);
    this.#log.setState(connection, { kind: "open", word: "datagrams" });
    this.#clients.set(key, connection);
    return connection;
  }
}

function namesOf(who: string, remote: Endpoint, local: Endpoint | undefined) {
  return {
    client: visible(`client ${formatEndpoint(remote)}`),
    server: visible(local === undefined ? who : `${who} ${formatEndpoint(local)}`),
  };
}

function keyOf(remote: Endpoint, local: Endpoint): string {
  return `${formatEndpoint(remote)} ${formatEndpoint(local)}`;
}

/** Returns the state of a connection after one of its calls. */
function stateAfter(
  { call, error, reset }: SocketEvent,
  { crossing }: Rung,
): ConnectionState | undefined {
  if (error !== undefined) {
    return { kind: "bad", word: crossing === undefined ? error : `reset by the ${crossing.from}` };
  }
  if (call === "close") {
    return reset ? { kind: "bad", word: "reset by the server" } : { kind: "over", word: "closed" };
  }
  return undefined;
}
