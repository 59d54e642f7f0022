import type { Endpoint } from "../protocol/addresses.ts";
import { errorName } from "./errno.ts";
import type { SocketCall, SocketEvent, Trace } from "./socket_events.ts";
import {
  type DatagramSocket,
  endpointOf,
  type Ends,
  type Stream,
  type StreamListener,
} from "./stream.ts";

type Details = Partial<
  Pick<SocketEvent, "time" | "duration" | "local" | "remote" | "data" | "reset" | "error">
>;

/** Sockets of this process so far. */
let sockets = 0;

/** Reports what happens to one socket. */
export class SocketTrace {
  readonly #trace: Trace;
  readonly #who: string;
  readonly #socket = ++sockets;
  /** Its ends, once they are known. They are read only when something is reported. */
  ends: Ends = {};

  constructor(trace: Trace, who: string) {
    this.#trace = trace;
    this.#who = who;
  }

  /** Whether the next event is taken. */
  takes(call: SocketCall): boolean {
    return this.#trace.takes?.(this.#socket, call) ?? true;
  }

  report(call: SocketCall, details: Details = {}): void {
    this.#trace({
      time: performance.now(),
      who: this.#who,
      socket: this.#socket,
      call,
      local: this.ends.local,
      remote: this.ends.remote,
      ...details,
    });
  }

  /** Reports a call that waited for something, by the time it returned. */
  returned(call: SocketCall, since: number, details: Details = {}): void {
    const time = performance.now();
    this.report(call, { time, duration: time - since, ...details });
  }

  /** Reports a call that sent something, by the time it was made. */
  made(call: SocketCall, time: number, details: Details = {}): void {
    this.report(call, { time, duration: performance.now() - time, ...details });
  }

  /** Reports a call that failed, and rethrows its error. */
  fail(call: SocketCall, error: unknown, details: Details = {}): never {
    this.report(call, { ...details, error: errorName(error) });
    throw error;
  }

  /** The trace of another socket of the same program. */
  another(): SocketTrace {
    return new SocketTrace(this.#trace, this.#who);
  }
}

/** A stream that works like the given one and reports its calls. */
export class TracedStream implements Stream {
  readonly reset?: () => void;
  readonly #socket: Stream;
  readonly #trace: SocketTrace;
  #closed = false;

  constructor(socket: Stream, trace: SocketTrace) {
    this.#socket = socket;
    this.#trace = trace;
    trace.ends = socket;
    if (socket.reset === undefined) return;
    this.reset = () => this.#close(() => socket.reset?.(), { reset: true });
  }

  get local(): Endpoint {
    return this.#socket.local;
  }

  get remote(): Endpoint {
    return this.#socket.remote;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#trace.takes("recv") ? this.#read(buffer) : this.#socket.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#trace.takes("send") ? this.#write(bytes) : this.#socket.write(bytes);
  }

  async closeWrite(): Promise<void> {
    const time = performance.now();
    await this.#socket.closeWrite();
    if (this.#trace.takes("shutdown")) this.#trace.made("shutdown", time);
  }

  close(): void {
    this.#close(() => this.#socket.close());
  }

  [Symbol.dispose](): void {
    this.#close(() => this.#socket[Symbol.dispose]());
  }

  async #read(buffer: Uint8Array): Promise<number | null> {
    const since = performance.now();
    try {
      const count = await this.#socket.read(buffer);
      this.#trace.returned("recv", since, { data: buffer.slice(0, count ?? 0) });
      return count;
    } catch (error) {
      if (this.#closed) throw error; // the close ended this read
      return this.#trace.fail("recv", error, { duration: performance.now() - since });
    }
  }

  async #write(bytes: Uint8Array): Promise<number> {
    const time = performance.now();
    try {
      const count = await this.#socket.write(bytes);
      this.#trace.made("send", time, { data: bytes.slice(0, count) });
      return count;
    } catch (error) {
      if (this.#closed) throw error;
      return this.#trace.fail("send", error, { time, duration: performance.now() - time });
    }
  }

  #close(end: () => void, details: Details = {}): void {
    const [wasClosed, time] = [this.#closed, performance.now()];
    this.#closed = true;
    end();
    if (!wasClosed && this.#trace.takes("close")) this.#trace.made("close", time, details);
  }
}

/** A datagram socket that works like the given one and reports its calls. */
export function traceDatagrams(
  socket: DatagramSocket,
  trace: SocketTrace,
): DatagramSocket {
  trace.ends = { local: socket.addr };
  trace.report("socket");
  trace.report("bind");
  let closed = false;
  return {
    addr: socket.addr,
    async send(bytes, to) {
      if (!trace.takes("sendto")) return await socket.send(bytes, to);
      const [time, remote] = [performance.now(), endpointOf(to)];
      try {
        const count = await socket.send(bytes, to);
        trace.made("sendto", time, { remote, data: bytes.slice() });
        return count;
      } catch (error) {
        return trace.fail("sendto", error, { time, duration: performance.now() - time, remote });
      }
    },
    async receive(buffer) {
      if (!trace.takes("recvfrom")) return await socket.receive(buffer);
      const since = performance.now();
      try {
        const received = await socket.receive(buffer);
        const [data, from] = received;
        trace.returned("recvfrom", since, { remote: endpointOf(from), data: data.slice() });
        return received;
      } catch (error) {
        if (closed) throw error;
        return trace.fail("recvfrom", error, { duration: performance.now() - since });
      }
    },
    close() {
      if (closed) return;
      closed = true;
      const time = performance.now();
      socket.close();
      trace.made("close", time);
    },
  };
}

/** A listener that works like the given one and reports its calls; so do its connections. */
export function traceListener(listener: StreamListener, trace: SocketTrace): StreamListener {
  trace.ends = { local: listener.addr };
  trace.report("socket");
  trace.report("bind");
  trace.report("listen");
  let closed = false;
  return {
    addr: listener.addr,
    async accept() {
      const since = performance.now();
      try {
        const socket = await listener.accept();
        const connection = trace.another();
        const traced = new TracedStream(socket, connection);
        if (connection.takes("accept")) connection.returned("accept", since);
        return traced;
      } catch (error) {
        if (closed) throw error;
        return trace.fail("accept", error, { duration: performance.now() - since });
      }
    },
    close() {
      if (closed) return;
      closed = true;
      const time = performance.now();
      listener.close();
      trace.made("close", time);
    },
  };
}
