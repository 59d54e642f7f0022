import { asFailure, Failure } from "../../cli/errors/failure.ts";
import type { Server, StreamOptions } from "../../services/server/server.ts";
import { startServer } from "../../services/server/start.ts";
import type { Service } from "../../services/service.ts";
import { PORT_TRIES } from "../../sockets/bind_all.ts";
import { errnoOf } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import type { Listening } from "./listening.ts";
import type { ServerReport } from "./server_report.ts";
import type { Running } from "../../cli/run_until_stopped.ts";

const both = ["tcp", "udp"] as const;

/** A service to run, on a port or on any free one (0). */
export interface PlannedService {
  readonly service: Service;
  readonly port: number;
  readonly report: ServerReport;
  /** Sample words for its client. */
  readonly sample: readonly string[];
}

/** Services that run side by side and stop together. */
export interface ServerGroup extends Running {
  /** What runs, and where it listens: over TCP and UDP on the same port. */
  readonly served: readonly { readonly plan: PlannedService; readonly listening: Listening }[];
}

/**
 * Starts all of them, or none.
 *
 * @throws {Failure} of kind `BIND` if one can't listen.
 */
export async function startGroup(
  plans: readonly PlannedService[],
  addresses: readonly string[],
  options: StreamOptions,
): Promise<ServerGroup> {
  await using started = new AsyncDisposableStack();
  const servers: Server[] = [];
  const served: ServerGroup["served"][number][] = [];
  for (const plan of plans) {
    const own = await startAll(plan, addresses, options);
    for (const server of own) servers.push(started.use(server));
    const { protocols = both } = plan.service;
    const [{ addresses: endpoints, port }] = own;
    served.push({ plan, listening: { addresses: endpoints, protocols, port } });
  }
  started.move();
  return {
    served,
    finished: Promise.all(servers.map(({ finished }) => finished)).then(() => {}),
    get open() {
      return servers.reduce((sum, { open }) => sum + open, 0);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

/** Starts a service over the protocols that it is for: over TCP, then over UDP on the same port. */
async function startAll(
  plan: PlannedService,
  addresses: readonly string[],
  options: StreamOptions,
): Promise<readonly [Server, ...Server[]]> {
  const [only] = plan.service.protocols ?? [];
  if (only !== undefined) return [await start(plan, only, addresses, plan.port, options)];
  for (let tries = 1;; tries++) {
    const tcp = await start(plan, "tcp", addresses, plan.port, options);
    try {
      return [tcp, await start(plan, "udp", addresses, tcp.port ?? plan.port, options)];
    } catch (error) {
      await tcp[Symbol.asyncDispose]();
      const chosenHere = plan.port === 0 && error instanceof Failure &&
        error.cause instanceof SocketFailure && errnoOf(error.cause.cause) === "EADDRINUSE";
      if (!chosenHere || tries === PORT_TRIES) throw error;
    }
  }
}

async function start(
  { service, report }: PlannedService,
  protocol: (typeof both)[number],
  addresses: readonly string[],
  port: number,
  options: StreamOptions,
): Promise<Server> {
  const events = report.events(protocol);
  try {
    return await startServer(service, { protocol, addresses, port }, { ...options, events });
  } catch (error) {
    if (!(error instanceof SocketFailure)) throw error;
    throw asFailure(error, {
      subject: `${service.name} over ${protocol.toUpperCase()}`,
      names: { host: "--host", port: (port) => `${service.name}:${port}` },
    });
  }
}
