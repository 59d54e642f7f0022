import { asFailure, Failure } from "../../cli/errors/failure.ts";
import type { Server, StreamOptions } from "../../services/server/server.ts";
import { startServer } from "../../services/server/start.ts";
import type { Service } from "../../services/service.ts";
import { PORT_TRIES } from "../../sockets/bind_all.ts";
import { errnoOf } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import type { ServicePlace } from "./server_page.ts";
import type { Listening } from "./listening.ts";
import type { ServerReport } from "./server_report.ts";
import type { Running } from "../../cli/run_until_stopped.ts";

const both = ["tcp", "udp"] as const;

/** A service to run, on a port or on any free one (0). */
export interface Plan {
  readonly service: Service;
  readonly port: number;
  readonly report: ServerReport;
  /** Sample words for its client. */
  readonly sample: readonly string[];
}

/** A running service, over TCP and UDP on the same port. */
interface Served {
  readonly plan: Plan;
  readonly servers: readonly Server[];
  readonly port: number | undefined;
}

/** Services that run side by side and stop together. */
export class ServerGroup implements Running {
  readonly finished: Promise<void>;
  readonly #served: readonly Served[];

  private constructor(served: readonly Served[]) {
    this.#served = served;
    const servers = served.flatMap(({ servers }) => servers);
    this.finished = Promise.all(servers.map(({ finished }) => finished)).then(() => {});
  }

  /**
   * Starts all of them, or none.
   *
   * @throws {Failure} of kind `BIND` if one can't listen.
   */
  static async start(
    plans: readonly Plan[],
    addresses: readonly string[],
    options: StreamOptions,
  ): Promise<ServerGroup> {
    await using started = new AsyncDisposableStack();
    const served: Served[] = [];
    for (const plan of plans) {
      const { port, servers } = await startAll(plan, addresses, options);
      for (const server of servers) started.use(server);
      served.push({ plan, port, servers });
    }
    started.move();
    return new ServerGroup(served);
  }

  get open(): number {
    const servers = this.#served.flatMap(({ servers }) => servers);
    return servers.reduce((sum, { open }) => sum + open, 0);
  }

  /** A line such as `calc 4040` for each service. */
  portLines(): string {
    return this.#served.map(({ plan, port }) => `${plan.service.name} ${port}\n`).join("");
  }

  reportListening(): void {
    this.#served.forEach((served) => served.plan.report.listening(listeningOf(served)));
  }

  /** The services, with where they listen. */
  places(): readonly ServicePlace[] {
    return this.#served.map((served) => ({
      service: served.plan.service,
      sample: served.plan.sample,
      listening: listeningOf(served),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const servers = this.#served.flatMap(({ servers }) => servers);
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

function listeningOf({ plan, servers: [server], port }: Served): Listening {
  const { protocols = both } = plan.service;
  return { addresses: server?.addresses ?? [], protocols, port };
}

/** Starts a service over the protocols that it is for. */
async function startAll(
  plan: Plan,
  addresses: readonly string[],
  options: StreamOptions,
): Promise<Omit<Served, "plan">> {
  const [only] = plan.service.protocols ?? [];
  if (only === undefined) return await startBoth(plan, addresses, options);
  const server = await start(plan, only, addresses, plan.port, options);
  return { port: server.port, servers: [server] };
}

/** Starts a service over TCP, then over UDP on the same port. */
async function startBoth(
  plan: Plan,
  addresses: readonly string[],
  options: StreamOptions,
): Promise<Omit<Served, "plan">> {
  for (let tries = 1;; tries++) {
    const tcp = await start(plan, "tcp", addresses, plan.port, options);
    try {
      const { port = plan.port } = tcp;
      const udp = await start(plan, "udp", addresses, port, options);
      return { port, servers: [tcp, udp] };
    } catch (error) {
      await tcp[Symbol.asyncDispose]();
      const chosenHere = plan.port === 0 && error instanceof Failure &&
        error.cause instanceof SocketFailure && errnoOf(error.cause.cause) === "EADDRINUSE";
      if (!chosenHere || tries === PORT_TRIES) throw error;
    }
  }
}

async function start(
  { service, report }: Plan,
  protocol: (typeof both)[number],
  addresses: readonly string[],
  port: number,
  options: StreamOptions,
): Promise<Server> {
  const events = report.events(protocol);
  try {
    return await startServer(service, { protocol, addresses, port }, { ...options, events });
  } catch (error) {
    throw bindFailure(error, service.name, protocol);
  }
}

/** Names the service that can't listen; the hint has ports as serve takes them. */
function bindFailure(error: unknown, name: string, protocol: string): unknown {
  if (!(error instanceof SocketFailure)) return error;
  return asFailure(error, {
    subject: `${name} over ${protocol.toUpperCase()}`,
    names: { host: "--host", port: (port) => `${name}:${port}` },
  });
}
