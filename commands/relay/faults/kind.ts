import type { WireFault } from "../../../ladder/wire.ts";
import type { Amount, Argument } from "./argument.ts";

/** A way in which a relay can disturb what it passes on: each is one file, and a row in the table. */
export interface FaultKind extends WireFault {
  /** As it is written, with its argument: `delay=D`. */
  readonly form: string;
  /** What it does, in a few words, for the help and the documentation. */
  readonly about: string;
  readonly argument: Argument;
  /** The protocol it is for, if only one, and why. */
  readonly only?: { readonly protocol: "tcp" | "udp"; readonly why: string };
  /** Whether data that it strikes is lost. @default {false} */
  readonly loses?: true;
  /** Whether it holds data back, so that other datagrams go before. @default {false} */
  readonly holds?: true;
  /** Whether it cuts off the whole connection, once as many bytes as its amount have passed, and how. */
  readonly cutsOff?: (connection: Connection) => void;
  /** Starts to disturb the data of one connection, or of one client over UDP. */
  readonly disturb?: (amount: Amount, transit: Transit) => Disturb;
}

/** What a fault can do to a connection as a whole. */
export interface Connection {
  /** Ends both sides. */
  end(): void;
  /** Resets both sides. */
  reset(): void;
  /** Keeps both sides open, and passes nothing more on. */
  stall(): void;
}

/** What a fault knows of a connection. */
export interface Transit {
  readonly isDatagram: boolean;
  /** Waits until then, as `performance.now()`, or until the connection has ended. */
  pauseUntil(time: number): Promise<void>;
}

/** Data on its way: what one read gave, or one datagram. Without bytes, it may be an end. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** When it arrived, as `performance.now()`. */
  readonly at: number;
}

/**
 * Passes on the pieces of one direction, disturbed.
 *
 * @param random Numbers from 0 to below 1, which the seed repeats.
 */
export type Disturb = (
  pieces: AsyncIterable<Piece>,
  random: () => number,
) => AsyncIterable<Piece>;

/** Parts of at most this size; a piece without bytes is one part. */
export function* partsOf({ bytes, at }: Piece, size: number): Iterable<Piece> {
  for (let start = 0; start === 0 || start < bytes.length; start += size) {
    yield { bytes: bytes.subarray(start, start + size), at };
  }
}
