import { type PageRung, pageRung } from "../ladder/page_rung.ts";
import type { Rung, SideNames } from "../ladder/rung.ts";
import type { SocketEvent } from "../sockets/socket_events.ts";

/** Events that are kept, of all connections together. */
const MOST_EVENTS = 2_000;
/** Events that are forgotten at a time. */
const FORGOTTEN_AT_ONCE = 64;
/** Connections that are shown; of more, the oldest that has ended makes room. */
const MOST_CONNECTIONS = 200;
/** Events that go into one update: between two of them others have their turn. */
const MOST_IN_UPDATE = 64;
/** Milliseconds in which news are collected before viewers are notified. */
const COLLECT_MS = 40;
/** Bytes of each piece that are kept. */
const KEPT_BYTES = 4_096;

/** How a connection is: at a glance, and in a word. */
export interface ConnectionState {
  readonly kind: "open" | "over" | "bad";
  /** `open`, `closed`, `reset by the client`, `request timeout`. */
  readonly word: string;
}

/** A connection, or a client's datagrams, as viewers get it. */
export interface ConnectionView extends SideNames, ConnectionState {
  readonly id: number;
  /** When it began, as `Date.now()`. */
  readonly startedAt: number;
  /** Milliseconds since its last event. */
  readonly quietMs: number;
  /** The side that the last bytes came from: the other one is expected to say something. */
  readonly lastFrom?: "client" | "server" | undefined;
  /** The number of its oldest event that is kept. */
  readonly oldest: number;
  /** Events that are not kept any more, with those before them that came too fast to be shown. */
  readonly forgotten: number;
}

/** A rung as viewers get it: with its number among all events, and its connection. */
export interface NumberedRung extends PageRung {
  readonly number: number;
  readonly connection: number;
  /** Events before it that came too fast to be shown. */
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
  /** Connections that there were so far, those included that are not shown. */
  readonly total: number;
  readonly connections: readonly ConnectionView[];
  /** Those that are still shown, where some are not any more. */
  readonly kept?: readonly number[] | undefined;
  /** Each a {@linkcode NumberedRung} as JSON. */
  readonly rungs: readonly string[];
  /** Why the server has stopped, once it has. */
  readonly stopped?: string | undefined;
  readonly mark: Mark;
}

/** A connection with its rungs. */
export interface Ladder {
  readonly connection: ConnectionView;
  readonly rungs: Iterable<NumberedRung>;
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
  /** It has made room for newer ones. */
  isRemoved = false;

  constructor(id: number, startedAt: number, names: SideNames) {
    this.id = id;
    this.startedAt = startedAt;
    this.lastAt = startedAt;
    this.names = names;
  }
}

/** The connections of a server with their last events, and what of it is new to a viewer. */
export class EventLog {
  /** Connections so far, those included that came too fast to be shown. */
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

  /** A connection came, and nobody looks at it. */
  miss(): void {
    this.total++;
  }

  /** A connection begins, or one that was missed is looked at after all. */
  begin(names: SideNames, startedAt: number, wasMissed = false): Connection {
    if (!wasMissed) this.total++;
    if (this.#connections.size >= MOST_CONNECTIONS) this.#makeRoom();
    const connection = new Connection(++this.#lastId, startedAt, names);
    this.#connections.set(connection.id, connection);
    this.#touch(connection);
    return connection;
  }

  /** Something happened in a connection. */
  add(connection: Connection, rung: Rung, skipped = 0): void {
    if (connection.isRemoved) return;
    connection.entries.push({ number: ++this.#number, rung: withKeptBytes(rung), skipped });
    connection.lastAt = connection.startedAt + rung.time;
    const { crossing } = rung;
    if (crossing?.what === "data" && crossing.from !== "between") {
      connection.lastFrom = crossing.from;
    }
    if (++this.#kept > MOST_EVENTS) this.#forget(FORGOTTEN_AT_ONCE);
    this.#touch(connection);
  }

  setState(connection: Connection, state: ConnectionState): void {
    if (connection.isRemoved) return;
    connection.state = state;
    this.#touch(connection);
  }

  /** Nothing more comes. */
  stop(why: string): void {
    this.stopped = why;
    this.#version++;
    this.#notify();
  }

  /** What is new since a mark, as much as goes into one update. */
  since({ number, version }: Mark): Update {
    const now = performance.now();
    const all = [...this.#connections.values()];
    const fresh = all.flatMap((connection) =>
      entriesSince(connection, number).map((entry) => ({ connection, entry }))
    ).sort((one, other) => one.entry.number - other.entry.number).slice(0, MOST_IN_UPDATE);
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

  /** All that is kept, the newest connection first. A rung is made when it is taken. */
  ladders(): readonly Ladder[] {
    const now = performance.now();
    return [...this.#connections.values()].reverse().map((connection) => {
      const entries = [...connection.entries];
      return {
        connection: viewOf(connection, now),
        rungs: entries.values().map((entry) => numberedRung(connection, entry)),
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

  /** Where most is kept, most is forgotten: one connection in a hurry does not push the others out. */
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

/** The entries of a connection after a number; they are in order. */
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

/** A rung with a copy of the first of its bytes alone. */
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
