import type { Deadlines, Timed } from "../sockets/deadlines.ts";
import type { Stream } from "../sockets/stream.ts";
import { writeAll } from "../sockets/write_all.ts";
import { endOfHead, type HttpRequest, parseHead } from "./http_request.ts";

/** Bytes of a request's head; browsers send the cookies of every program on this host. */
const MAX_HEAD = 32_768;
/** Bytes written at a time, each of which must be read in time. */
const SLICE = 65_536;
/** Bytes after the head that are read to be discarded: without, the reply could be lost. */
const MAX_DISCARDED = 65_536;
/** Milliseconds that a peer may take to close after it has got the reply. */
const LINGER_MS = 1_000;
/** Milliseconds that a request may take once other clients wait for a connection. */
const HURRY_MS = 1_000;

const encoder = new TextEncoder();

/** An answer to a request. The connection closes after it, so it needs no length. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, or its pieces as they are made; `gone` aborts once the client has left. */
  readonly body: string | ((gone: AbortSignal) => AsyncIterable<string>);
  /** Disposed of once the reply has been sent, or can't be. */
  readonly place?: Disposable | undefined;
}

/** How a server answers requests. */
export interface HttpHandler {
  answer(request: HttpRequest): Reply;
  /** The answer to what is not a request (400), or to one that is too long (431). */
  refuse(status: 400 | 431): Reply;
}

/** What connections share. */
export interface HttpContext {
  readonly handler: HttpHandler;
  readonly deadlines: Deadlines;
  /** Milliseconds that a request may take to arrive, and that a client may take to read 64 KiB. */
  readonly patience: number;
}

/** A connection, for one request: what follows it is read and discarded. */
export class HttpConnection implements Timed {
  readonly #stream: Stream;
  readonly #context: HttpContext;
  readonly #gone = new AbortController();
  /** Until when the request must have arrived at the latest, if others wait. */
  readonly #hurried: number;
  deadline: number;
  /** Whether its request has not arrived yet. */
  isAsking = true;

  constructor(stream: Stream, context: HttpContext) {
    this.#stream = stream;
    this.#context = context;
    this.deadline = context.deadlines.after(context.patience);
    this.#hurried = context.deadlines.after(HURRY_MS);
  }

  /** Serves the request, until both sides have closed or a deadline has passed. */
  async run(): Promise<void> {
    using stream = this.#stream;
    const head = await this.#readHead();
    if (head === undefined) return;
    this.isAsking = false;
    this.deadline = Infinity;
    const { handler } = this.#context;
    const request = head === "too long" ? undefined : parseHead(head);
    const reply = request === undefined
      ? handler.refuse(head === "too long" ? 431 : 400)
      : handler.answer(request);
    using _place = reply.place;
    const discarded = this.#discard();
    const isSent = await this.#send(reply, request?.method !== "HEAD");
    if (isSent) {
      this.deadline = this.#context.deadlines.after(LINGER_MS);
      await stream.closeWrite().catch(() => {});
      await discarded;
    }
  }

  /** Leaves less time for a request that has not arrived, as other clients wait. */
  hurry(): void {
    if (this.isAsking) this.deadline = Math.min(this.deadline, this.#hurried);
  }

  /** Closes the connection at once. */
  expire(): void {
    this.#gone.abort();
    this.#stream.close();
  }

  async #readHead(): Promise<Uint8Array | "too long" | undefined> {
    const buffer = new Uint8Array(MAX_HEAD);
    for (let length = 0; length < MAX_HEAD;) {
      const count = await this.#stream.read(buffer.subarray(length)).catch(() => null);
      if (count === null) return undefined;
      const end = endOfHead(buffer.subarray(0, length + count), length);
      if (end !== -1) return buffer.subarray(0, end);
      length += count;
    }
    return "too long";
  }

  /** Sends a reply as fast as the client reads it; returns whether it has got all of it. */
  async #send({ status, headers, body }: Reply, hasBody: boolean): Promise<boolean> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const date = new Date().toUTCString();
    const head = `HTTP/1.1 ${status} \r\ndate: ${date}\r\nconnection: close\r\n${lines}\r\n`;
    if (typeof body === "string" || !hasBody) {
      return await this.#write(hasBody ? head + body : head);
    }
    if (!await this.#write(head)) return false;
    for await (const piece of body(this.#gone.signal)) {
      if (!await this.#write(piece)) return false;
    }
    return !this.#gone.signal.aborted;
  }

  /** Writes a text in slices; returns whether the client is still there. */
  async #write(text: string): Promise<boolean> {
    const { deadlines, patience } = this.#context;
    const bytes = encoder.encode(text);
    try {
      for (let start = 0; start < bytes.length; start += SLICE) {
        this.deadline = deadlines.after(patience);
        await writeAll(this.#stream, bytes.subarray(start, start + SLICE));
      }
    } catch {
      this.#gone.abort();
      return false;
    }
    this.deadline = Infinity;
    return true;
  }

  /** Reads what the client still sends, as an unread byte would make the close a reset. */
  async #discard(): Promise<void> {
    const buffer = new Uint8Array(1_024);
    for (let left = MAX_DISCARDED; left > 0;) {
      const count = await this.#stream.read(buffer).catch(() => null);
      if (count === null) break;
      left -= count;
    }
    this.#gone.abort();
  }
}
