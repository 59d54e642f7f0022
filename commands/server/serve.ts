import type { Program } from "../../cli/command.ts";
import { misuse } from "../../cli/errors/failure.ts";
import { systemWords } from "../../cli/system_words.ts";
import { parseCommandLine, type ValueFlag } from "../../cli/arguments/flags.ts";
import type { Channels } from "../../cli/output/channels.ts";
import { openTrace } from "../../cli/output/trace.ts";
import { hostFlag } from "../../cli/arguments/transport.ts";
import type { StreamOptions } from "../../services/server/server.ts";
import type { Service } from "../../services/service.ts";
import { resolve } from "../../sockets/resolve.ts";
import type { Lesson } from "../lesson.ts";
import {
  chosenService,
  limitsOf,
  RESOLVE_TIMEOUT_MS,
  runFlags,
  type RunValues,
  serviceFlag,
} from "./flags.ts";
import { type ServerGroup, startGroup } from "./group.ts";
import { bothTraces, type OpenPage, openPage, reportingTo } from "./server_page.ts";
import { openServerReport, type ServerReport } from "./server_report.ts";
import { runUntilStopped } from "../../cli/run_until_stopped.ts";
import { refuseSingleFlags, type ServedPort, servedPorts } from "./served_ports.ts";

/** The command that runs several services at once, each over TCP and UDP on one port. */
export async function serveProgram(
  lesson: Lesson,
  { stops } = systemWords(),
): Promise<Program> {
  const services = await Promise.all(lesson.map((row) => row.service()));
  const flags = {
    host: hostFlag("host name or IP address to listen on"),
    ...ownFlags(services),
    ...runFlags,
    "port-file": {
      ...runFlags["port-file"],
      about: "file with a line for each service, such as calc 4040",
    },
  };
  const all = lesson.map(({ name, servePort }) => `${name} ${servePort}`).join(", ");
  return {
    usage: "[SERVICE[:PORT]|FILE.talk:PORT...]",
    about: `Runs services in one process, each over TCP and UDP on the same port, until
${stops}. Without a SERVICE it runs all of them, on these ports:
${all}. A PORT of 0 picks a free one.
A FILE whose name ends in .talk is a conversation: the server says what it shows,
to any client that does too (see netdemo help conversations).
Limits apply to each service.`,
    examples: [
      "netdemo serve",
      "netdemo serve calc lab:5050 --host 0.0.0.0 --name west-1",
      "netdemo serve calc:0 message:0 --port-file ports.txt --json",
      "netdemo serve exercise.talk:7000 --verbose",
    ],
    flags,
    async parse(args) {
      refuseSingleFlags(args);
      const { flags: values, given, words } = parseCommandLine(args, flags);
      const ports = await servedPorts(words, lesson);
      refuseUnserved(services, ports, given);
      const limits = limitsOf(values);
      return (channels) => run(ports, values, limits, channels);
    },
  };
}

async function run(
  ports: readonly ServedPort[],
  values: RunValues & { readonly host: string },
  limits: StreamOptions,
  channels: Channels,
): Promise<number> {
  const trace = values.trace ? await openTrace(channels.stderr) : undefined;
  await using page = await openPage(values, "serve");
  const addresses = await resolve(values.host, RESOLVE_TIMEOUT_MS);
  const plans = await Promise.all(ports.map(async ({ port, sample, ...served }) => {
    const service = chosenService(await served.service(), values);
    const report = openServerReport(service, values, channels, true);
    return { service, port, sample, report: watchedBy(page, report) };
  }));
  const options = { ...limits, trace: bothTraces(trace, page?.watch.trace) };
  return await runUntilStopped<ServerGroup>(
    {
      start: (signal) => startGroup(plans, addresses, { ...options, signal }),
      portFile: ({ served }) =>
        served.map(({ plan, listening }) => `${plan.service.name} ${listening.port}\n`).join(""),
      listening({ served }) {
        for (const { plan, listening } of served) plan.report.listening(listening);
        page?.show(served.map(({ plan, listening }) => ({ ...plan, listening })), channels);
      },
      stopped(why) {
        plans.forEach(({ report }) => report.stopped(why));
        page?.stopped(why);
      },
    },
    values,
    channels,
  );
}

/** A report that also notifies the page of the end of connections. */
function watchedBy(page: OpenPage | undefined, report: ServerReport): ServerReport {
  return { ...report, events: (protocol) => reportingTo(page, report.events(protocol)) };
}

/** The services' own flags: `--reply` of message, `--name` of lab. */
function ownFlags(services: readonly Service[]): Readonly<Record<string, ValueFlag<Service>>> {
  return Object.fromEntries(services.flatMap((service) => {
    const { flag } = service;
    if (flag === undefined) return [];
    return [[flag.name, {
      ...serviceFlag(service, flag),
      about: `${service.name}: ${flag.about}`,
    }]];
  }));
}

/** @throws {Failure} of kind `USAGE` if a flag is given for a service that is not to run. */
function refuseUnserved(
  services: readonly Service[],
  ports: readonly ServedPort[],
  given: ReadonlySet<string>,
): void {
  for (const { name, flag } of services) {
    if (flag === undefined || !given.has(flag.name)) continue;
    if (ports.some((served) => served.name === name)) continue;
    throw misuse(`--${flag.name} is for ${name}, which is not among the services`);
  }
}
