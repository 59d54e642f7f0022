import type { Server, Socket } from "node:net";
import type { InternetEndpoint } from "../protocol/addresses.ts";
import { descriptors } from "./descriptors.ts";
import { BACKLOG } from "./listen.ts";
import { NodeStream } from "./node_socket.ts";
import type { Stream, StreamListener } from "./stream.ts";

/** Milliseconds between two looks while there is room. */
const REMIND_MS = 1_000;
/**
 * Milliseconds between two looks while there is little room: in 5 all is opened that an accepted
 * connection needs. Twice as many after each that found nothing.
 */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 100;

type Accepted = { readonly stream: Stream } | { readonly error: Error };

/** What a `node:net` server has of its own under the name `_handle`. */
interface ListenHandle {
  /** Called for each connection; accepts it. */
  onconnection(status: number): void;
  /** Once it listens, only makes it look for connections. */
  listen(backlog: number): number;
}

/**
 * Accepts connections as they arrive; callers of `accept` get them in order.
 *
 * Without descriptors, `node:net` would stop accepting for good, silently (Deno 2.9.6). So it is
 * told to accept no more than there is room for: while one connection is left alone, the runtime
 * accepts no others, and the kernel's queue holds them. Of a burst that it has accepted by then, as
 * many are reset as descriptors are missing.
 */
export class NodeListener implements StreamListener {
  readonly #server: Server;
  readonly #weight: number;
  readonly #closing = new AbortController();
  #handle: ListenHandle | undefined;
  #reminder: ReturnType<typeof setInterval> | undefined;
  /** Whether it waits for room. */
  #isWaiting = false;
  #looking: ReturnType<typeof setTimeout> | undefined;
  #pause = MIN_PAUSE_MS;
  #fresh = 0;
  #freshAt = 0;
  /** How many of those that have no room are to be reset; `undefined` before the first one. */
  #surplus: number | undefined;
  #turnsAway = false;
  /** Frees the descriptors that were kept from the runtime. */
  #release: (() => void) | undefined;
  readonly #waiting: Accepted[] = [];
  #accepting: PromiseWithResolvers<Stream> | undefined;
  #closed = false;

  /** @param weight Descriptors that each connection will take, its own included. */
  constructor(server: Server, weight: number) {
    this.#server = server;
    this.#weight = weight;
    server.on("connection", (socket) => {
      // Reset before it was accepted: it no longer has a peer.
      if (socket.remoteAddress === undefined) socket.destroy();
      else if (this.#turnsAway) this.#turnAway(socket);
      else this.#add({ stream: new NodeStream(socket, descriptors.take(weight)) });
    });
    server.on("error", (error) => this.#add({ error }));
  }

  get addr(): InternetEndpoint {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Deno.errors.BadResource();
    return { hostname: address.address, port: address.port };
  }

  /** Call once it listens: from now on it accepts only what there is room for. */
  limit(): void {
    const handle = (this.#server as unknown as { readonly _handle: ListenHandle })._handle;
    const accept = handle.onconnection;
    this.#handle = handle;
    handle.onconnection = (status) => {
      this.#release?.();
      this.#pause = MIN_PAUSE_MS;
      const unopened = this.#freshCount() * (this.#weight - 1);
      const hasRoom = descriptors.hasRoom(unopened);
      if (hasRoom) this.#fresh++;
      else this.#surplus ??= descriptors.shortage(unopened);
      this.#turnsAway = !hasRoom;
      if (descriptors.isTight) this.#lookLater();
      if (hasRoom || (this.#surplus ?? 0) > 0) accept.call(handle, status);
    };
    // If it ran out of descriptors all the same, it only needs to look again.
    this.#reminder = setInterval(() => this.#lookAgain(), REMIND_MS);
  }

  /** @throws {Deno.errors.BadResource} once it is closed. */
  accept(): Promise<Stream> {
    if (this.#closed) return Promise.reject(new Deno.errors.BadResource("Listener is closed"));
    if (this.#accepting !== undefined) return Promise.reject(new Deno.errors.Busy());
    const next = this.#waiting.shift();
    if (next !== undefined) {
      return "error" in next ? Promise.reject(next.error) : Promise.resolve(next.stream);
    }
    this.#accepting = Promise.withResolvers();
    return this.#accepting.promise;
  }

  /** Also closes the connections that no caller has accepted. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.abort();
    clearInterval(this.#reminder);
    clearTimeout(this.#looking);
    this.#server.close();
    for (const next of this.#waiting) {
      if ("stream" in next) next.stream.close();
    }
    this.#accepting?.reject(new Deno.errors.BadResource("Listener is closed"));
  }

  /** Connections accepted a moment ago, whose other descriptors may not be opened yet. */
  #freshCount(): number {
    const now = performance.now();
    if (now - this.#freshAt > MIN_PAUSE_MS) this.#fresh = 0;
    this.#freshAt = now;
    return this.#fresh;
  }

  #turnAway(socket: Socket): void {
    this.#surplus = (this.#surplus ?? 1) - 1;
    socket.resetAndDestroy();
  }

  async #untilRoom(): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    await descriptors.untilRoom(this.#closing.signal);
    this.#isWaiting = false;
    this.#lookAgain();
  }

  /**
   * Has the runtime accept: those that were left alone, or else all that wait in the kernel's
   * queue, at once. While there is little room, it finds no more descriptors than that. Where it
   * has left none for those that are counted, some that it has accepted are reset.
   */
  #lookAgain(): void {
    clearTimeout(this.#looking);
    this.#looking = this.#surplus = undefined;
    if (this.#closed) return;
    const hasRoom = descriptors.hasRoom();
    if (!hasRoom) this.#untilRoom();
    if (!hasRoom && descriptors.missing === 0) return;
    if (descriptors.isTight) {
      this.#release?.();
      const release = this.#release = descriptors.leaveRoomFor(this.#weight);
      setImmediate(() =>
        setImmediate(() => {
          release(); // nobody waits, or what was closed is not free yet
          this.#lookLater();
        })
      );
      this.#pause = Math.min(this.#pause * 2, MAX_PAUSE_MS);
    }
    this.#handle?.listen(BACKLOG);
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#looking ??= setTimeout(() => this.#lookAgain(), this.#pause);
  }

  #add(next: Accepted): void {
    if (this.#closed) {
      if ("stream" in next) next.stream.close();
      return;
    }
    const accepting = this.#accepting;
    this.#accepting = undefined;
    if (accepting === undefined) this.#waiting.push(next);
    else if ("error" in next) accepting.reject(next.error);
    else accepting.resolve(next.stream);
  }
}
