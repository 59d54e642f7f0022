import type { Rung, SideNames } from "../ladder/rung.ts";
import { Changes } from "../sockets/changes.ts";
import { KeptRung } from "./kept_rung.ts";

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
/**
 * Events of each connection that stay, such as the request of a long download; all connections
 * together have fewer than are kept.
 */
const FIRST_EVENTS = 8;

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
  /** The side that sent the last bytes, if known: the other one is expected to answer. */
  readonly lastFrom?: "client" | "server" | undefined;
  /** Its events that are no longer kept, if any. */
  readonly gap?: Gap | undefined;
}

/** Events of a connection that are no longer kept: those between its first and its latest. */
export interface Gap {
  /** The number of the last event before the gap, and of the first one after it. */
  readonly after: number;
  readonly before: number;
  /** How many there were, including those that were too fast to show. */
  readonly events: number;
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

/** A connection with its rungs. */
export interface Ladder {
  readonly connection: ConnectionView;
  readonly rungs: readonly KeptRung[];
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
  readonly rungs: KeptRung[] = [];
  forgotten = 0;
  version = 0;

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
  /** Notified of news, soon after it; at once of the stop. */
  readonly changes = new Changes();
  readonly #connections = new Map<number, Connection>();
  #lastId = 0;
  #number = 0;
  #version = 0;
  #removedAt = 0;
  #kept = 0;
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
    if (!this.#shows(connection)) return;
    connection.rungs.push(new KeptRung(++this.#number, connection.id, rung, skipped));
    connection.lastAt = connection.startedAt + rung.time;
    const { crossing } = rung;
    if (crossing?.what === "data" && crossing.from !== "between") {
      connection.lastFrom = crossing.from;
    }
    if (++this.#kept > MAX_EVENTS) this.#forget(FORGOTTEN_AT_ONCE);
    this.#touch(connection);
  }

  /** Notes that an event was too fast to be taken: it is unknown now who is expected to answer. */
  skip(connection: Connection | undefined): void {
    if (connection?.lastFrom === undefined) return;
    connection.lastFrom = undefined;
    this.#touch(connection);
  }

  /** Sets the state of a connection, unless it is known to have failed before. */
  setState(connection: Connection, state: ConnectionState): void {
    if (!this.#shows(connection) || connection.state.kind === "bad") return;
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
    const fresh = all.flatMap((connection) => rungsSince(connection, number))
      .sort((one, other) => one.number - other.number).slice(0, MAX_IN_UPDATE);
    return {
      total: this.total,
      connections: all.filter((connection) => connection.version > version)
        .map((connection) => viewOf(connection, now)),
      kept: this.#removedAt > version ? all.map(({ id }) => id) : undefined,
      rungs: fresh.map(({ json }) => json),
      stopped: this.stopped,
      mark: { number: fresh.at(-1)?.number ?? number, version: this.#version },
    };
  }

  /** Returns everything kept, newest connection first. */
  ladders(): readonly Ladder[] {
    const now = performance.now();
    return [...this.#connections.values()].reverse()
      .map((connection) => ladderOf(connection, now));
  }

  /** Returns everything kept of one connection; `undefined` if it is not shown, or no longer. */
  ladder(id: number): Ladder | undefined {
    const connection = this.#connections.get(id);
    return connection && ladderOf(connection, performance.now());
  }

  isNews({ number, version }: Mark): boolean {
    return this.#number > number || this.#version > version;
  }

  /** Whether a connection was not removed to make room for newer ones. */
  #shows({ id }: Connection): boolean {
    return this.#connections.has(id);
  }

  #touch(connection: Connection): void {
    connection.version = ++this.#version;
    if (this.changes.isAwaited) this.#timer ??= setTimeout(() => this.#notify(), COLLECT_MS);
  }

  #notify(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.changes.notify();
  }

  /** Forgets most where most is kept, so that one busy connection does not push out the others. */
  #forget(events: number): void {
    for (let left = events; left > 0;) {
      const [first, ...others] = this.#connections.values();
      if (first === undefined) return;
      const busiest = others.reduce(
        (most, one) => one.rungs.length > most.rungs.length ? one : most,
        first,
      );
      const spare = busiest.rungs.length - FIRST_EVENTS;
      const count = Math.min(left, Math.max(1, spare >> 2));
      for (const { skipped } of busiest.rungs.splice(FIRST_EVENTS, count)) {
        busiest.forgotten += 1 + skipped;
      }
      this.#kept -= count;
      left -= count;
      this.#touch(busiest);
    }
  }

  #makeRoom(): void {
    const all = [...this.#connections.values()];
    const oldest = all.find(({ state }) => state.kind !== "open") ?? all[0];
    if (oldest === undefined) return;
    this.#kept -= oldest.rungs.length;
    oldest.rungs.length = 0;
    this.#connections.delete(oldest.id);
    this.#removedAt = ++this.#version;
  }
}

/** Returns the rungs of a connection after a number; they are in order. */
function rungsSince({ rungs }: Connection, number: number): KeptRung[] {
  let index = rungs.length;
  while (index > 0 && (rungs[index - 1]?.number ?? 0) > number) index--;
  return rungs.slice(index);
}

function ladderOf(connection: Connection, now: number): Ladder {
  return { connection: viewOf(connection, now), rungs: [...connection.rungs] };
}

function viewOf(connection: Connection, now: number): ConnectionView {
  const { id, names, state, startedOn, lastAt, lastFrom } = connection;
  return {
    id,
    ...names,
    ...state,
    startedAt: startedOn,
    quietMs: Math.max(0, Math.round(now - lastAt)),
    lastFrom,
    gap: gapOf(connection),
  };
}

function gapOf({ rungs, forgotten }: Connection): Gap | undefined {
  const last = rungs[FIRST_EVENTS - 1];
  if (forgotten === 0 || last === undefined) return undefined;
  const next = rungs[FIRST_EVENTS]?.number ?? Number.MAX_SAFE_INTEGER;
  return { after: last.number, before: next, events: forgotten };
}
