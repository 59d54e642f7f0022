import type { Endpoint } from "../protocol/addresses.ts";
import { errnoOf, Failure } from "../protocol/failure.ts";
import type { SocketEvent } from "../protocol/socket_events.ts";
import { ConnectionCounts } from "./connection_counts.ts";
import type { ConnectionPeer, EndReason, Peer, ServerEvents, StreamOptions } from "./server.ts";
import { type Service, withChosenReply } from "./service.ts";
import { serve } from "./stream_server.ts";

/** The services by their names. Their code is loaded when it is used. */
export type Services = Readonly<Record<string, () => Promise<{ readonly service: Service }>>>;

/** What a worker is told. */
export type ToWorker =
  | {
    readonly kind: "serve";
    readonly service: string;
    readonly reply: string | undefined;
    readonly addresses: readonly string[];
    readonly port: number;
    readonly limits: Pick<
      StreamOptions,
      "maxRequest" | "idleTimeout" | "requestTimeout" | "grace"
    >;
    /** The memory of {@linkcode ConnectionCounts}. */
    readonly counts: SharedArrayBuffer;
    /** How many events of this worker are still to be told: one number that both sides change. */
    readonly untold: SharedArrayBuffer;
    /** The events that are wanted, `trace` among them if the socket calls are. */
    readonly events: readonly string[];
  }
  /** Stop in peace, or at once. */
  | { readonly kind: "stop" }
  | { readonly kind: "cut" };

/** What a worker tells. Times are in milliseconds since the epoch, as each thread has a clock of its own. */
export type FromWorker =
  | { readonly kind: "ready" | "listening" | "finished" }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string | undefined }
  | { readonly kind: "connected" | "rejected"; readonly connection: ConnectionPeer }
  | { readonly kind: "closed"; readonly connection: ConnectionPeer; readonly reason: EndReason }
  | {
    readonly kind: "answered";
    readonly peer: Peer;
    readonly request: string | null;
    readonly reply: string;
  }
  | { readonly kind: "acceptFailed"; readonly message: string; readonly code: string | undefined }
  | { readonly kind: "trace"; readonly event: SocketEvent };

/** Events that a worker may be ahead of the telling. */
const MOST_UNTOLD = 128;

/** What a worker has as its global object, so far as it is used here. */
interface WorkerScope {
  onmessage: ((message: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

/** Serves what the thread that started this worker asks for. */
export function runWorker(services: Services): void {
  const scope = globalThis as unknown as WorkerScope;
  const tell = (message: FromWorker): void => scope.postMessage(message);
  const stop = new AbortController();
  let cut = (): void => {};
  scope.onmessage = async ({ data }) => {
    if (data.kind === "stop") return stop.abort();
    if (data.kind === "cut") return cut();
    try {
      const service = await load(services, data.service);
      const wanted = eventsToTell(data.events, inStep(tell, data.untold));
      const server = serve(withChosenReply(service, data.reply), {
        ...data.limits,
        ...wanted,
        addresses: data.addresses,
        port: data.port,
        reusePort: true,
        counts: new ConnectionCounts(data.counts),
        signal: stop.signal,
      });
      cut = () => void server[Symbol.asyncDispose]();
      tell({ kind: "listening" });
      await server.finished;
      tell({ kind: "finished" });
    } catch (error) {
      const hint = error instanceof Failure ? error.hint : undefined;
      tell({
        kind: "failed",
        message: error instanceof Error ? error.message : String(error),
        hint,
      });
    }
  };
  tell({ kind: "ready" });
}

async function load(services: Services, name: string): Promise<Service> {
  const module = services[name];
  if (module === undefined) throw new Error(`Cannot serve ${name} as there is no such service`);
  return (await module()).service;
}

/**
 * Tells, and stands still while too much is untold. As in one thread, telling
 * slows the answers down; a faster worker would fill the memory.
 */
function inStep(
  tell: (message: FromWorker) => void,
  memory: SharedArrayBuffer,
): (message: FromWorker) => void {
  const untold = new Int32Array(memory);
  return (message) => {
    Atomics.add(untold, 0, 1);
    tell(message);
    for (let count; (count = Atomics.load(untold, 0)) > MOST_UNTOLD;) {
      Atomics.wait(untold, 0, count);
    }
  };
}

/** Tells only what is wanted: a message costs more than an answer. */
function eventsToTell(
  wanted: readonly string[],
  tell: (message: FromWorker) => void,
): Pick<StreamOptions, "events" | "trace"> {
  const events: ServerEvents = {
    connected: (connection) => tell({ kind: "connected", connection: copyOf(connection) }),
    rejected: (connection) => tell({ kind: "rejected", connection: copyOf(connection) }),
    closed: (connection, reason) =>
      tell({ kind: "closed", connection: copyOf(connection), reason }),
    answered: ({ id, remote }, request, reply) =>
      tell({ kind: "answered", peer: { id, remote }, request, reply }),
    acceptFailed: (error) =>
      tell({ kind: "acceptFailed", message: error.message, code: errnoOf(error) }),
  };
  return {
    events: Object.fromEntries(Object.entries(events).filter(([name]) => wanted.includes(name))),
    trace: wanted.includes("trace")
      ? (event) =>
        tell({ kind: "trace", event: { ...event, time: event.time + performance.timeOrigin } })
      : undefined,
  };
}

function copyOf({ id, remote, acceptedAt, requests }: ConnectionPeer): ConnectionPeer {
  return {
    id,
    remote: { ...remote } as Endpoint,
    requests,
    acceptedAt: acceptedAt + performance.timeOrigin,
  };
}
