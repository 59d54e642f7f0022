import type { Output } from "../../cli/output/output.ts";
import { formatEndpoint } from "../../protocol/addresses.ts";
import type { Peer, ServerEvents } from "../../services/server/server.ts";
import { reasonOf } from "../../sockets/errno.ts";
import { visible } from "../../text/visible.ts";

/** Characters of a request or a reply to show. */
const SHOWN_LENGTH = 200;

/**
 * Shows for `--verbose` each connection, request, reply and end, with its peer.
 *
 * @param prefix Precedes each line if several services share a terminal.
 */
export function verboseEvents(stderr: Output, prefix: string): Required<ServerEvents> {
  const say = ({ id, remote }: Peer, what: string, details = ""): void =>
    stderr.line(
      `${prefix}#${id} ${visible(formatEndpoint(remote))} ${what.padEnd(9)} ${details}`.trimEnd(),
    );
  return {
    connected: (peer) => say(peer, "connected"),
    answered(peer, request, reply) {
      say(peer, "request", request === null ? "(not UTF-8 text)" : shown(request));
      say(peer, "reply", shown(reply));
    },
    closed(peer, reason) {
      const { requests, acceptedAt } = peer;
      const count = requests === 1 ? "1 request" : `${requests} requests`;
      const elapsed = (performance.now() - acceptedAt).toFixed(1);
      say(peer, "ended", `${reason}; ${count} in ${elapsed} ms`);
    },
    rejected: (peer) => say(peer, "rejected", "server is full"),
    ignored: (peer, why) => say(peer, "ignored", why),
    acceptFailed: (error) => stderr.line(`${prefix}accept failed: ${visible(reasonOf(error))}`),
  };
}

/** Passes events to both. */
export function bothEvents(one: ServerEvents, other: Required<ServerEvents>): ServerEvents {
  return {
    connected(connection) {
      one.connected?.(connection);
      other.connected(connection);
    },
    answered(peer, request, reply) {
      one.answered?.(peer, request, reply);
      other.answered(peer, request, reply);
    },
    closed(connection, reason) {
      one.closed?.(connection, reason);
      other.closed(connection, reason);
    },
    rejected(connection) {
      one.rejected?.(connection);
      other.rejected(connection);
    },
    ignored(peer, why) {
      one.ignored?.(peer, why);
      other.ignored(peer, why);
    },
    acceptFailed(error) {
      one.acceptFailed?.(error);
      other.acceptFailed(error);
    },
  };
}

function shown(text: string): string {
  if (text.length <= SHOWN_LENGTH) return visible(text);
  return `${visible(text.slice(0, SHOWN_LENGTH))}... (${text.length} characters)`;
}
