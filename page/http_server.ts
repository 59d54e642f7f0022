import { acceptFrom } from "../sockets/accept.ts";
import { Changes } from "../sockets/changes.ts";
import { Deadlines } from "../sockets/deadlines.ts";
import { descriptors } from "../sockets/descriptors.ts";
import type { Stream, StreamListener } from "../sockets/stream.ts";
import { HttpConnection, type HttpContext, type HttpHandler } from "./http_connection.ts";

/** Connections at a time; further ones wait until one of them ends. */
const MAX_CONNECTIONS = 64;

/**
 * Answers HTTP/1 requests, one for each connection.
 *
 * This is not the runtime's own server as that listens where the environment says
 * (`DENO_SERVE_ADDRESS`), keeps silent connections forever, and ends the process or never accepts
 * again when descriptors run out.
 */
export class HttpServer {
  readonly #context: HttpContext;
  readonly #connections = new Set<HttpConnection>();
  readonly #stopping = new AbortController();
  readonly #accepting: Promise<void>;
  readonly #ended = new Changes();

  /** @param patience Milliseconds that a request may take to arrive, and 64 KiB to be read. */
  constructor(listener: StreamListener, handler: HttpHandler, patience: number) {
    this.#context = { handler, deadlines: new Deadlines(patience), patience };
    this.#accepting = acceptFrom({
      addr: listener.addr,
      accept: async () => {
        await this.#room();
        return await listener.accept();
      },
      close: () => listener.close(),
    }, {
      signal: this.#stopping.signal,
      admit: (stream) => this.#serve(stream),
    });
  }

  /**
   * Stops accepting, and cuts connections that are left after this many milliseconds. May be called
   * again.
   */
  async close(milliseconds: number): Promise<void> {
    this.#stopping.abort();
    for (const connection of this.#connections) if (connection.isAsking) connection.expire();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.expire();
    }, milliseconds);
    while (this.#connections.size > 0) await this.#ended.next;
    clearTimeout(timer);
    await this.#accepting;
    this.#context.deadlines.stop();
  }

  /** Waits until there is room for one more connection; those slow to ask have less time then. */
  async #room(): Promise<void> {
    const isFull = (): boolean => this.#connections.size >= MAX_CONNECTIONS;
    while (isFull() || !descriptors.hasRoom()) {
      for (const connection of this.#connections) connection.hurry();
      if (!isFull()) return; // the listener waits for a descriptor
      await this.#ended.next;
    }
  }

  #serve(stream: Stream): void {
    const connection = new HttpConnection(stream, this.#context);
    this.#connections.add(connection);
    this.#context.deadlines.add(connection);
    // An error is a bug, and is reported where uncaught errors are: the server goes on.
    connection.run().finally(() => {
      this.#connections.delete(connection);
      this.#context.deadlines.delete(connection);
      this.#ended.notify();
    });
  }
}
