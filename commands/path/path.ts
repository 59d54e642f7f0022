import { delay } from "@std/async/delay";
import type { Program } from "../../cli/command.ts";
import { asFailure, Failure } from "../../cli/errors/failure.ts";
import { type Channels, eventLine } from "../../cli/output/channels.ts";
import { openReport } from "../../cli/reports/open_report.ts";
import { breakOff, endReport } from "../../cli/reports/report.ts";
import { exitCodeOf, watchStopSignals } from "../../cli/signals.ts";
import { displayOf } from "../../cli/output/terminal.ts";
import { formatEndpoint } from "../../protocol/addresses.ts";
import { errnoOf } from "../../sockets/errno.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { resolve } from "../../sockets/resolve.ts";
import { wrap } from "../../text/width.ts";
import { BULK_MIB, type Ends, flags, type PathOptions, readCommandLine } from "./command_line.ts";
import { type Fixture, openFixture, RETRY_MS, type Strays, waitUntilUp } from "./fixture.ts";
import { questionsOver } from "./questions.ts";
import { type Answered, eventOf, failureOf, resultOf, rowOf, summaryOf } from "./report.ts";
import type { Outcome } from "../../suite/outcome.ts";
import { isReported } from "../../suite/selection.ts";

/** The command that asks what a forwarder does to connections. */
export const program: Program = {
  usage: "--listen [HOST:]PORT TARGET",
  resets: true,
  about: `Acts as both the client and the server of a forwarder (a proxy, a load balancer,
a port mapping, a tunnel) and asks what it does to connections. TARGET, HOST:PORT,
is where the forwarder listens; PORT is where it forwards to, and nothing else may
listen there. Each question is answered as without a forwarder (ok) or not (NOT);
a note is not a failure.

Questions over TCP:
  ${listed("tcp")}
Questions over UDP:
  ${listed("udp")}

Exit code 0: no failures. 1: some. 10 to 14 or 124: not even a request and its
reply get through.`,
  examples: [
    "netdemo path --listen 4040 localhost:8080",
    "netdemo path --listen 0.0.0.0:4040 --for 30s --allow nobody proxy:8080",
    "netdemo path --listen 4040 --idle 2m --only idle localhost:8080",
    "netdemo path --listen 5353 --udp localhost:53",
    "netdemo path --explain",
  ],
  flags,
  parse(args) {
    const options = readCommandLine(args);
    const { ends } = options;
    if (ends === undefined) return (channels) => explain(options, channels);
    return (channels) => run(ends, options, channels);
  },
};

async function run(ends: Ends, options: PathOptions, channels: Channels): Promise<number> {
  const { flags } = options;
  const report = openReport<Answered>({
    ...{ command: "path", flags, channels, widths: [33, 0] },
    row: rowOf,
    event: eventOf,
  });
  const startedAt = performance.now();
  using signals = watchStopSignals();
  const { first: stop } = signals;
  const outcomes: Outcome[] = [];
  const asking = askAll(ends, options, (outcome) => {
    if (stop.aborted) return;
    outcomes.push(outcome);
    report.add([resultOf(outcome, flags.explain)]);
  });
  const stopped = new Promise<undefined>((resolve) => {
    stop.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  // A question that is being asked when it stops ends with this process.
  const strays = await Promise.race([asking, stopped]).catch((error) => breakOff(report, error));
  const { host: hostname, port } = ends.listen;
  const failure = strays && failureOf(outcomes, strays, formatEndpoint({ hostname, port }));
  const exitCode = strays === undefined ? exitCodeOf(stop.reason) : failure?.exitCode ?? 0;
  const elapsedMs = performance.now() - startedAt;
  const summary = summaryOf(outcomes, { strays, failure, exitCode, elapsedMs });
  const reported = endReport(report, summary, failure).then(() => exitCode);
  return await Promise.race([reported, signals.second]); // stdout may not be read
}

/** The ids of the questions, wrapped to fit the help. */
function listed(protocol: "tcp" | "udp"): string {
  return wrap(questionsOver(protocol).map(({ id }) => id).join(", "), 76).join("\n  ");
}

/** Lists the questions with what they mean. */
async function explain(options: PathOptions, { stdout }: Channels): Promise<number> {
  const { choice: { only }, flags: { json } } = options;
  const width = displayOf(Deno.stdout).columns - 4;
  const questions = questionsOver(options.protocol).filter(({ id }) => only?.has(id) ?? true);
  for (const { id, sentence, why } of questions) {
    const lines = json
      ? [eventLine({ event: "explanation", id, sentence, explain: why })]
      : [`${id}: ${sentence}`, ...wrap(why, width).map((line) => `    ${line}`)];
    for (const line of lines) stdout.line(line);
  }
  await stdout.flush();
  return 0;
}

async function open(
  { listen, target }: Ends,
  { protocol, flags: { timeout, idle, bulk = BULK_MIB, for: limit = 0 } }: PathOptions,
): Promise<Fixture> {
  const addresses = await resolve(listen.host, timeout);
  const targets = await resolveWithin(limit, target.host, timeout);
  try {
    return await openFixture({
      protocol,
      addresses,
      port: listen.port,
      targets: targets.map((hostname) => ({ hostname, port: target.port })),
      timeout,
      idle,
      bulk,
    });
  } catch (error) {
    throw withOwnHint(error);
  }
}

/** Like `resolve`, but waits for a name that is not known yet, such as a starting container's. */
async function resolveWithin(
  limit: number,
  host: string,
  timeout: number,
): Promise<readonly string[]> {
  const end = performance.now() + limit;
  while (true) {
    try {
      return await resolve(host, timeout);
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await delay(Math.min(RETRY_MS, Math.max(0, end - performance.now())));
  }
}

/** The usual hint for a port that can't be listened on names flags that path does not have. */
function withOwnHint(error: unknown): unknown {
  if (!(error instanceof SocketFailure) || error.kind !== "BIND") return error;
  const hint = errnoOf(error.cause) === "EADDRINUSE"
    ? "path takes the place of the server: stop what listens there, or use another port"
    : "give --listen an address of this host and a port from 1024 up";
  return new Failure("BIND", asFailure(error).message, { cause: error, hint });
}

/** Asks one question after another, each of which `take` gets; returns the strays that came. */
async function askAll(
  ends: Ends,
  options: PathOptions,
  take: (outcome: Outcome) => void,
): Promise<Strays> {
  const { choice, flags: { for: limit, timeout } } = options;
  const startedAt = performance.now();
  using fixture = await open(ends, options);
  if (limit !== undefined) {
    await waitUntilUp(fixture, limit - (performance.now() - startedAt), timeout);
  }
  for await (const outcome of fixture.ask(choice)) {
    // Nothing gets through: the other questions would only repeat that.
    if (outcome.status !== "not-judged" && isReported(outcome, choice.only)) take(outcome);
  }
  return fixture.strays;
}
