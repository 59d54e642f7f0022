import type { Program } from "../../cli/command.ts";
import { asFailure, Failure, misuse } from "../../cli/errors/failure.ts";
import {
  type CommandLine,
  durationFlag,
  type FlagValues,
  parseCommandLine,
} from "../../cli/arguments/flags.ts";
import type { Channels } from "../../cli/output/channels.ts";
import { StdinLines } from "../../cli/output/stdin_lines.ts";
import { looksLikeTarget, parseTarget } from "../../cli/arguments/target.ts";
import { openTrace } from "../../cli/output/trace.ts";
import { chosenServer, type ServerPlace, transportFlags } from "../../cli/arguments/transport.ts";
import type { Call } from "../../clients/call/call.ts";
import { type CallPlace, dial } from "../../clients/call/dial.ts";
import { ask, pipeline } from "../../clients/call/pipeline.ts";
import { type Client, RequestError, requestsOver } from "../../clients/client.ts";
import { formatEndpoint, type Protocol } from "../../protocol/addresses.ts";
import { QUIET_MS } from "../../protocol/line_buffer.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import type { Watch } from "../../sockets/dial.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { isThisHost, resolve } from "../../sockets/resolve.ts";
import { shellWord } from "../../text/shell.ts";
import { Answers, shortened } from "./answers.ts";
import { helpOf } from "./help.ts";

const DEFAULT_TIMEOUT_MS = 5_000;

/** The flags of every client. */
function clientFlags(port: number) {
  return {
    ...transportFlags({
      hostAbout: "host name or IP address of the server",
      portAbout: "port of the server, 1-65535",
      defaultPort: port,
      leastPort: 1,
    }),
    timeout: durationFlag("longest wait to connect, then for each reply", DEFAULT_TIMEOUT_MS),
    json: { about: "print answers as JSON, one object per line" },
    trace: { about: "show each socket call on stderr as it happens" },
  };
}

/** The command that runs a client. */
export function clientProgram(client: Client, port: number): Program {
  const flags = clientFlags(port);
  const name = `${client.name}-client`;
  const { usage, takesText, about, examples } = helpOf(client.name);
  return {
    usage: ["[TARGET]", usage].filter(Boolean).join(" "),
    takesText,
    about: `${about}

TARGET is the server, HOST:PORT; --host and --port do the same, and netdemo
help targets says more.`,
    examples: examples.map((words) => `netdemo ${name} localhost:${4000 + port} ${words}`),
    flags,
    parse(args) {
      const line = parseCommandLine(args, flags);
      const { flags: values } = line;
      const { server, words } = chosenServer(line);
      const requests = readsStdin(client, words, line)
        ? undefined
        : requestsOf(client, words, server.protocol);
      const hint = misplacedHint(client.name, line);
      return async (channels) => {
        try {
          return await run(client, server, requests, values, channels);
        } catch (error) {
          throw explained(error, { name: client.name, port }, server, hint);
        }
      };
    },
  };
}

/** Connects, sends the requests, prints the answers, and returns the exit code. */
async function run(
  client: Client,
  server: ServerPlace,
  requests: readonly string[] | undefined,
  { trace, timeout, json }: FlagValues<ReturnType<typeof clientFlags>>,
  channels: Channels,
): Promise<number> {
  const watch = trace
    ? { trace: await openTrace(channels.stderr), who: `${client.name}-client` }
    : undefined;
  const startedAt = performance.now();
  using call = await connect(client, server, timeout, watch);
  const isPrompt = requests === undefined && isInteractive();
  const isSeen = !json && Deno.stdout.isTerminal() && (isPrompt || requests !== undefined);
  const hintFor = (request: string): string | undefined =>
    hintTo(request, client, requests === undefined ? undefined : server);
  const answers = new Answers({ client, call, channels, json, isSeen, hintFor });
  if (requests?.length === 0) {
    const elapsedMs = performance.now() - startedAt;
    await checkWelcome(call);
    answers.connected(elapsedMs);
  }
  const session = { client, call, answers, channels, json };
  if (requests !== undefined) {
    for (const request of requests) await answers.print([await ask(call, request)]);
  } else if (isPrompt) {
    const { converseAtTerminal } = await import("./session.ts");
    const interrupted = await converseAtTerminal(session);
    if (interrupted !== undefined) return interrupted;
  } else {
    await pipeline(call, new StdinLines(), (some) => answers.print(some));
  }
  return answers.conclude();
}

/** Whether the only word is `-`, and not after `--`. */
function readsStdin(
  { name }: Client,
  words: readonly string[],
  { words: all, beforeDashes }: { words: readonly string[]; beforeDashes: number },
): boolean {
  return helpOf(name).prompt !== undefined && words.length === 1 && words[0] === "-" &&
    beforeDashes === all.length;
}

/** @throws {Failure} of kind `USAGE` if the words make no request. */
function requestsOf(
  client: Client,
  words: readonly string[],
  protocol: Protocol,
): readonly string[] | undefined {
  try {
    return requestsOver(protocol, client, words);
  } catch (cause) {
    if (!(cause instanceof RequestError)) throw cause;
    const [first = ""] = words;
    if (first.includes(":")) parseTarget(first); // explains what is wrong with an intended target
    throw misuse(cause.message, { cause });
  }
}

async function connect(
  { datagramOf }: Client,
  server: ServerPlace,
  timeout: number,
  watch: Watch | undefined,
): Promise<Call> {
  const startedAt = performance.now();
  const place = await placeOf(server, timeout);
  const spent = performance.now() - startedAt;
  return await dial(place, { timeout, spent, watch, datagramOf });
}

/** An error of a client with the hint that fits how it was called. */
function explained(
  error: unknown,
  client: { readonly name: string; readonly port: number },
  server: ServerPlace,
  misplaced: string | undefined,
): unknown {
  if (!(error instanceof SocketFailure)) return error;
  const { kind, message, hint: usual } = asFailure(error);
  const failure = (hint: string | undefined): Failure =>
    new Failure(kind, message, { cause: error, hint });
  if (misplaced !== undefined) return failure(misplaced);
  if (kind === "DNS" && "text" in server && helpOf(client.name).takesText) {
    return failure(`${usual}; if '${server.text}' is the message, put -- before it`);
  }
  return failure(usual ?? (kind === "REFUSED" ? startHint(client, server) : undefined));
}

/**
 * The hint if a word was taken as text that may name the server, and nothing else does:
 * `4041 Hi`, `Hi :4041`.
 */
function misplacedHint(
  name: string,
  { words, beforeDashes, given }: CommandLine<ReturnType<typeof clientFlags>>,
): string | undefined {
  const typed = words.slice(0, beforeDashes);
  const [first = ""] = typed;
  const isNamed = ["host", "port", "unix"].some((flag) => given.has(flag));
  if (!helpOf(name).takesText || isNamed || looksLikeTarget(first)) return undefined;
  const found = typed.find(looksLikeTarget) ?? (/^\d{2,5}$/.test(first) ? first : undefined);
  if (found === undefined) return undefined;
  const rest = words.filter((word) => word !== found).map(shellWord);
  const target = shellWord(looksLikeTarget(found) ? found : `:${found}`);
  const line = ["netdemo", `${name}-client`, target, ...rest].join(" ");
  return `'${found}' was taken as text; a server is named first: ${line}`;
}

/**
 * How to start the server that is missing, here or on the other host.
 *
 * @param client The client's name, and its port if none is given.
 */
function startHint(
  { name, port: usualPort }: { readonly name: string; readonly port: number },
  server: ServerPlace,
): string {
  const command = `netdemo ${name}-server`;
  if (server.protocol === "unix") {
    const path = shellWord(server.path);
    return `no program listens there; start one: ${command} --unix ${path}`;
  }
  const { host, port } = server;
  if (!isThisHost(host)) {
    return `no program listens there; start one on ${host}: ${command} --host 0.0.0.0 --port ${port}`;
  }
  // Few users may start one below 1024: without a port, the server is likely to be on another.
  return port === usualPort
    ? `no program listens there; name the server's port: netdemo ${name}-client :${4000 + port}`
    : `no program listens there; start one: ${command} --port ${port}`;
}

/**
 * The hint to a request that was answered with an error, if it helps.
 *
 * @param server Where it was asked, if that was on the command line.
 */
function hintTo(
  request: string,
  client: Client,
  server: ServerPlace | undefined,
): string | undefined {
  const meant = client.meant?.(request);
  if (meant === undefined) return undefined;
  const why = meant.wrong === "order" ? "the operator comes last" : "the operators are + - * /";
  const line = server === undefined
    ? meant.request
    : lineToType(client.name, server, meant.request);
  return `${why}: ${line}`;
}

/** The line that asks a server something else. */
function lineToType(name: string, server: ServerPlace, request: string): string {
  const place = server.protocol === "unix"
    ? `--unix ${shellWord(server.path)}`
    : shellWord(formatTarget(server));
  return ["netdemo", `${name}-client`, place, ...request.split(" ").map(shellWord)].join(" ");
}

function formatTarget(
  { protocol, host, port }: Exclude<ServerPlace, { protocol: "unix" }>,
): string {
  return `${protocol === "udp" ? "udp://" : ""}${formatEndpoint({ hostname: host, port })}`;
}

async function placeOf(server: ServerPlace, timeout: number): Promise<CallPlace> {
  if (server.protocol === "unix") return server;
  const { protocol, host, port } = server;
  return { protocol, addresses: await resolve(host, timeout), port };
}

/** Whether a user is at the terminal, who types lines and sees one of the outputs. */
function isInteractive(): boolean {
  return Deno.stdin.isTerminal() && (Deno.stdout.isTerminal() || Deno.stderr.isTerminal());
}

/**
 * Checks, for a client with nothing to ask, that the server is not full. A full server says so
 * as soon as it has accepted; any other closes, waits for a request, or greets.
 *
 * @throws {Failure} of kind `ERROR` if the server turned it away.
 */
async function checkWelcome(call: Call): Promise<void> {
  const welcome = await welcomeOf(call);
  if (!welcome.startsWith(ERROR_PREFIX)) return;
  const hint = "the connection was accepted and turned away; try again later";
  throw new Failure("ERROR", `the server answered '${shortened(welcome)}'`, { hint });
}

/** What a server sends unasked; empty if it sends nothing. */
async function welcomeOf(call: Call): Promise<string> {
  try {
    const [welcome = ""] = await call.receive(QUIET_MS);
    return welcome;
  } catch (error) {
    if (error instanceof SocketFailure && error.kind !== "RESET") return "";
    throw error;
  }
}
