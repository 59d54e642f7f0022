import { type Endpoint, formatEndpoint, formatEndpoints } from "../protocol/addresses.ts";
import { errnoOf } from "../protocol/failure.ts";
import type { ServerEvents } from "../services/server.ts";
import type { Service } from "../services/service.ts";
import type { Channels } from "./report.ts";
import { jsonLine, visible } from "./visible.ts";

/** Milliseconds between two notices of the same kind on stderr. */
const NOTICE_MS = 1_000;

/** How a server's life is told. */
export interface ServerReport {
  /** What is told while it runs. */
  readonly events: ServerEvents;
  /** It listens. */
  listening(addresses: readonly Endpoint[]): void;
  /** It has stopped, because of a signal, `once` or `max-time`. */
  stopped(why: string): void;
}

/** For people: the lesson's lines on stdout, what goes wrong on stderr. */
export function textReport(service: Service, { stdout, stderr }: Channels): ServerReport {
  const { connected, showsRequests } = service;
  const full = noticeOf((line) => stderr.line(line));
  const failed = noticeOf((line) => stderr.line(line));
  return {
    events: {
      connected: connected === undefined ? undefined : () => stdout.line(connected),
      answered: showsRequests
        ? (_, request) => stdout.line(request === null ? "(not UTF-8 text)" : visible(request))
        : undefined,
      rejected: () => full("netdemo: server is full: a connection was turned away"),
      acceptFailed: (error) => failed(`netdemo: cannot accept, will try again: ${error.message}`),
    },
    listening(addresses) {
      stdout.line(service.running);
      stdout.line(`Listening on ${formatEndpoints(addresses)}`);
    },
    stopped() {
      if (stdout.dropped === 0) return;
      stderr.line(`netdemo: ${stdout.dropped} lines could not be written to stdout`);
    },
  };
}

/** For programs: each event as one JSON object on stdout. */
export function jsonReport(service: Service, { stdout }: Channels): ServerReport {
  const startedAt = performance.now();
  const total = { connections: 0, requests: 0, rejected: 0 };
  const tell = (event: string, details: Record<string, unknown>): void => {
    stdout.line(jsonLine({ event, time: new Date().toISOString(), ...details }));
  };
  return {
    events: {
      connected({ id, remote }) {
        total.connections++;
        tell("connection", { connection: id, remote: formatEndpoint(remote) });
      },
      answered({ id }, request, reply) {
        total.requests++;
        tell("request", { connection: id, request, reply });
      },
      closed({ id, requests, acceptedAt }, reason) {
        tell("closed", { connection: id, reason, requests, durationMs: since(acceptedAt) });
      },
      rejected({ id, remote }) {
        total.rejected++;
        tell("rejected", {
          connection: id,
          remote: formatEndpoint(remote),
          reason: "server is full",
        });
      },
      acceptFailed(error) {
        tell("accept-failed", { code: errnoOf(error), message: error.message });
      },
    },
    listening(addresses) {
      tell("listening", {
        service: service.name,
        protocol: "tcp",
        addresses: addresses.map(formatEndpoint),
        port: addresses[0]?.port,
      });
    },
    stopped(why) {
      const { dropped } = stdout;
      tell("stopped", {
        reason: why,
        ...total,
        droppedLines: dropped,
        durationMs: since(startedAt),
      });
    },
  };
}

function since(start: number): number {
  return Math.round((performance.now() - start) * 1_000) / 1_000;
}

/** Tells a thing once a second at most, and then how often it was left untold. */
function noticeOf(tell: (line: string) => void): (line: string) => void {
  let lastTold = -Infinity;
  let untold = 0;
  return (line) => {
    const now = performance.now();
    if (now - lastTold < NOTICE_MS) {
      untold++;
      return;
    }
    tell(untold === 0 ? line : `${line} (and ${untold} more times)`);
    lastTold = now;
    untold = 0;
  };
}
