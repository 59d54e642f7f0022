import { formatEndpoint, formatEndpoints, type Protocol } from "../../protocol/addresses.ts";
import { errnoOf, reasonOf } from "../../sockets/errno.ts";
import type { Peer, ServerEvents } from "../../services/server/server.ts";
import type { Service } from "../../services/service.ts";
import { asFailure } from "../../cli/errors/failure.ts";
import type { Event } from "../../cli/output/events.ts";
import { noticeOf } from "../../cli/output/notice.ts";
import { type Channels, eventLine, rounded } from "../../cli/output/channels.ts";
import { visible } from "../../text/visible.ts";
import { lineElsewhere, type Listening } from "./listening.ts";
import { bothEvents, verboseEvents } from "./verbose.ts";

/** Reports the life of a service's server, or of one for each protocol. */
export interface ServerReport {
  /** Events to report while serving over the protocol. */
  events(protocol: Protocol): ServerEvents;
  /** Reports that they listen. */
  listening(place: Listening): void;
  /** Reports that they have stopped, because of a signal, `once` or `max-time`. */
  stopped(why: string): void;
}

/**
 * The report that the flags choose.
 *
 * @param isOneOfSeveral Whether to begin each line with the service's name, since others run too.
 */
export function openServerReport(
  service: Service,
  { json, verbose }: { readonly json: boolean; readonly verbose: boolean },
  channels: Channels,
  isOneOfSeveral = false,
): ServerReport {
  const report = json
    ? jsonReport(service, channels)
    : textReport(service, channels, isOneOfSeveral);
  if (!verbose) return report;
  return {
    ...report,
    events(protocol) {
      const prefix = isOneOfSeveral ? `${service.name} ${protocol}: ` : "";
      return bothEvents(report.events(protocol), verboseEvents(channels.stderr, prefix));
    },
  };
}

/** For people: the lesson's lines on stdout, what goes wrong on stderr. */
function textReport(
  service: Service,
  { stdout, stderr }: Channels,
  isOneOfSeveral: boolean,
): ServerReport {
  const { connected } = service;
  const prefix = isOneOfSeveral ? `${service.name}: ` : "";
  const say = (line: string): void => stdout.line(prefix + line);
  const warn = (line: string): void => stderr.line(`netdemo: ${prefix}${line}`);
  const [full, ignored, failed] = [noticeOf(warn), noticeOf(warn), noticeOf(warn)];
  return {
    events(protocol) {
      const answeredLine = lineOfRequest(service, protocol);
      const asked = protocol === "udp" ? "datagram" : "request";
      return {
        connected: connected === undefined ? undefined : () => say(connected),
        answered: answeredLine === undefined
          ? undefined
          : (peer, request) => say(answeredLine(peer, request)),
        rejected: () => full("server is full: a connection was turned away"),
        ignored: ({ remote }, why) =>
          ignored(`no answer to a ${asked} from ${formatEndpoint(remote)}: ${why}`),
        unbound: (failure) => warn(asFailure(failure).message),
        acceptFailed: (error) => failed(`cannot accept connections; retrying: ${reasonOf(error)}`),
      };
    },
    listening({ addresses, protocols, port }) {
      if (!isOneOfSeveral) say(service.running);
      say(`Listening on ${visible(formatEndpoints(addresses, ...protocols))}`);
      const line = lineElsewhere(service, { addresses, protocols, port });
      if (line !== undefined) stderr.line(`hint: from another machine: ${line}`);
    },
    stopped() {},
  };
}

/** How a request is shown: its text, or, over UDP for lack of a connection, its sender. */
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
function jsonReport(service: Service, { stdout }: Channels): ServerReport {
  const startedAt = performance.now();
  const total = { connections: 0, requests: 0, rejected: 0, ignored: 0 };
  const common = () => ({ time: new Date().toISOString(), service: service.name });
  const emit = (event: Event): void => stdout.line(eventLine(event));
  return {
    events(protocol) {
      const connection = (peer: Peer) => ({ ...common(), connection: peer.id, ...endsOf(peer) });
      const either = (peer: Peer) =>
        protocol === "udp" ? { ...common(), datagram: peer.id, ...endsOf(peer) } : connection(peer);
      return {
        connected(peer) {
          total.connections++;
          emit({ event: "connection", ...connection(peer) });
        },
        answered(peer, request, reply) {
          total.requests++;
          emit({ event: "request", ...either(peer), request, reply });
        },
        ignored(peer, reason) {
          total.ignored++;
          emit({ event: "ignored", ...either(peer), reason });
        },
        closed(peer, reason) {
          const { requests, acceptedAt } = peer;
          const elapsedMs = since(acceptedAt);
          emit({ event: "closed", ...connection(peer), reason, requests, elapsedMs });
        },
        rejected(peer) {
          total.rejected++;
          emit({ event: "rejected", ...connection(peer), reason: "server is full" });
        },
        acceptFailed(error) {
          const message = reasonOf(error);
          emit({ event: "accept-failed", ...common(), errno: errnoOf(error), message });
        },
      };
    },
    listening({ addresses: endpoints, port, protocols }) {
      const addresses = endpoints.map(formatEndpoint);
      emit({ event: "listening", ...common(), protocols: [...protocols], addresses, port });
    },
    stopped(reason) {
      const { dropped: droppedLines } = stdout;
      const elapsedMs = since(startedAt);
      emit({ event: "stopped", ...common(), reason, ...total, droppedLines, elapsedMs });
    },
  };
}

function endsOf({ remote, local }: Peer): { readonly remote: string; readonly local: string } {
  return { remote: formatEndpoint(remote), local: formatEndpoint(local) };
}

function since(start: number): number {
  return rounded(performance.now() - start);
}
