import { tagOf } from "./tag.ts";

/** How often each datagram was sent in one direction, and how often it has arrived. */
export class Ledger {
  readonly #entries = new Map<string, { sent: number; arrived: number }>();

  /** Notes that a datagram is sent once more. */
  sent(bytes: Uint8Array): void {
    const entry = this.#entries.get(tagOf(bytes)) ?? { sent: 0, arrived: 0 };
    entry.sent++;
    this.#entries.set(tagOf(bytes), entry);
  }

  /** Notes that a datagram has arrived once more: one that was sent, one too many, or no such one. */
  arrived(bytes: Uint8Array): "sent" | "extra" | "unknown" {
    const entry = this.#entries.get(tagOf(bytes));
    if (entry === undefined) return "unknown";
    entry.arrived++;
    return entry.arrived > entry.sent ? "extra" : "sent";
  }
}
