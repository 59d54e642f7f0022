import { formatEndpoint, formatEndpoints, type Protocol } from "../../protocol/addresses.ts";
import { errnoOf } from "../../sockets/errno.ts";
import type { Peer, Server, ServerEvents } from "../../services/server/server.ts";
import type { Service } from "../../services/service.ts";
import type { Event } from "../../cli/events.ts";
import { type Channels, eventLine, rounded } from "../../cli/report.ts";
import { visible } from "../../text/visible.ts";

/** Milliseconds between two notices of the same kind on stderr. */
const NOTICE_MS = 1_000;

/** How a server's life is reported. */
export interface ServerReport {
  /** What is reported while it runs. */
  readonly events: ServerEvents;
  /** It listens. */
  listening(server: Server): void;
  /** It has stopped, because of a signal, `once` or `max-time`. */
  stopped(why: string): void;
}

/** For people: the lesson's lines on stdout, what goes wrong on stderr. */
export function textReport(
  service: Service,
  protocol: Protocol,
  { stdout, stderr }: Channels,
): ServerReport {
  const { connected } = service;
  const answeredLine = lineOfRequest(service, protocol);
  const full = noticeOf((line) => stderr.line(line));
  const ignored = noticeOf((line) => stderr.line(line));
  const failed = noticeOf((line) => stderr.line(line));
  return {
    events: {
      connected: connected === undefined ? undefined : () => stdout.line(connected),
      answered: answeredLine === undefined
        ? undefined
        : (peer, request) => stdout.line(answeredLine(peer, request)),
      rejected: () => full("netdemo: server is full: a connection was turned away"),
      ignored: ({ remote }, why) =>
        ignored(`netdemo: no answer to a datagram from ${formatEndpoint(remote)}: ${why}`),
      acceptFailed: (error) =>
        failed(`netdemo: cannot accept connections; retrying: ${error.message}`),
    },
    listening({ addresses, protocol }) {
      stdout.line(service.running);
      stdout.line(`Listening on ${visible(formatEndpoints(addresses, protocol))}`);
    },
    stopped() {
      if (stdout.dropped === 0) return;
      stderr.line(`netdemo: ${stdout.dropped} lines could not be written to stdout`);
    },
  };
}

/** How a request is shown: its text, or, over UDP in place of a connection, whom it came from. */
function lineOfRequest(
  { connected, showsRequests }: Service,
  protocol: Protocol,
): ((peer: Peer, request: string | null) => string) | undefined {
  if (showsRequests) {
    return (_, request) => request === null ? "(not UTF-8 text)" : visible(request);
  }
  if (protocol !== "udp" || connected === undefined) return undefined;
  return ({ remote }) => `Datagram received from ${formatEndpoint(remote)}`;
}

/** For programs: each event as one JSON object on stdout. */
export function jsonReport(
  service: Service,
  protocol: Protocol,
  { stdout }: Channels,
): ServerReport {
  const startedAt = performance.now();
  const total = { connections: 0, requests: 0, rejected: 0, ignored: 0 };
  const common = () => ({ time: new Date().toISOString(), service: service.name });
  const emit = (event: Event): void => stdout.line(eventLine(event));
  return {
    events: {
      connected(peer) {
        total.connections++;
        emit({ event: "connection", ...common(), connection: peer.id, ...endsOf(peer) });
      },
      answered(peer, request, reply) {
        total.requests++;
        const number = protocol === "udp" ? { datagram: peer.id } : { connection: peer.id };
        emit({ event: "request", ...common(), ...number, ...endsOf(peer), request, reply });
      },
      ignored(peer, reason) {
        total.ignored++;
        emit({ event: "ignored", ...common(), datagram: peer.id, ...endsOf(peer), reason });
      },
      closed(peer, reason) {
        const { id, requests, acceptedAt } = peer;
        const elapsedMs = since(acceptedAt);
        emit({
          event: "closed",
          ...common(),
          connection: id,
          ...endsOf(peer),
          reason,
          requests,
          elapsedMs,
        });
      },
      rejected(peer) {
        total.rejected++;
        emit({
          event: "rejected",
          ...common(),
          connection: peer.id,
          ...endsOf(peer),
          reason: "server is full",
        });
      },
      acceptFailed(error) {
        emit({
          event: "accept-failed",
          ...common(),
          errno: errnoOf(error),
          message: error.message,
        });
      },
    },
    listening({ addresses, port, protocol }) {
      emit({
        event: "listening",
        ...common(),
        protocol,
        addresses: addresses.map(formatEndpoint),
        port,
      });
    },
    stopped(reason) {
      const { dropped: droppedLines } = stdout;
      emit({
        event: "stopped",
        ...common(),
        reason,
        ...total,
        droppedLines,
        elapsedMs: since(startedAt),
      });
    },
  };
}

function endsOf({ remote, local }: Peer): { readonly remote: string; readonly local: string } {
  return { remote: formatEndpoint(remote), local: formatEndpoint(local) };
}

function since(start: number): number {
  return rounded(performance.now() - start);
}

/** Reports a thing once a second at most, and then how often it was suppressed. */
function noticeOf(report: (line: string) => void): (line: string) => void {
  let lastReport = -Infinity;
  let suppressed = 0;
  return (line) => {
    const now = performance.now();
    if (now - lastReport < NOTICE_MS) {
      suppressed++;
      return;
    }
    report(suppressed === 0 ? line : `${line} (and ${suppressed} more times)`);
    lastReport = now;
    suppressed = 0;
  };
}
