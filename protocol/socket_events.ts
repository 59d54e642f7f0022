import type { Endpoint } from "./addresses.ts";
import { errnoOf } from "./failure.ts";

/** The socket calls that are told, by their C names (POSIX, `<sys/socket.h>`). */
export type SocketCall =
  | "socket"
  | "bind"
  | "listen"
  | "connect"
  | "accept"
  | "send"
  | "recv"
  | "sendto"
  | "recvfrom"
  | "shutdown"
  | "close";

/**
 * One thing that a program did with a socket.
 *
 * Deno makes the system calls; an event stands for one operation of Deno's, so
 * what is told as one `send` was one write.
 */
export interface SocketEvent {
  /** When the call was made (`send`, `connect`, ...) or when it gave something (`recv`, `accept`), as `performance.now()`. */
  readonly time: number;
  /** The program: `calc-server`, `calc-client`. */
  readonly who: string;
  /** Tells the sockets of a process apart: counts from 1. */
  readonly socket: number;
  readonly call: SocketCall;
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
  /** What was sent or received; a `recv` of no bytes is the end of the stream. */
  readonly data?: Uint8Array | undefined;
  /** Why it failed, by its errno name (`ECONNREFUSED`). */
  readonly error?: string | undefined;
}

/** Takes the events as they happen. It must not throw. */
export type Trace = (event: SocketEvent) => void;

/** What a stream needs to have in common with Deno's connections. */
export interface StreamSocket extends Disposable {
  readonly localAddr: unknown;
  readonly remoteAddr: unknown;
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  setNoDelay?(): void;
}

/** What a datagram socket needs to have in common with Deno's. */
export interface DatagramSocket<Address> {
  readonly addr: unknown;
  send(bytes: Uint8Array, to: Address): Promise<number>;
  receive(buffer: Uint8Array): Promise<[Uint8Array<ArrayBuffer>, Address]>;
  close(): void;
}

type Details = Partial<Pick<SocketEvent, "time" | "local" | "remote" | "data" | "error">>;

let sockets = 0;

/** Tells what happens to one socket. */
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

  tell(call: SocketCall, details: Details = {}): void {
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

  /** Tells a call that failed, and passes the error on. */
  fail(call: SocketCall, error: unknown, details: Details = {}): never {
    this.tell(call, { ...details, error: nameOf(error) });
    throw error;
  }

  /** A socket of the same program. */
  another(): SocketTrace {
    return new SocketTrace(this.#trace, this.#who);
  }
}

/** A stream that does what the given one does, and tells it. */
export function traceStream(socket: StreamSocket, trace: SocketTrace): StreamSocket {
  trace.local = socket.localAddr as Endpoint;
  trace.remote = socket.remoteAddr as Endpoint;
  let closed = false;
  return {
    localAddr: socket.localAddr,
    remoteAddr: socket.remoteAddr,
    setNoDelay: () => socket.setNoDelay?.(),
    async read(buffer) {
      try {
        const count = await socket.read(buffer);
        trace.tell("recv", { data: buffer.slice(0, count ?? 0) });
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
        trace.tell("send", { time, data: bytes.slice(0, count) });
        return count;
      } catch (error) {
        if (closed) throw error;
        return trace.fail("send", error, { time });
      }
    },
    async closeWrite() {
      trace.tell("shutdown");
      await socket.closeWrite();
    },
    [Symbol.dispose]() {
      if (!closed) trace.tell("close");
      closed = true;
      socket[Symbol.dispose]();
    },
  };
}

/** A datagram socket that does what the given one does, and tells it. */
export function traceDatagrams<Address>(
  socket: DatagramSocket<Address>,
  trace: SocketTrace,
): DatagramSocket<Address> {
  trace.local = socket.addr as Endpoint;
  trace.tell("socket");
  trace.tell("bind");
  let closed = false;
  return {
    addr: socket.addr,
    async send(bytes, to) {
      const [time, remote] = [performance.now(), to as Endpoint];
      try {
        const count = await socket.send(bytes, to);
        trace.tell("sendto", { time, remote, data: bytes.slice() });
        return count;
      } catch (error) {
        return trace.fail("sendto", error, { time, remote });
      }
    },
    async receive(buffer) {
      try {
        const received = await socket.receive(buffer);
        const [data, from] = received;
        trace.tell("recvfrom", { remote: from as Endpoint, data: data.slice() });
        return received;
      } catch (error) {
        if (closed) throw error;
        return trace.fail("recvfrom", error);
      }
    },
    close() {
      if (closed) return;
      closed = true;
      trace.tell("close");
      socket.close();
    },
  };
}

/** The errno name of an error, or what it is called where it has none. */
function nameOf(error: unknown): string {
  return errnoOf(error) ?? (error instanceof Error ? error.name : String(error));
}
