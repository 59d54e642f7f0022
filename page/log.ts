import { type PageRung, pageRung } from "../ladder/page_rung.ts";
import type { Rung, SideNames } from "../ladder/rung.ts";
import type { SocketEvent } from "../sockets/socket_events.ts";

/** Most events kept, of all connections together. */
const MAX_EVENTS = 2_000;
/** Events forgotten at a time. */
const FORGOTTEN_AT_ONCE = 64;
/** Most connections shown; beyond that, the oldest that has ended is removed. */
const MAX_CONNECTIONS = 200;
/** Most events in one update: other work gets a turn between updates. */
const MAX_IN_UPDATE = 64;
/** Milliseconds for which news is collected before viewers are notified. */
const COLLECT_MS = 40;
/** Bytes kept of each piece. */
const KEPT_BYTES = 4_096;

/** The state of a connection: at a glance, and in words. */
export interface ConnectionState {
  readonly kind: "open" | "over" | "bad";
  /** `open`, `closed`, `reset by the client`, `request timeout`. */
  readonly word: string;
}

/** A connection, or a client's datagrams, as sent to viewers. */
export interface ConnectionView extends SideNames, ConnectionState {
  readonly id: number;
  /** When it began, as `Date.now()`. */
  readonly startedAt: number;
  /** Milliseconds since its last event. */
  readonly quietMs: number;
  /** The side that sent the last bytes: the other one is expected to answer. */
  readonly lastFrom?: "client" | "server" | undefined;
  /** The number of its oldest kept event. */
  readonly oldest: number;
  /** Events no longer kept, including those before them that were too fast to show. */
  readonly forgotten: number;
}

/** A rung as sent to viewers, with its number among all events and its connection. */
export interface NumberedRung extends PageRung {
  readonly number: number;
  readonly connection: number;
  /** Events before it that were too fast to show. */
  readonly skipped?: number | undefined;
}

/** How far a viewer has been updated. */
export interface Mark {
  readonly number: number;
  readonly version: number;
}

export const START: Mark = { number: 0, version: 0 };

/** What is new since a mark. */
export interface Update {
  /** Connections so far, including those not shown. */
  readonly total: number;
  readonly connections: readonly ConnectionView[];
  /** Ids of the connections still shown, if any were removed. */
  readonly kept?: readonly number[] | undefined;
  /** Rungs, each a {@linkcode NumberedRung} as JSON. */
  readonly rungs: readonly string[];
  /** Why the server has stopped, once it has. */
  readonly stopped?: string | undefined;
  readonly mark: Mark;
}

/** A connection with its rungs, each made when it is called for. */
export interface Ladder {
  readonly connection: ConnectionView;
  readonly rungs: readonly (() => NumberedRung)[];
}

interface Entry {
  readonly number: number;
  readonly rung: Rung;
  readonly skipped: number;
  json?: string;
}

/** A connection in the log. */
export class Connection {
  readonly id: number;
  /** When it began, as `performance.now()`. */
  readonly startedAt: number;
  readonly startedOn = Date.now();
  names: SideNames;
  state: ConnectionState = { kind: "open", word: "open" };
  /** Its last event, as `performance.now()`. */
  lastAt: number;
  lastFrom: "client" | "server" | undefined;
  readonly entries: Entry[] = [];
  forgotten = 0;
  version = 0;
  /** Whether it was removed to make room for newer ones. */
  isRemoved = false;

  constructor(id: number, startedAt: number, names: SideNames) {
    this.id = id;
    this.startedAt = startedAt;
    this.lastAt = startedAt;
    this.names = names;
  }
}

/** The connections of a server with their latest events. */
export class EventLog {
  /** Connections so far, including those too fast to show. */
  total = 0;
  stopped: string | undefined;
  readonly #connections = new Map<number, Connection>();
  #lastId = 0;
  #number = 0;
  #version = 0;
  #removedAt = 0;
  #kept = 0;
  #waiting: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Counts a connection that is not shown. */
  miss(): void {
    this.total++;
  }

  /** Begins a connection, which may have been missed before. */
  begin(names: SideNames, startedAt: number, wasMissed = false): Connection {
    if (!wasMissed) this.total++;
    if (this.#connections.size >= MAX_CONNECTIONS) this.#makeRoom();
    const connection = new Connection(++this.#lastId, startedAt, names);
    this.#connections.set(connection.id, connection);
    this.#touch(connection);
    return connection;
  }

  /** Adds an event to a connection. */
  add(connection: Connection, rung: Rung, skipped = 0): void {
    if (connection.isRemoved) return;
    connection.entries.push({ number: ++this.#number, rung: withKeptBytes(rung), skipped });
    connection.lastAt = connection.startedAt + rung.time;
    const { crossing } = rung;
    if (crossing?.what === "data" && crossing.from !== "between") {
      connection.lastFrom = crossing.from;
    }
    if (++this.#kept > MAX_EVENTS) this.#forget(FORGOTTEN_AT_ONCE);
    this.#touch(connection);
  }

  setState(connection: Connection, state: ConnectionState): void {
    if (connection.isRemoved) return;
    connection.state = state;
    this.#touch(connection);
  }

  /** Notes that the server has stopped. */
  stop(why: string): void {
    this.stopped = why;
    this.#version++;
    this.#notify();
  }

  /** Returns what is new since a mark, up to the size of one update. */
  since({ number, version }: Mark): Update {
    const now = performance.now();
    const all = [...this.#connections.values()];
    const fresh = all.flatMap((connection) =>
      entriesSince(connection, number).map((entry) => ({ connection, entry }))
    ).sort((one, other) => one.entry.number - other.entry.number).slice(0, MAX_IN_UPDATE);
    return {
      total: this.total,
      connections: all.filter((connection) => connection.version > version)
        .map((connection) => viewOf(connection, now)),
      kept: this.#removedAt > version ? all.map(({ id }) => id) : undefined,
      rungs: fresh.map(({ connection, entry }) =>
        entry.json ??= JSON.stringify(numberedRung(connection, entry))
      ),
      stopped: this.stopped,
      mark: { number: fresh.at(-1)?.entry.number ?? number, version: this.#version },
    };
  }

  /** Returns everything kept, newest connection first. */
  ladders(): readonly Ladder[] {
    const now = performance.now();
    return [...this.#connections.values()].reverse().map((connection) => {
      return {
        connection: viewOf(connection, now),
        rungs: connection.entries.map((entry) => () => numberedRung(connection, entry)),
      };
    });
  }

  isNews({ number, version }: Mark): boolean {
    return this.#number > number || this.#version > version;
  }

  /** Resolves once there is something new. */
  news(): Promise<void> {
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  #touch(connection: Connection): void {
    connection.version = ++this.#version;
    if (this.#waiting !== undefined) this.#timer ??= setTimeout(() => this.#notify(), COLLECT_MS);
  }

  #notify(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Forgets most where most is kept, so that one busy connection does not push out the others. */
  #forget(events: number): void {
    for (let left = events; left > 0;) {
      let most: Connection | undefined;
      for (const connection of this.#connections.values()) {
        if (connection.entries.length > (most?.entries.length ?? 0)) most = connection;
      }
      if (most === undefined) return;
      const count = Math.min(left, Math.max(1, most.entries.length >> 2));
      for (const { skipped } of most.entries.splice(0, count)) most.forgotten += 1 + skipped;
      this.#kept -= count;
      left -= count;
      this.#touch(most);
    }
  }

  #makeRoom(): void {
    const all = [...this.#connections.values()];
    const oldest = all.find(({ state }) => state.kind !== "open") ?? all[0];
    if (oldest !== undefined) this.#remove(oldest);
  }

  #remove(connection: Connection): void {
    connection.isRemoved = true;
    this.#kept -= connection.entries.length;
    connection.entries.length = 0;
    this.#connections.delete(connection.id);
    this.#removedAt = ++this.#version;
  }
}

/** Returns the entries of a connection after a number; they are in order. */
function entriesSince({ entries }: Connection, number: number): Entry[] {
  let index = entries.length;
  while (index > 0 && (entries[index - 1]?.number ?? 0) > number) index--;
  return entries.slice(index);
}

function viewOf(connection: Connection, now: number): ConnectionView {
  const { id, names, state, startedOn, lastAt, lastFrom, entries, forgotten } = connection;
  return {
    id,
    ...names,
    ...state,
    startedAt: startedOn,
    quietMs: Math.max(0, Math.round(now - lastAt)),
    lastFrom,
    oldest: entries[0]?.number ?? 0,
    forgotten,
  };
}

function numberedRung({ id }: Connection, { number, rung, skipped }: Entry): NumberedRung {
  return {
    number,
    connection: id,
    ...(skipped > 0 ? { skipped } : {}),
    ...pageRung(rung),
  };
}

/** Returns a rung with a copy of only its first bytes. */
function withKeptBytes(rung: Rung): Rung {
  const { crossing } = rung;
  const data = crossing?.data;
  if (crossing === undefined || data === undefined || data.length <= KEPT_BYTES) return rung;
  const { bytes = data.length } = crossing;
  const cut = { ...crossing, data: data.slice(0, KEPT_BYTES), bytes };
  return {
    ...rung,
    client: rung.client.map(withoutData),
    server: rung.server.map(withoutData),
    crossing: cut,
  };
}

function withoutData({ data, bytes = data?.length, ...event }: SocketEvent): SocketEvent {
  return { ...event, bytes };
}
