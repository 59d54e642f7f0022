import type { Output } from "../../cli/output/output.ts";
import { formatEndpoint } from "../../protocol/addresses.ts";
import type { ForeignKind } from "../../protocol/first_bytes.ts";
import type { Peer, ServerEvents } from "../../services/server/server.ts";
import { reasonOf } from "../../sockets/errno.ts";
import { visible } from "../../text/visible.ts";
import { counted } from "../../text/counted.ts";

/** Characters of a request or a reply to show. */
const SHOWN_LENGTH = 200;

/** What connections of other protocols begin with. */
const foreignStarts: Readonly<Record<ForeignKind, string>> = {
  "PROXY v1": "a header of the PROXY protocol, version 1",
  "PROXY v2": "a header of the PROXY protocol, version 2",
  TLS: "a TLS handshake",
  HTTP: "an HTTP request",
  SSH: "an SSH client's version",
  telnet: "a negotiation of telnet options",
  "UTF-16": "UTF-16 text",
};

/**
 * Shows for `--verbose` each connection, request, reply and end, with its peer, and what a peer
 * receives without having asked.
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
    sent: (peer, text) => say(peer, "receives", shown(text)),
    closed(peer, reason) {
      const { requests, acceptedAt } = peer;
      const elapsed = (performance.now() - acceptedAt).toFixed(1);
      say(peer, "ended", `${reason}; ${counted(requests, "request")} in ${elapsed} ms`);
    },
    rejected: (peer) => say(peer, "rejected", "server is full"),
    ignored: (peer, why) => say(peer, "ignored", why),
    unbound() {}, // the report names it
    foreign: (peer, kind) => say(peer, "begins", `with ${foreignStarts[kind]}`),
    acceptFailed: (error) => stderr.line(`${prefix}accept failed: ${visible(reasonOf(error))}`),
  };
}

/** Passes events to both. */
export function bothEvents(one: ServerEvents, other: ServerEvents): ServerEvents {
  type Handlers = Readonly<Record<string, ((...event: unknown[]) => void) | undefined>>;
  const [ones, others] = [one as Handlers, other as Handlers];
  return Object.fromEntries(
    Object.keys(others).map((name) => [name, (...event: unknown[]) => {
      ones[name]?.(...event);
      others[name]?.(...event);
    }]),
  );
}

function shown(text: string): string {
  if (text.length <= SHOWN_LENGTH) return visible(text);
  return `${visible(text.slice(0, SHOWN_LENGTH))}... (${text.length} characters)`;
}
