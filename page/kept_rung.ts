import { type PageRung, pageRung } from "../ladder/page_rung.ts";
import type { Rung } from "../ladder/rung.ts";
import { KEPT_BYTES, type SocketEvent } from "../sockets/socket_events.ts";

/** A rung as sent to viewers, with its number among all events and its connection. */
export interface NumberedRung extends PageRung {
  readonly number: number;
  readonly connection: number;
  /** Events before it that were too fast to show. */
  readonly skipped?: number | undefined;
}

/** A rung in the log, with the first bytes of its data. */
export class KeptRung {
  readonly number: number;
  /** Events before it that were too fast to show. */
  readonly skipped: number;
  /** With only the first bytes of its data. */
  readonly rung: Rung;
  readonly #connection: number;
  #json: string | undefined;

  /**
   * @param number Its number among all events.
   * @param connection The id of its connection.
   */
  constructor(number: number, connection: number, rung: Rung, skipped: number) {
    this.number = number;
    this.#connection = connection;
    this.rung = withKeptBytes(rung);
    this.skipped = skipped;
  }

  /** Converts it for viewers. */
  numbered(): NumberedRung {
    const { number, skipped } = this;
    const counted = skipped > 0 ? { skipped } : {};
    return { number, connection: this.#connection, ...counted, ...pageRung(this.rung) };
  }

  /** The {@linkcode NumberedRung} as JSON, made once for all viewers. */
  get json(): string {
    return this.#json ??= JSON.stringify(this.numbered());
  }
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
