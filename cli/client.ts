import type { Call } from "../clients/call.ts";
import type { Client } from "../clients/client.ts";
import { dialUdp } from "../clients/datagram_call.ts";
import { dial, dialUnix, type Watch } from "../clients/dial.ts";
import { type Answer, ask, pipeline } from "../clients/pipeline.ts";
import type { Protocol } from "../protocol/addresses.ts";
import { Failure } from "../protocol/failure.ts";
import { ERROR_PREFIX } from "../protocol/reply.ts";
import type { Program } from "./command.ts";
import { type FlagValues, parseCommandLine, readDuration } from "./flags.ts";
import { type Channels, reportFailure } from "./report.ts";
import { resolve } from "./resolve.ts";
import { StdinLines } from "./stdin_lines.ts";
import { openTrace } from "./trace.ts";
import { chosenTransport, transportFlags } from "./transport.ts";
import { jsonLine, visible } from "./visible.ts";

const DEFAULT_TIMEOUT_MS = 5_000;
/** Characters of an answer that a message quotes. */
const QUOTED_LENGTH = 80;

/** The flags of every client. */
function clientFlags(port: number) {
  return {
    ...transportFlags({
      hostAbout: "host name or IP address of the server",
      portAbout: "port of the server, 1-65535",
      defaultPort: port,
      leastPort: 1,
    }),
    timeout: {
      value: "D",
      about: "longest wait to connect, then for each reply",
      default: "5s",
      read: readDuration(1),
    },
    json: { about: "print answers as JSON, one object a line" },
    trace: { about: "show each socket call on stderr as it happens" },
  };
}

type Values = FlagValues<ReturnType<typeof clientFlags>>;

/** The command that runs a client. */
export function clientProgram(client: Client, port: number): Program {
  const flags = clientFlags(port);
  const name = `${client.name}-client`;
  return {
    usage: client.usage,
    about: `${client.about}
A duration D is 250ms, 5s or 2m; a bare number is seconds.`,
    examples: client.examples.map((words) => `netdemo ${name} --port ${4000 + port} ${words}`),
    flags,
    async run(args, channels) {
      const { flags: values, words } = parseCommandLine(args, flags);
      const protocol = chosenTransport(values);
      const requests = greeted(client, client.requests(words), protocol);
      try {
        const watch = values.trace
          ? { trace: await openTrace(channels.stderr), who: name }
          : undefined;
        using call = await connect(client, { ...values, port: values.port ?? port }, watch);
        return await converse(client, call, requests, new Answers(client, channels, values.json));
      } catch (error) {
        return reportFailure(error, channels, values.json);
      }
    },
  };
}

/** What is sent: over UDP a client that has nothing to ask sends its greeting. */
function greeted(
  { greeting }: Client,
  requests: readonly string[] | undefined,
  protocol: Protocol,
): readonly string[] | undefined {
  const greets = protocol === "udp" && greeting !== undefined && requests?.length === 0;
  return greets ? [greeting] : requests;
}

async function connect(
  client: Client,
  values: Values & { readonly port: number },
  watch: Watch | undefined,
): Promise<Call> {
  const { host = "localhost", port, udp, unix, timeout = DEFAULT_TIMEOUT_MS } = values;
  try {
    if (unix !== undefined) return await dialUnix(unix, timeout, watch);
    const startedAt = performance.now();
    const addresses = await resolve(host, timeout);
    const dialOver = udp ? dialUdp : dial;
    const spent = performance.now() - startedAt;
    return await dialOver({ addresses, port, timeout, spent, watch });
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== "REFUSED") throw error;
    const where = unix === undefined ? `--port ${port}` : `--unix ${unix}`;
    const hint = `no program listens there; start one: netdemo ${client.name}-server ${where}`;
    throw new Failure(error.kind, error.message, { cause: error.cause, hint });
  }
}

/** Sends what is to be sent, prints what comes back; gives the exit code. */
async function converse(
  client: Client,
  call: Call,
  requests: readonly string[] | undefined,
  answers: Answers,
): Promise<number> {
  if (requests !== undefined) {
    for (const request of requests) await answers.print([await ask(call, request)]);
  } else if (Deno.stdin.isTerminal()) {
    await askAtTerminal(client, call, answers);
  } else {
    await pipeline(call, new StdinLines(), (some) => answers.print(some));
  }
  answers.check();
  return 0;
}

async function askAtTerminal({ prompt = "" }: Client, call: Call, answers: Answers): Promise<void> {
  const input = new StdinLines();
  while (true) {
    await answers.prompt(prompt);
    const lines = await input.next();
    if (lines === undefined) return await answers.prompt("\n");
    for (const line of lines) await answers.print([await ask(call, line)]);
  }
}

/** Prints the answers and keeps count of those that are not as they should be. */
class Answers {
  readonly #client: Client;
  readonly #channels: Channels;
  readonly #json: boolean;
  #count = 0;
  #errors = 0;
  #wrong = 0;
  #firstWrong = "";

  constructor(client: Client, channels: Channels, json: boolean) {
    this.#client = client;
    this.#channels = channels;
    this.#json = json;
  }

  /** Asks the user; on stderr where stdout is for the answers alone. */
  async prompt(text: string): Promise<void> {
    const { stdout, stderr } = this.#channels;
    const channel = !this.#json && Deno.stdout.isTerminal() ? stdout : stderr;
    channel.text(text);
    await channel.flush();
  }

  /** Resolves once the answers are written, so that a slow reader slows the asking. */
  async print(answers: readonly Answer[]): Promise<void> {
    const { stdout } = this.#channels;
    for (const answer of answers) {
      const ok = this.#judge(answer);
      const { request, reply, elapsedMs } = answer;
      const line = this.#json
        ? jsonLine({ ok, request, reply, elapsedMs: Math.round(elapsedMs * 1_000) / 1_000 })
        : visible(reply);
      stdout.text(`${line}\n`);
    }
    await stdout.flush();
  }

  /** @throws {Failure} of kind `ERROR` if an answer was an error or wrong. */
  check(): void {
    if (this.#wrong > 0) {
      const count = `${this.#wrong} of ${this.#count} answers not what was expected`;
      const hint = "the peer speaks, but it calculates differently, or is no such server";
      throw new Failure("ERROR", `${count}: ${this.#firstWrong}`, { hint });
    }
    if (this.#errors > 0) {
      const hint = "the service understood the connection, but not what was asked; see its answer";
      throw new Failure("ERROR", `${this.#errors} of ${this.#count} answers were errors`, { hint });
    }
  }

  /** Whether the answer is what was asked for. */
  #judge({ request, reply }: Answer): boolean {
    this.#count++;
    if (reply.startsWith(ERROR_PREFIX)) {
      this.#errors++;
      return false;
    }
    const expected = this.#client.expected?.(request);
    if (expected === undefined || expected === reply) return true;
    if (this.#wrong++ === 0) {
      this.#firstWrong = `received '${shortened(reply)}' instead of '${shortened(expected)}'`;
    }
    return false;
  }
}

function shortened(text: string): string {
  return text.length <= QUOTED_LENGTH ? text : `${text.slice(0, QUOTED_LENGTH)}...`;
}
