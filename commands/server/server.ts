import type { Program } from "../../cli/command.ts";
import { Failure, misuse } from "../../cli/errors/failure.ts";
import { systemWords } from "../../cli/system_words.ts";
import { type FlagValues, parseCommandLine } from "../../cli/arguments/flags.ts";
import type { Channels } from "../../cli/output/channels.ts";
import { openTrace } from "../../cli/output/trace.ts";
import { chosenTransport, transportFlags } from "../../cli/arguments/transport.ts";
import type { Protocol } from "../../protocol/addresses.ts";
import { formatDuration } from "../../protocol/duration.ts";
import type { Server, StreamOptions } from "../../services/server/server.ts";
import { type ListenPlace, startServer } from "../../services/server/start.ts";
import type { Service } from "../../services/service.ts";
import { resolve } from "../../sockets/resolve.ts";
import { chosenService, limitsOf, RESOLVE_TIMEOUT_MS, runFlags, serviceFlag } from "./flags.ts";
import { bothTraces, openPage, reportingTo } from "./server_page.ts";
import { openServerReport } from "./server_report.ts";
import { runUntilStopped } from "../../cli/run_until_stopped.ts";

/** The flags of every single server. */
function serverFlags(port: number) {
  return {
    ...transportFlags({
      hostAbout: "host name or IP address to listen on",
      portAbout: "port, 0-65535; 0 picks a free one",
      defaultPort: port,
      leastPort: 0,
    }),
    "reuse-port": { about: "share the port with other processes (Linux)" },
    once: { about: "serve one connection, or one datagram, and exit" },
    ...runFlags,
  };
}

type Values = FlagValues<ReturnType<typeof serverFlags>>;

/** The command that runs a service. */
export function serverProgram(
  service: Service,
  port: number,
  sample: readonly string[],
  { stops } = systemWords(),
): Program {
  const common = serverFlags(port);
  const { flag } = service;
  const flags = flag === undefined
    ? common
    : { ...common, [flag.name]: serviceFlag(service, flag) };
  const name = `${service.name}-server`;
  return {
    usage: "",
    ...service.resets && { resets: true },
    about: `Listens until ${stops}, then answers what has arrived
and exits 0; a second signal ends it at once.`,
    examples: [
      `netdemo ${name} --port ${4000 + port}`,
      `netdemo ${name} --host 0.0.0.0 --port 0 --port-file port.txt --json`,
    ],
    flags,
    parse(args) {
      const { flags: values, given, words: [surplus] } = parseCommandLine(args, flags);
      if (surplus !== undefined) throw misuse(`${name} takes no arguments: received '${surplus}'`);
      const protocol = chosenTransport(given);
      const chosen = chosenService(service, values);
      const limits = limitsOf(values);
      return (channels) => run({ service: chosen, sample, protocol, values, limits }, channels);
    },
  };
}

/** What to serve, and how. */
interface SingleServer {
  readonly service: Service;
  /** Sample words for its client. */
  readonly sample: readonly string[];
  readonly protocol: Protocol;
  readonly values: Values;
  readonly limits: StreamOptions;
}

async function run(
  { service, sample, protocol, values, limits }: SingleServer,
  channels: Channels,
): Promise<number> {
  const report = openServerReport(service, values, channels);
  const trace = values.trace ? await openTrace(channels.stderr) : undefined;
  const place = await placeOf(values);
  await using page = await openPage(values, `${service.name}-server`);
  const options = {
    ...limits,
    once: values.once,
    trace: bothTraces(trace, page?.watch.trace),
    events: reportingTo(page, report.events(protocol)),
  };
  let server: Server | undefined;
  let reason: string | undefined;
  const code = await runUntilStopped<Server>(
    {
      start: async (signal) => server = await startServer(service, place, { ...options, signal }),
      portFile: ({ port }) => `${port}\n`,
      listening({ addresses, port }) {
        const listening = { addresses, port, protocols: [protocol] };
        report.listening(listening);
        page?.show([{ service, sample, listening }], channels);
      },
      stopped(why) {
        report.stopped(why);
        page?.stopped(why);
        reason = why;
      },
    },
    values,
    channels,
  );
  if (values.once && reason === "max-time" && server?.served === 0) {
    throw noClient(protocol, values["max-time"] ?? 0);
  }
  return code;
}

function noClient(protocol: Protocol, maxTime: number): Failure {
  const missing = protocol === "udp" ? "no datagram arrived" : "no client connected";
  return new Failure("TIMEOUT", `${missing} within ${formatDuration(maxTime)}`, {
    hint: "check that the client uses this address, port and protocol, or raise --max-time",
  });
}

async function placeOf(values: Values): Promise<ListenPlace> {
  if (values.unix !== undefined) return { protocol: "unix", path: values.unix };
  const addresses = await resolve(values.host, RESOLVE_TIMEOUT_MS);
  return {
    protocol: values.udp ? "udp" : "tcp",
    addresses,
    port: values.port,
    reusePort: values["reuse-port"],
  };
}
