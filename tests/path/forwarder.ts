import { errnoOf } from "../../sockets/errno.ts";
import { dialResettable, listenResettable } from "../../sockets/node_stream.ts";
import type { Stream, StreamListener } from "../../sockets/stream.ts";

/** One of the two ends that a forwarder connects. */
export type Side = "client" | "server";

/** A connection's traffic so far. */
export interface Passing {
  /** Bytes received from each side. */
  readonly bytes: Readonly<Record<Side, number>>;
}

/** How a forwarder breaks the rules; by default it keeps them all. */
export interface Breaks {
  /** Whether it connects to the server only once the client has sent. */
  readonly dialsLate?: boolean;
  /** Whether it passes nothing from the server until the client has sent. */
  readonly mutes?: boolean;
  /** Connections served at once; the others wait. */
  readonly most?: number;
  /** Changes bytes; an empty result is not passed on. */
  alter?(bytes: Uint8Array, from: Side, passing: Passing): Uint8Array;
  /** Milliseconds to hold back what a side sends: if the side ends meanwhile, it is lost. */
  holdsBack?(from: Side): number;
  /** Sent before each end of a stream that is passed on. */
  readonly appends?: Uint8Array;
  /** What it does on the end of a stream. @default {"pass"} */
  onEnd?(from: Side, passing: Passing): "pass" | "swallow" | "close both";
  /** Milliseconds from the end of a stream until both sides are closed. */
  readonly lingers?: number;
  /** What it does on a reset. @default {"reset"} */
  onReset?(from: Side): "reset" | "end" | "swallow";
  /** What it does with a client if the server refuses. @default {"reset"} */
  readonly onRefused?: "reset" | "end" | "hang";
  /** Milliseconds without traffic after which both sides are closed. */
  readonly idles?: number;
}

/** What the two directions of a connection share. */
interface Joint extends Passing {
  readonly bytes: Record<Side, number>;
  readonly clientSent: PromiseWithResolvers<void>;
  keepAlive(): void;
  closeBoth(): void;
}

/** A TCP forwarder that breaks rules as configured. */
export class Forwarder implements AsyncDisposable {
  readonly port: number;
  readonly #listener: StreamListener;
  readonly #serverPort: number;
  readonly #hostname: string;
  readonly #breaks: Breaks;
  readonly #open = new Set<Stream>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #accepting: Promise<void>;
  #served = 0;
  readonly #waiting: (() => void)[] = [];

  private constructor(
    listener: StreamListener,
    hostname: string,
    serverPort: number,
    breaks: Breaks,
  ) {
    this.#listener = listener;
    this.port = (listener.addr as Deno.NetAddr).port;
    this.#hostname = hostname;
    this.#serverPort = serverPort;
    this.#breaks = breaks;
    this.#accepting = this.#acceptAll();
  }

  static async start(
    serverPort: number,
    breaks: Breaks = {},
    hostname = "127.0.0.1",
    port = 0,
  ): Promise<Forwarder> {
    const listener = await listenResettable({ hostname, port });
    return new Forwarder(listener, hostname, serverPort, breaks);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const stream of this.#open) stream.close();
    await this.#accepting;
  }

  async #acceptAll(): Promise<void> {
    const serving: Promise<void>[] = [];
    try {
      while (true) serving.push(this.#serve(await this.#listener.accept()));
    } catch {
      await Promise.all(serving); // the listener is closed
    }
  }

  async #serve(client: Stream): Promise<void> {
    this.#open.add(client);
    await this.#turn();
    try {
      const first = this.#breaks.dialsLate ? await readSome(client) : undefined;
      using server = await this.#dial(client);
      if (server === undefined) return;
      this.#open.add(server);
      await this.#join(client, server, first);
      this.#open.delete(server);
    } catch {
      // One of the two sides has closed.
    } finally {
      if (this.#breaks.onRefused !== "hang") this.#drop(client);
      this.#served--;
      this.#waiting.shift()?.();
    }
  }

  /** Resolves once another connection may be served. */
  async #turn(): Promise<void> {
    const most = this.#breaks.most ?? Infinity;
    while (this.#served >= most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#served++;
  }

  async #dial(client: Stream): Promise<Stream | undefined> {
    try {
      return await dialResettable({ hostname: this.#hostname, port: this.#serverPort });
    } catch {
      // Closing alone would reset it if the client has already sent something.
      if (this.#breaks.onRefused === "end") await client.closeWrite().catch(() => {});
      else if (this.#breaks.onRefused !== "hang") client.reset?.();
      return undefined;
    }
  }

  async #join(client: Stream, server: Stream, first?: Uint8Array): Promise<void> {
    const closeBoth = (): void => {
      client.close();
      server.close();
    };
    const clientSent = Promise.withResolvers<void>();
    if (first !== undefined) {
      await writeAll(server, first);
      clientSent.resolve();
    }
    const joint = {
      bytes: { client: first?.length ?? 0, server: 0 },
      keepAlive: this.#idleTimer(closeBoth),
      clientSent,
      closeBoth,
    };
    const waits = this.#breaks.mutes ? clientSent.promise : undefined;
    await Promise.all([
      this.#pump("client", client, server, joint),
      this.#pump("server", server, client, joint, waits),
    ]);
  }

  async #pump(
    side: Side,
    from: Stream,
    to: Stream,
    joint: Joint,
    waits?: Promise<void>,
  ): Promise<void> {
    const { alter, appends, holdsBack, onEnd, onReset, lingers } = this.#breaks;
    const { bytes, keepAlive, closeBoth, clientSent } = joint;
    try {
      const held = holdsBack?.(side) ?? 0;
      let next = readSome(from);
      for (let part = await next; part !== undefined; part = await next) {
        next = readSome(from);
        next.catch(() => {}); // it is awaited later, unless a write fails first
        keepAlive();
        await waits;
        if (held > 0 && await endsWithin(next, held)) continue;
        await writeAll(to, alter?.(part, side, joint) ?? part);
        bytes[side] += part.length;
        if (side === "client") clientSent.resolve();
      }
      if (appends !== undefined) await writeAll(to, appends);
      const how = onEnd?.(side, joint) ?? "pass";
      if (how === "close both") closeBoth();
      else if (how === "pass") await to.closeWrite();
      if (lingers !== undefined) this.#after(lingers, closeBoth);
    } catch (error) {
      if (errnoOf(error) !== "ECONNRESET") return closeBoth();
      const how = onReset?.(side) ?? "reset";
      if (how === "reset") to.reset?.();
      else if (how === "end") closeBoth();
    } finally {
      if (side === "client") clientSent.resolve(); // it will send nothing more
    }
  }

  #idleTimer(closeBoth: () => void): () => void {
    const { idles } = this.#breaks;
    if (idles === undefined) return () => {};
    let timer = this.#after(idles, closeBoth);
    return () => {
      clearTimeout(timer);
      timer = this.#after(idles, closeBoth);
    };
  }

  #after(milliseconds: number, act: () => void): ReturnType<typeof setTimeout> {
    const timer = setTimeout(act, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  #drop(stream: Stream): void {
    stream.close();
    this.#open.delete(stream);
  }
}

/** Milliseconds between two looks at whether a stream has ended. */
const LOOK_MS = 10;

/**
 * Whether the stream ends before this many milliseconds are over. They are counted in short waits:
 * while this process is held up, one timer would be over before an end that has arrived is read.
 */
async function endsWithin(next: Promise<Uint8Array | undefined>, milliseconds: number) {
  let part: Uint8Array | undefined | "none yet" = "none yet";
  const seen = next.then((read) => part = read, () => part = new Uint8Array());
  for (let left = milliseconds; left > 0 && part === "none yet"; left -= LOOK_MS) {
    const { promise: waited, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LOOK_MS);
    await Promise.race([seen, waited]);
    clearTimeout(timer);
  }
  return part === undefined;
}

async function readSome(stream: Stream): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(65_536);
  const count = await stream.read(buffer);
  return count === null ? undefined : buffer.subarray(0, count);
}

async function writeAll(stream: Stream, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
}
