import type { Side } from "../../ladder/rung.ts";
import type { UnnumberedEvent, WireEnds } from "../../ladder/wire.ts";
import { type InternetEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { receiveFrom } from "../../sockets/receive.ts";
import { type DatagramSocket, internetEndpointOf } from "../../sockets/stream.ts";
import { withZone } from "../../sockets/zone.ts";
import { disturbsOf, transitFor } from "./connection_faults.ts";
import type { Draws } from "./faults/draw.ts";
import type { Fault } from "./faults/fault.ts";
import type { Disturb, Piece } from "./faults/kind.ts";
import { kept } from "./kept.ts";
import type { RelayOptions } from "./relay_engine.ts";

/** Datagrams of a client that faults may hold back at a time; further ones are lost. */
const MAX_HELD = 1_024;

/** What the flows of a relay share. */
export interface FlowContext extends Pick<RelayOptions, "emit" | "faults" | "keep" | "notice"> {
  readonly draws: Draws;
  /** Datagrams from each side so far. */
  readonly datagrams: Record<Side, number>;
  /** When the first datagram was sent to the server since it last answered anyone. */
  waitingSince: number | undefined;
}

/** A client, the server, and the sockets for their datagrams. */
export interface FlowOptions {
  /** Counts clients from 1. */
  readonly id: number;
  readonly client: Deno.Addr;
  /** The socket that the client sends to. */
  readonly near: DatagramSocket;
  /** The socket that its datagrams are sent from, which the flow closes. */
  readonly far: DatagramSocket;
  readonly server: InternetEndpoint;
}

/** The datagrams between one client and the server. */
export class Flow {
  /** Where its datagrams go. */
  readonly server: InternetEndpoint;
  /** When the last datagram passed, as `performance.now()`. */
  lastAt = performance.now();
  /** Whether the server has not answered what the client sent last. */
  isWaiting = false;
  readonly #options: FlowOptions;
  readonly #context: FlowContext;
  readonly #ended = new AbortController();
  readonly #disturbs: readonly (readonly [Fault, Disturb])[];
  readonly #startedAt = performance.now();
  readonly #bytes = { client: 0, server: 0 };
  #held = 0;

  constructor(options: FlowOptions, context: FlowContext) {
    this.#options = options;
    this.server = options.server;
    this.#context = context;
    const { signal } = this.#ended;
    this.#disturbs = disturbsOf(context.faults, transitFor(signal, true));
    this.#emit({ what: "connected", ...this.#ends(), elapsedMs: 0 });
    receiveFrom(options.far, {
      signal,
      take: (bytes, from) => this.#receive(bytes, internetEndpointOf(from)),
      onFailure: (error) => context.notice({ what: "accept failed", error }),
    });
  }

  /** Passes a datagram on, with the faults drawn for it. */
  pass(from: Side, bytes: Uint8Array): Promise<void> | undefined {
    const { draws, datagrams } = this.#context;
    this.lastAt = performance.now();
    this.isWaiting = from === "client";
    if (from === "server") this.#context.waitingSince = undefined;
    else this.#context.waitingSince ??= this.lastAt;
    this.#bytes[from] += bytes.length;
    const stream = { name: from, number: ++datagrams[from] };
    const number = datagrams.client + datagrams.server;
    const faults = draws.strike(number, stream).filter((fault) => !this.#isYetToCut(fault));
    const lost = this.#held >= MAX_HELD ||
      faults.some(({ kind: { loses, cutsOff } }) => loses === true || cutsOff !== undefined);
    this.#emit({
      what: "data",
      from,
      ...kept(bytes, this.#context.keep),
      faults: faults.map(({ kind }) => kind),
      lost,
    });
    if (lost) return undefined;
    if (faults.length === 0) return this.#send(from, bytes);
    const passed = this.#disturb(from, bytes.slice(), faults, stream.number); // the buffer is reused
    return faults.some(({ kind }) => kind.holds) ? undefined : passed;
  }

  /** Closes the socket to the server. */
  end(reason: "ended" | "silent"): void {
    this.#ended.abort();
    this.#emit({
      what: "closed",
      reason,
      ...this.#ends(),
      clientBytes: this.#bytes.client,
      serverBytes: this.#bytes.server,
      elapsedMs: performance.now() - this.#startedAt,
    });
  }

  /** What another than the server sends is shown, and goes no further. */
  #receive(bytes: Uint8Array, source: InternetEndpoint): Promise<void> | undefined {
    if (isSameEndpoint(source, this.server)) return this.pass("server", bytes);
    this.#emit({
      what: "data",
      from: "server",
      ...kept(bytes, this.#context.keep),
      faults: [],
      lost: true,
      source,
    });
    return undefined;
  }

  /** Whether a fault cuts off the connection, but only after more bytes than have passed. */
  #isYetToCut({ kind: { cutsOff }, amount }: Fault): boolean {
    return cutsOff !== undefined && this.#bytes.client + this.#bytes.server <= amount;
  }

  async #disturb(
    from: Side,
    bytes: Uint8Array,
    faults: readonly Fault[],
    number: number,
  ): Promise<void> {
    this.#held++;
    let pieces: AsyncIterable<Piece> = only({ bytes, at: performance.now() });
    for (const [fault, disturb] of this.#disturbs) {
      if (!faults.includes(fault)) continue;
      pieces = disturb(pieces, this.#context.draws.random(fault, number, from));
    }
    for await (const piece of pieces) {
      if (this.#ended.signal.aborted) break;
      await this.#send(from, piece.bytes);
    }
    this.#held--;
  }

  /** A datagram that can't be sent is lost, as on any network. */
  async #send(from: Side, bytes: Uint8Array): Promise<void> {
    const { near, far, client, server } = this.#options;
    try {
      if (from === "server") await near.send(bytes, client);
      else await far.send(bytes, { transport: "udp", ...server });
    } catch {
      // Nothing is listening there, or the socket has been closed.
    }
  }

  #ends(): Omit<WireEnds, "elapsedMs"> {
    const { client, near, server } = this.#options;
    return { client: withZone(internetEndpointOf(client), near.addr), relay: near.addr, server };
  }

  #emit(event: UnnumberedEvent): void {
    this.#context.emit?.({ time: performance.now(), connection: this.#options.id, ...event });
  }
}

async function* only(piece: Piece): AsyncGenerator<Piece> {
  yield piece;
}
