import type { Fault } from "./fault.ts";

/** A client whose datagrams may be throttled. */
export interface Throttled {
  /** When its next throttled datagram may be sent, as `performance.now()`. */
  nextAt: number;
}

/** Whether the faults include this kind. */
export function has(faults: readonly Fault[], kind: Fault["kind"]): boolean {
  return faults.some((fault) => fault.kind === kind);
}

/** Milliseconds that a datagram must wait before it is passed on. */
export function waitOf(client: Throttled, bytes: number, faults: readonly Fault[]): number {
  let wait = 0;
  for (const { kind, amount } of faults) {
    if (kind === "delay") wait += amount;
    if (kind !== "throttle") continue;
    const now = performance.now();
    const turn = Math.max(now, client.nextAt);
    client.nextAt = turn + bytes / amount * 1_000;
    wait += turn - now;
  }
  return wait;
}

/** Splits bytes into single bytes. */
export function bytesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
}
