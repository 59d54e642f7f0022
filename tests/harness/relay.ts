import type { WireEvent } from "../../ladder/wire.ts";
import { service as calc } from "../../services/calc.ts";
import { startServer } from "../../services/server/start.ts";
import { readFault } from "../../commands/relay/faults/fault.ts";
import { Backend } from "../../commands/relay/backend.ts";
import type { Notice, Relay } from "../../commands/relay/relay_engine.ts";
import { startTcpRelay } from "../../commands/relay/tcp_relay.ts";
import { startUdpRelay } from "../../commands/relay/udp_relay.ts";

/** Options of a {@linkcode TestRelay}. */
export interface TestRelayOptions {
  readonly udp?: boolean;
  /** As on the command line: `reset=20@10`. */
  readonly faults?: readonly string[];
  readonly seed?: number;
  /** Port of the server. */
  readonly target: number;
  /** Its host. @default {"127.0.0.1"} */
  readonly host?: string;
  /** Where the relay listens. @default {["127.0.0.1"]} */
  readonly addresses?: readonly string[];
  /** Resolves names. @default {as the system does} */
  readonly lookUp?: (name: string) => Promise<readonly string[]>;
  /** @default {0} */
  readonly port?: number;
  readonly maxConnections?: number;
  /** Takes all events, with all of each piece. */
  readonly see?: (event: WireEvent) => void;
  /** Whether events are kept. @default {true} */
  readonly watched?: boolean;
}

/** A relay in this process, with its events. It ends with its scope. */
export class TestRelay implements AsyncDisposable {
  readonly events: WireEvent[] = [];
  readonly notices: Notice[] = [];
  readonly stop = new AbortController();
  relay!: Relay;
  #see: ((event: WireEvent) => void) | undefined;
  #changed = Promise.withResolvers<void>();

  static async start(options: TestRelayOptions): Promise<TestRelay> {
    const { udp = false, faults = [], seed = 1, target, watched = true } = options;
    const test = new TestRelay();
    test.#see = options.see;
    const { host = "127.0.0.1" } = options;
    const { backend } = await Backend.find({ hostname: host, port: target }, options.lookUp);
    const relayOptions = {
      addresses: options.addresses ?? ["127.0.0.1"],
      port: options.port ?? 0,
      backend,
      faults: faults.map((text) => readFault(text, "--fault")),
      seed,
      maxConnections: options.maxConnections ?? 10_000,
      ...(options.see && { keep: Infinity }),
      emit: watched ? (event: WireEvent) => test.#add(event) : undefined,
      notice: (notice: Notice) => test.notices.push(notice),
    };
    test.relay = udp
      ? await startUdpRelay(relayOptions, test.stop.signal)
      : await startTcpRelay(relayOptions, test.stop.signal);
    return test;
  }

  get port(): number {
    return this.relay.addresses[0]?.port ?? 0;
  }

  /** Waits for an event, which may be a past one. @throws {Error} after ten seconds. */
  async until(holds: (event: WireEvent) => boolean): Promise<WireEvent> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#changed.resolve();
    }, 10_000);
    try {
      while (true) {
        const event = this.events.find(holds);
        if (event !== undefined) return event;
        if (late) throw new Error(`no event with ${holds}: ${this.story()}`);
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The events, without times: `connected, client 8, server 23, client ended, ...`. */
  story(): string {
    return this.events.map(wordOf).join(", ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
  }

  #add(event: WireEvent): void {
    this.#see?.(event);
    this.events.push(event);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function wordOf(event: WireEvent): string {
  switch (event.what) {
    case "data": {
      const faults = [...event.faults.map(({ name }) => name), ...(event.lost ? ["lost"] : [])].map(
        (word) => ` ${word}`,
      );
      return `${event.from} ${event.bytes}${faults.join("")}`;
    }
    case "ended":
    case "reset":
      return `${event.from} ${event.what}`;
    case "fault":
      return `fault ${event.fault.name}`;
    default:
      return event.what;
  }
}

/** A calculator in this process. */
export async function startCalc(
  protocol: "tcp" | "udp" = "tcp",
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = await startServer(
    calc,
    { protocol, addresses: ["127.0.0.1"], port: 0 },
    { grace: 0 },
  );
  return {
    port: server.port ?? 0,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
