import { Failure } from "../../cli/failure.ts";
import {
  durationFlag,
  type FlagValues,
  parseCommandLine,
  readName,
  readNumber,
  type ValueFlag,
} from "../../cli/flags.ts";
import type { Program } from "../../cli/command.ts";
import { writePortFile } from "../../cli/port_file.ts";
import { reportFailure } from "../../cli/report.ts";
import { watchStopSignals } from "../../cli/signals.ts";
import { openTrace } from "../../cli/trace.ts";
import { chosenTransport, transportFlags } from "../../cli/transport.ts";
import { defaultLimits, type StreamOptions } from "../../services/server/server.ts";
import { type ListenPlace, startServer } from "../../services/server/start.ts";
import type { Service, ServiceFlag } from "../../services/service.ts";
import { resolve } from "../../sockets/resolve.ts";
import type { Trace } from "../../sockets/socket_events.ts";
import { jsonReport, type ServerReport, textReport } from "./report.ts";

/** Milliseconds to wait for the resolver: until it has answered, no signal stops the server. */
const RESOLVE_TIMEOUT_MS = 5_000;

/** The flags of every server. */
function serverFlags(port: number) {
  return {
    ...transportFlags({
      hostAbout: "host name or IP address to listen on",
      portAbout: "port, 0-65535; 0 takes any free one",
      defaultPort: port,
      leastPort: 0,
    }),
    "reuse-port": { about: "share the port with other processes (Linux)" },
    once: { about: "serve one connection, or one datagram, and exit" },
    "max-connections": {
      value: "N",
      about: "connections served at a time",
      default: defaultLimits.maxConnections,
      read: readNumber(1, 1_000_000),
    },
    "max-request": {
      value: "BYTES",
      about: "longest request",
      default: defaultLimits.maxRequest,
      read: readNumber(1, 4_194_304),
    },
    "idle-timeout": durationFlag("close a connection without requests", {
      least: 1,
      default: defaultLimits.idleTimeout,
    }),
    "request-timeout": durationFlag("longest wait for a whole request", {
      least: 1,
      default: defaultLimits.requestTimeout,
    }),
    grace: durationFlag("time for connections to end at a stop", {
      least: 0,
      default: defaultLimits.grace,
    }),
    "max-time": durationFlag("stop after this time", { least: 1, default: undefined }),
    "port-file": {
      value: "PATH",
      about: "file that holds the port while the server listens",
      read: readName,
    },
    json: { about: "print events as JSON, one object a line" },
    trace: { about: "show each socket call on stderr as it happens" },
  };
}

type Values = FlagValues<ReturnType<typeof serverFlags>>;

/** The command that runs a service. */
export function serverProgram(service: Service, port: number): Program {
  const common = serverFlags(port);
  const { flag } = service;
  const flags = flag === undefined ? common : { ...common, [flag.name]: flagOf(service, flag) };
  const name = `${service.name}-server`;
  return {
    usage: "",
    about: `Listens until SIGINT (Ctrl-C) or SIGTERM, then answers what has arrived and
exits 0; a second signal ends it at once.
A duration D is 250ms, 5s or 2m; a bare number is seconds.`,
    examples: [
      `netdemo ${name} --port ${4000 + port}`,
      `netdemo ${name} --host 0.0.0.0 --port 0 --port-file port.txt --json`,
    ],
    flags,
    async run(args, channels) {
      const { flags: values, given, words: [surplus] } = parseCommandLine(args, flags);
      if (surplus !== undefined) {
        throw new Failure("USAGE", `${name} takes no arguments: received '${surplus}'`);
      }
      const protocol = chosenTransport(given);
      const chosen = flag === undefined
        ? service
        : (values as Readonly<Record<string, unknown>>)[flag.name] as Service;
      const report = values.json
        ? jsonReport(service, protocol, channels)
        : textReport(service, protocol, channels);
      try {
        const trace = values.trace ? await openTrace(channels.stderr) : undefined;
        const place = await placeOf(values);
        return await runServer(chosen, place, values, report, trace);
      } catch (error) {
        return reportFailure(error, channels, values.json);
      }
    },
  };
}

/** A service's own flag: its value is the service that it makes. */
function flagOf(service: Service, { apply, ...flag }: ServiceFlag): ValueFlag<Service> {
  return {
    ...flag,
    default: service,
    show: () => flag.default,
    read(text, name) {
      try {
        return apply(text);
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause;
        throw new Failure("USAGE", `${name} ${cause.message}`, { cause });
      }
    },
  };
}

/** Serves until a signal, `--once` or `--max-time` ends it; gives the exit code. */
async function runServer(
  service: Service,
  place: ListenPlace,
  values: Values,
  report: ServerReport,
  trace: Trace | undefined,
): Promise<number> {
  // Signals come first: at the limit of open files, Deno can't register them any more.
  using signals = watchStopSignals();
  const maxTime = values["max-time"];
  const timeUp = maxTime === undefined ? undefined : AbortSignal.timeout(maxTime);
  const signal = timeUp === undefined ? signals.first : AbortSignal.any([signals.first, timeUp]);

  const options = { ...limitsOf(values), signal, trace, events: report.events };
  await using server = await startServer(service, place, options);
  const portFile = values["port-file"];
  await using _portFile = portFile === undefined
    ? undefined
    : await writePortFile(portFile, `${server.port}\n`);
  report.listening(server);

  const forced = await Promise.race([server.finished, signals.second]);
  if (forced !== undefined) await server[Symbol.asyncDispose]();
  const why = signals.first.aborted ? signals.first.reason : timeUp?.aborted ? "max-time" : "once";
  report.stopped(why);
  return forced ?? 0;
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

function limitsOf(values: Values): StreamOptions {
  return {
    once: values.once,
    maxRequest: values["max-request"],
    maxConnections: values["max-connections"],
    idleTimeout: values["idle-timeout"],
    requestTimeout: values["request-timeout"],
    grace: values.grace,
  };
}
