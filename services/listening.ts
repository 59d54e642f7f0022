import type { Endpoint } from "../protocol/addresses.ts";
import { type SocketTrace, type StreamSocket, traceStream } from "../protocol/socket_events.ts";

/** A TCP listener, or one at a path, as far as a server of connections needs it. */
export interface Listening {
  readonly addr: Deno.Addr;
  accept(): Promise<StreamSocket>;
  close(): void;
  /** To be called once {@linkcode accept} has ended after {@linkcode close}. */
  closed?(): void;
}

/** A listener that does what the given one does, and tells it; so do its connections. */
export function traceListener(listener: Listening, trace: SocketTrace): Listening {
  trace.local = listener.addr as Endpoint;
  trace.tell("socket");
  trace.tell("bind");
  trace.tell("listen");
  let closed = false;
  return {
    addr: listener.addr,
    async accept() {
      try {
        const socket = await listener.accept();
        const connection = trace.another();
        const traced = traceStream(socket, connection);
        connection.tell("accept");
        return traced;
      } catch (error) {
        if (closed) throw error;
        return trace.fail("accept", error);
      }
    },
    close() {
      if (closed) return;
      closed = true;
      trace.tell("close");
      listener.close();
    },
    closed: () => listener.closed?.(),
  };
}
