import { Failure } from "../protocol/failure.ts";
import type { Trace } from "../protocol/socket_events.ts";
import { serveUdp } from "../services/datagram_server.ts";
import type { Server, ServerOptions, StreamOptions } from "../services/server.ts";
import { type Service, withChosenReply } from "../services/service.ts";
import { serve, serveUnix } from "../services/stream_server.ts";
import { serveInWorkers } from "../services/worker_pool.ts";
import type { Program } from "./command.ts";
import {
  type FlagValues,
  parseCommandLine,
  readDuration,
  readLine,
  readName,
  readNumber,
} from "./flags.ts";
import { reportFailure } from "./report.ts";
import { resolve } from "./resolve.ts";
import { jsonReport, type ServerReport, textReport } from "./server_report.ts";
import { watchStopSignals } from "./signals.ts";
import { openTrace } from "./trace.ts";
import { chosenTransport, transportFlags } from "./transport.ts";

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
    once: { about: "serve one connection, or one datagram, and exit" },
    "max-connections": {
      value: "N",
      about: "connections served at a time",
      default: "10000",
      read: readNumber(1, 1_000_000),
    },
    workers: {
      value: "N",
      about: "threads that share the port (Linux)",
      default: "1",
      read: readNumber(1, 64),
    },
    "max-request": {
      value: "BYTES",
      about: "longest request",
      default: "65536",
      read: readNumber(1, 4_194_304),
    },
    "idle-timeout": {
      value: "D",
      about: "close a connection without requests",
      default: "5m",
      read: readDuration(1),
    },
    "request-timeout": {
      value: "D",
      about: "longest wait for a whole request",
      default: "10s",
      read: readDuration(1),
    },
    grace: {
      value: "D",
      about: "time for connections to end at a stop",
      default: "5s",
      read: readDuration(0),
    },
    "max-time": {
      value: "D",
      about: "stop after this time",
      read: readDuration(1),
    },
    "port-file": {
      value: "PATH",
      about: "file that holds the port while the server listens",
      read: readName,
    },
    json: { about: "print events as JSON, one object a line" },
    trace: { about: "show each socket call on stderr as it happens" },
  };
}

const replyFlag = {
  value: "TEXT",
  about: "what messages are answered with",
  default: "Thanks...",
  read: readLine,
};

type Values = FlagValues<ReturnType<typeof serverFlags>> & {
  readonly port: number;
  readonly reply?: string | undefined;
};

/** The command that runs a service. */
export function serverProgram(service: Service, port: number): Program {
  const flags = {
    ...serverFlags(port),
    ...(service.withReply !== undefined && { reply: replyFlag }),
  };
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
      const { flags: values, words: [surplus] } = parseCommandLine(args, flags);
      if (surplus !== undefined) {
        throw new Failure("USAGE", `${name} takes no arguments: received '${surplus}'`);
      }
      const protocol = chosenTransport(values);
      const chosen = withChosenReply(service, values.reply);
      const report = values.json
        ? jsonReport(service, protocol, channels)
        : textReport(service, protocol, channels);
      try {
        const trace = values.trace ? await openTrace(channels.stderr) : undefined;
        return await runServer(chosen, { ...values, port: values.port ?? port }, report, trace);
      } catch (error) {
        return reportFailure(error, channels, values.json);
      }
    },
  };
}

/** Serves until a signal, `--once` or `--max-time` ends it; gives the exit code. */
async function runServer(
  service: Service,
  values: Values,
  report: ServerReport,
  trace: Trace | undefined,
): Promise<number> {
  // Signals come first: at the limit of open files, Deno can't register them any more.
  using signals = watchStopSignals();
  const maxTime = values["max-time"];
  const timeUp = maxTime === undefined ? undefined : AbortSignal.timeout(maxTime);
  const signal = timeUp === undefined ? signals.first : AbortSignal.any([signals.first, timeUp]);

  await using server = await start(service, values, { signal, trace, events: report.events });
  await using _portFile = await writePortFile(values["port-file"], server);
  report.listening(server);

  const forced = await Promise.race([server.finished, signals.second]);
  if (forced !== undefined) await server[Symbol.asyncDispose]();
  const why = signals.first.aborted ? signals.first.reason : timeUp?.aborted ? "max-time" : "once";
  report.stopped(why);
  return forced ?? 0;
}

/** Starts the server that the flags describe. */
async function start(
  service: Service,
  values: Values,
  watch: Pick<ServerOptions, "signal" | "events" | "trace">,
): Promise<Server> {
  const limits: StreamOptions = {
    ...watch,
    once: values.once,
    maxRequest: values["max-request"],
    maxConnections: values["max-connections"],
    idleTimeout: values["idle-timeout"],
    requestTimeout: values["request-timeout"],
    grace: values.grace,
  };
  const { host, port, unix: path } = values;
  if (path !== undefined) return await serveUnix(service, { ...limits, path });
  const addresses = host === undefined ? undefined : await resolve(host, RESOLVE_TIMEOUT_MS);
  if (values.udp) return serveUdp(service, { ...limits, addresses, port });
  const { workers = 1, reply } = values;
  // One connection needs no more than one.
  if (workers === 1 || values.once) return serve(service, { ...limits, addresses, port });
  return await serveInWorkers({
    ...limits,
    addresses,
    port,
    service: service.name,
    reply,
    workers,
  });
}

/** Holds the port and a newline for as long as it is in scope; does nothing without a path. */
async function writePortFile(path: string | undefined, server: Server): Promise<AsyncDisposable> {
  if (path !== undefined) {
    const beside = `${path}.${Deno.pid}`; // renamed once whole, so nobody reads half of it
    try {
      await Deno.writeTextFile(beside, `${server.port}\n`);
      await Deno.rename(beside, path);
    } catch (cause) {
      await remove(beside);
      const why = cause instanceof Error ? cause.message : String(cause);
      const hint = "choose a --port-file in a folder that exists and can be written to";
      throw new Failure("ERROR", `cannot write the port file: ${why}`, { cause, hint });
    }
  }
  return { [Symbol.asyncDispose]: () => remove(path) };
}

async function remove(path: string | undefined): Promise<void> {
  if (path !== undefined) await Deno.remove(path).catch(() => {}); // gone is as good
}
