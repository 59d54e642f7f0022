import { type EventSink, type WireEvent, wireNames, wireRung } from "../ladder/wire.ts";
import type { Protocol } from "../protocol/addresses.ts";
import { visible } from "../text/visible.ts";
import { EventLimiter } from "./event_limiter.ts";
import type { Connection, ConnectionState, EventLog } from "./log.ts";

/** Watches what a relay passes on. */
export class WireWatch implements Disposable {
  readonly #log: EventLog;
  readonly #protocol: Protocol;
  readonly #limiter = new EventLimiter();
  readonly #open = new Map<number, Connection>();

  constructor(log: EventLog, protocol: Protocol) {
    this.#log = log;
    this.#protocol = protocol;
  }

  /** The function to pass to the relay. */
  readonly see: EventSink = Object.assign((event: WireEvent) => this.#take(event), {
    takesData: (connection: number) => {
      const isTaken = this.#limiter.wouldTake(connection);
      if (!isTaken) this.#log.skip(this.#open.get(connection));
      return isTaken;
    },
  });

  #take(event: WireEvent): void {
    const id = event.connection;
    if (!this.#limiter.takes(id, event.what === "data" ? "send" : "shutdown")) {
      if (wireNames(event) !== undefined) this.#log.miss();
      else this.#log.skip(this.#open.get(id));
      return;
    }
    const skipped = this.#limiter.skipped(id);
    const connection = this.#connectionOf(event);
    if (connection === undefined) return this.#limiter.forget(id);
    const rung = wireRung(event, connection.startedAt, this.#protocol);
    if (rung !== undefined) this.#log.add(connection, rung, skipped);
    const state = stateOfWire(event);
    if (state !== undefined) this.#log.setState(connection, state);
    if (event.what !== "closed" && event.what !== "refused") return;
    this.#open.delete(id);
    this.#limiter.forget(id);
  }

  [Symbol.dispose](): void {
    this.#limiter[Symbol.dispose]();
  }

  #connectionOf(event: WireEvent): Connection | undefined {
    const names = wireNames(event);
    if (names === undefined) return this.#open.get(event.connection);
    const connection = this.#log.begin(
      { client: visible(names.client), server: visible(names.server) },
      event.time,
    );
    this.#open.set(event.connection, connection);
    if (this.#protocol === "udp") {
      this.#log.setState(connection, { kind: "open", word: "datagrams" });
    }
    return connection;
  }
}

/** Returns the state of a connection after an event. */
function stateOfWire(event: WireEvent): ConnectionState | undefined {
  switch (event.what) {
    case "refused":
      return { kind: "bad", word: `refused: ${visible(event.why)}` };
    case "reset":
      return { kind: "bad", word: `reset by the ${event.from}` };
    case "fault":
      return { kind: "bad", word: `fault: ${event.fault.name}` };
    case "closed":
      return { kind: "over", word: event.reason === "silent" ? "silent" : "closed" };
    default:
      return undefined;
  }
}
