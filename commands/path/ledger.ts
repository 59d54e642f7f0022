import { tagOf } from "./tag.ts";
import { grouped, quoted } from "./wording.ts";

/** How often each datagram was sent in one direction, and how often it has arrived. */
export class Ledger {
  readonly #to: "client" | "server";
  readonly #entries = new Map<string, { sent: number; arrived: number }>();

  /** @param to The end that they are sent to. */
  constructor(to: "client" | "server") {
    this.#to = to;
  }

  /** Whether a datagram is one that was sent. */
  has(bytes: Uint8Array): boolean {
    return this.#entries.has(tagOf(bytes));
  }

  /** Notes that a datagram is sent once more. */
  sent(bytes: Uint8Array): void {
    const entry = this.#entries.get(tagOf(bytes)) ?? { sent: 0, arrived: 0 };
    entry.sent++;
    this.#entries.set(tagOf(bytes), entry);
  }

  /** Notes that a datagram has arrived once more; returns whether it was sent as often. */
  arrived(bytes: Uint8Array): boolean {
    const entry = this.#entries.get(tagOf(bytes));
    if (entry === undefined) return false;
    entry.arrived++;
    return entry.arrived <= entry.sent;
  }

  /** What is wrong with datagrams that were left over; `undefined` if they are only late. */
  surplus(left: readonly Uint8Array[]): string | undefined {
    const to = this.#to;
    const extra = left.filter((bytes) => !this.arrived(bytes));
    const unknown = extra.find((bytes) => !this.has(bytes));
    if (unknown !== undefined) {
      const what = unknown.length === 0 ? "an empty datagram" : quoted(unknown);
      const from = to === "client" ? "server" : "client";
      return `the ${to} got ${what}, which the ${from} did not send`;
    }
    if (extra.length === 0) return undefined;
    const what = extra.length === 1
      ? "a datagram twice"
      : `${grouped(extra.length)} datagrams twice`;
    return `the ${to} got ${what}`;
  }
}
