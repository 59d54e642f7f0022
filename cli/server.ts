import { Failure } from "../protocol/failure.ts";
import { serve, type Server } from "../services/server.ts";
import type { Service } from "../services/service.ts";
import type { Program } from "./command.ts";
import {
  type FlagValues,
  parseCommandLine,
  readDuration,
  readLine,
  readName,
  readNumber,
} from "./flags.ts";
import { type Channels, reportFailure } from "./report.ts";
import { resolve } from "./resolve.ts";
import { jsonReport, textReport } from "./server_report.ts";
import { watchStopSignals } from "./signals.ts";

/** The flags of every server. */
function serverFlags(port: number) {
  return {
    host: {
      value: "NAME",
      about: "host name or IP address to listen on",
      default: "localhost",
      read: readName,
    },
    port: {
      value: "N",
      about: "port, 0-65535; 0 takes any free one",
      default: String(port),
      read: readNumber(0, 65_535),
    },
    once: { about: "serve one connection and exit" },
    "max-connections": {
      value: "N",
      about: "connections served at a time",
      default: "10000",
      read: readNumber(1, 1_000_000),
    },
    "max-request": {
      value: "BYTES",
      about: "longest request",
      default: "65536",
      read: readNumber(1, 16_777_216),
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
  };
}

const replyFlag = {
  value: "TEXT",
  about: "what messages are answered with",
  default: "Thanks...",
  read: readLine,
};

type Values = FlagValues<ReturnType<typeof serverFlags>>;

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
      const { reply } = values;
      const chosen = reply === undefined ? service : service.withReply?.(reply) ?? service;
      try {
        return await runServer(chosen, { ...values, port: values.port ?? port }, channels);
      } catch (error) {
        return reportFailure(error, channels, values.json);
      }
    },
  };
}

/** Serves until a signal, `--once` or `--max-time` ends it; gives the exit code. */
async function runServer(
  service: Service,
  values: Values & { readonly port: number },
  channels: Channels,
): Promise<number> {
  const report = values.json ? jsonReport(service, channels) : textReport(service, channels);
  // Signals come first: at the limit of open files, Deno can't register them any more.
  using signals = watchStopSignals();
  const maxTime = values["max-time"];
  const timeUp = maxTime === undefined ? undefined : AbortSignal.timeout(maxTime);

  await using server = serve(service, {
    addresses: values.host === undefined ? undefined : await resolve(values.host),
    port: values.port,
    once: values.once,
    maxConnections: values["max-connections"],
    maxRequest: values["max-request"],
    idleTimeout: values["idle-timeout"],
    requestTimeout: values["request-timeout"],
    grace: values.grace,
    signal: timeUp === undefined ? signals.first : AbortSignal.any([signals.first, timeUp]),
    events: report.events,
  });
  await using _portFile = await writePortFile(values["port-file"], server);
  report.listening(server.addresses);

  const forced = await Promise.race([server.finished, signals.second]);
  if (forced !== undefined) await server[Symbol.asyncDispose]();
  const why = signals.first.aborted ? signals.first.reason : timeUp?.aborted ? "max-time" : "once";
  report.stopped(why);
  return forced ?? 0;
}

/** Holds the port and a newline for as long as it is in scope; does nothing without a path. */
async function writePortFile(path: string | undefined, server: Server): Promise<AsyncDisposable> {
  if (path !== undefined) {
    const beside = `${path}.${Deno.pid}`; // renamed once whole, so nobody reads half of it
    try {
      await Deno.writeTextFile(beside, `${server.addresses[0]?.port}\n`);
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
