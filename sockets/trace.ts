import type { Endpoint } from "../protocol/addresses.ts";
import { errorName } from "./errno.ts";
import type { SocketCall, SocketEvent, Trace } from "./socket_events.ts";
import { type DatagramSocket, endpointOf, type Stream, type StreamListener } from "./stream.ts";

type Details = Partial<Pick<SocketEvent, "time" | "local" | "remote" | "data" | "error">>;

/** Sockets of this process so far. */
let sockets = 0;

/** Reports what happens to one socket. */
export class SocketTrace {
  readonly #trace: Trace;
  readonly #who: string;
  readonly #socket = ++sockets;
  /** Its ends, so far as they are known. */
  local: Endpoint | undefined;
  remote: Endpoint | undefined;

  constructor(trace: Trace, who: string) {
    this.#trace = trace;
    this.#who = who;
  }

  report(call: SocketCall, details: Details = {}): void {
    this.#trace({
      time: performance.now(),
      who: this.#who,
      socket: this.#socket,
      call,
      local: this.local,
      remote: this.remote,
      ...details,
    });
  }

  /** Reports a call that failed, and passes the error on. */
  fail(call: SocketCall, error: unknown, details: Details = {}): never {
    this.report(call, { ...details, error: errorName(error) });
    throw error;
  }

  /** A socket of the same program. */
  another(): SocketTrace {
    return new SocketTrace(this.#trace, this.#who);
  }
}

/** A stream that does what the given one does, and reports it. */
export function traceStream(socket: Stream, trace: SocketTrace): Stream {
  const { local, remote } = socket;
  trace.local = local;
  trace.remote = remote;
  let closed = false;
  const close = (end: () => void): void => {
    if (!closed) trace.report("close");
    closed = true;
    end();
  };
  return {
    local,
    remote,
    async read(buffer) {
      try {
        const count = await socket.read(buffer);
        trace.report("recv", { data: buffer.slice(0, count ?? 0) });
        return count;
      } catch (error) {
        if (closed) throw error; // the read that the close has ended
        return trace.fail("recv", error);
      }
    },
    async write(bytes) {
      const time = performance.now();
      try {
        const count = await socket.write(bytes);
        trace.report("send", { time, data: bytes.slice(0, count) });
        return count;
      } catch (error) {
        if (closed) throw error;
        return trace.fail("send", error, { time });
      }
    },
    async closeWrite() {
      trace.report("shutdown");
      await socket.closeWrite();
    },
    close: () => close(() => socket.close()),
    reset: socket.reset && (() => close(() => socket.reset?.())),
    [Symbol.dispose]: () => close(() => socket.close()),
  };
}

/** A datagram socket that does what the given one does, and reports it. */
export function traceDatagrams(
  socket: DatagramSocket,
  trace: SocketTrace,
): DatagramSocket {
  trace.local = socket.addr;
  trace.report("socket");
  trace.report("bind");
  let closed = false;
  return {
    addr: socket.addr,
    async send(bytes, to) {
      const [time, remote] = [performance.now(), endpointOf(to)];
      try {
        const count = await socket.send(bytes, to);
        trace.report("sendto", { time, remote, data: bytes.slice() });
        return count;
      } catch (error) {
        return trace.fail("sendto", error, { time, remote });
      }
    },
    async receive(buffer) {
      try {
        const received = await socket.receive(buffer);
        const [data, from] = received;
        trace.report("recvfrom", { remote: endpointOf(from), data: data.slice() });
        return received;
      } catch (error) {
        if (closed) throw error;
        return trace.fail("recvfrom", error);
      }
    },
    close() {
      if (closed) return;
      closed = true;
      trace.report("close");
      socket.close();
    },
  };
}

/** A listener that does what the given one does, and reports it; so do its connections. */
export function traceListener(listener: StreamListener, trace: SocketTrace): StreamListener {
  trace.local = listener.addr;
  trace.report("socket");
  trace.report("bind");
  trace.report("listen");
  let closed = false;
  return {
    addr: listener.addr,
    async accept() {
      try {
        const socket = await listener.accept();
        const connection = trace.another();
        const traced = traceStream(socket, connection);
        connection.report("accept");
        return traced;
      } catch (error) {
        if (closed) throw error;
        return trace.fail("accept", error);
      }
    },
    close() {
      if (closed) return;
      closed = true;
      trace.report("close");
      listener.close();
    },
    closed: () => listener.closed?.(),
  };
}
