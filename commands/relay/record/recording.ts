import { concat } from "@std/bytes/concat";
import type { Side } from "../../../ladder/rung.ts";
import type { WireData, WireEvent } from "../../../ladder/wire.ts";
import { MAX_FILE } from "../../../talk/parse.ts";
import { LF } from "../../../talk/take.ts";
import { counted } from "../../../text/counted.ts";

/** Characters of a file that a connection takes, with its title and its remarks, and a turn. */
const CONNECTION_SIZE = 200;
const TURN_SIZE = 32;
/** Characters of a line end, with the beginning of the line that follows it. */
const LINE_END_SIZE = 10;
/** Bytes that are kept of what a server goes on sending after its client has ended or left. */
const MAX_AFTER_END = 4_096;

/** What one side said at a time. */
export interface Turn {
  readonly from: Side;
  /** Number of the connection. */
  readonly connection: number;
  readonly bytes: Uint8Array;
  /** Whether the side ended the connection then, which mattered to the other. */
  readonly ends: boolean;
  /** Bytes that followed, but are not kept. */
  readonly omitted: number;
}

/** Connections that were used at the same time, or one that was used alone. */
export interface RecordedConversation {
  /** Numbers of its connections, in their order. */
  readonly connections: readonly number[];
  readonly turns: readonly Turn[];
  /** What a reader must know. */
  readonly remarks: readonly string[];
}

interface Said extends Turn {
  /** Counts what was said on all connections. */
  readonly at: number;
}

interface Connection {
  readonly id: number;
  readonly said: Said[];
  /** Sides that sent no more. */
  readonly over: Set<Side>;
  /** When something was last said before the client had ended, and bytes that were said after it. */
  lastAt: number;
  afterEnd: number;
  state: "open" | "reset" | "fault" | "ended";
}

/** Records what passes on each connection, piece by piece. */
export class Recording {
  readonly #connections = new Map<number, Connection>();
  readonly #isUdp: boolean;
  #at = 0;
  /** Characters that are left in the file. */
  #room = MAX_FILE;

  constructor(protocol: "tcp" | "udp") {
    this.#isUdp = protocol === "udp";
  }

  readonly see = (event: WireEvent): void => {
    const { connection: id, what } = event;
    if (what === "connected") {
      const none = { said: [], over: new Set<Side>(), lastAt: 0, afterEnd: 0 };
      this.#connections.set(id, { id, ...none, state: "open" });
    }
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    if (what === "data" && !event.lost) this.#hear(connection, event);
    if (what === "ended") this.#end(connection, event.from);
    if (what === "reset") connection.state = "reset";
    // A relay that stops resets what is open: that is no end of a conversation.
    if (what === "closed" && event.reason !== "reset") {
      connection.state = event.reason === "fault" ? "fault" : "ended";
    }
  };

  /** The conversations so far, in the order in which they began. */
  conversations(): readonly RecordedConversation[] {
    const groups: Connection[][] = [];
    let lastAt = -1;
    for (const connection of this.#connections.values()) {
      const [first] = connection.said;
      if (first === undefined) continue;
      // Those that overlap may hear of each other, as in a chat.
      if (first.at > lastAt) groups.push([]);
      groups.at(-1)?.push(connection);
      lastAt = Math.max(lastAt, connection.lastAt);
    }
    return groups.map((group) => this.#conversationOf(group));
  }

  #hear(connection: Connection, { from, data, bytes }: WireData): void {
    const isAfterEnd = connection.over.has("client");
    this.#room -= TURN_SIZE + (connection.said.length === 0 ? CONNECTION_SIZE : 0);
    const most = isAfterEnd ? MAX_AFTER_END - connection.afterEnd : data.length;
    const { count, size } = fitting(data.subarray(0, Math.max(0, most)), this.#room);
    const kept = data.slice(0, count);
    if (isAfterEnd) connection.afterEnd += count;
    this.#room -= size;
    if (!isAfterEnd) connection.lastAt = this.#at;
    this.#say(connection, { from, bytes: kept, ends: false, omitted: bytes - kept.length });
  }

  /** The end of a side matters to the other if it says something, or would have. */
  #end(connection: Connection, from: Side): void {
    if (from === "client" || !connection.over.has("client")) {
      this.#say(connection, { from, bytes: new Uint8Array(), ends: true, omitted: 0 });
      if (from === "server") connection.lastAt = this.#at - 1;
    }
    connection.over.add(from);
  }

  #say(connection: Connection, turn: Omit<Said, "at" | "connection">): void {
    connection.said.push({ ...turn, connection: connection.id, at: this.#at++ });
  }

  #conversationOf(group: readonly Connection[]): RecordedConversation {
    const said = group.flatMap((connection) => {
      const { said } = connection;
      const last = said.findLast(({ from, bytes }) => from === "server" && bytes.length > 0);
      // A client that ends once it has been answered only leaves.
      return said.filter(({ from, ends, at }) =>
        from === "server" || !ends || (last !== undefined && last.at > at)
      );
    });
    const connections = group.map(({ id }) => id);
    const joined = this.#joined(said.toSorted((one, other) => one.at - other.at));
    const turns = joined.map((turn) => {
      const connection = group.find(({ id }) => id === turn.connection);
      const isLast = joined.findLast(({ connection }) => connection === turn.connection) === turn;
      return isLast && connection?.state === "reset" ? withoutFlood(turn) : turn;
    });
    const remarks = group.flatMap((one) => remarksOn(one, turns, this.#isUdp));
    return { connections, turns, remarks };
  }

  /** A server's bytes are one stream, however they are cut; an end belongs to what came before it. */
  #joined(said: readonly Said[]): Turn[] {
    const runs: Said[][] = [];
    for (const next of said) {
      const run = runs.at(-1);
      const last = run?.at(-1);
      const isSame = last?.from === next.from && last.connection === next.connection && !last.ends;
      const isJoined = isSame && !this.#isUdp &&
        (next.from === "server" || next.bytes.length === 0);
      if (isJoined) run?.push(next);
      else runs.push([next]);
    }
    return runs.map((run) => ({
      from: run[0]?.from ?? "client",
      connection: run[0]?.connection ?? 0,
      bytes: concat(run.map(({ bytes }) => bytes)),
      ends: run.some(({ ends }) => ends),
      omitted: run.reduce((sum, { omitted }) => sum + omitted, 0),
    }));
  }
}

/** The bytes that fit into so many characters of a file, and the characters that they take. */
function fitting(bytes: Uint8Array, room: number): { count: number; size: number } {
  let size = 0;
  for (const [count, byte] of bytes.entries()) {
    const next = sizeOf(byte);
    if (size + next > room) return { count, size };
    size += next;
  }
  return { count: bytes.length, size };
}

/** The most characters that a byte takes, as an escape if it needs one. */
function sizeOf(byte: number): number {
  if (byte === LF) return LINE_END_SIZE;
  if (byte < 0x20 || byte >= 0x7f) return "\\xff".length;
  return byte === 0x5c || byte === 0x7b ? 2 : 1; // a backslash, a brace
}

/** What a server sent until its client left without reading it to its end. */
function withoutFlood(turn: Turn): Turn {
  const surplus = turn.bytes.length - MAX_AFTER_END;
  if (turn.from === "client" || surplus <= 0) return turn;
  return { ...turn, bytes: turn.bytes.slice(0, -surplus), omitted: turn.omitted + surplus };
}

function remarksOn(
  { id, state, over }: Connection,
  turns: readonly Turn[],
  isUdp: boolean,
): string[] {
  const isOpen = state === "open" && over.size === 0 && !isUdp;
  const omitted = turns.reduce(
    (sum, turn) => turn.connection === id ? sum + turn.omitted : sum,
    0,
  );
  return [
    ...(isOpen ? [`not finished: connection ${id} was still open`] : []),
    ...(state === "reset" ? [`connection ${id} was reset`] : []),
    ...(state === "fault" ? [`a fault ended connection ${id}`] : []),
    ...(omitted > 0
      ? [`not complete: without ${counted(omitted, "byte")} of connection ${id}`]
      : []),
  ];
}
