import { openPageOf, type PageValues, reportPage } from "../../cli/page_flags.ts";
import type { Channels } from "../../cli/output/channels.ts";
import type { Page } from "../../page/open_page.ts";
import type { SocketWatch } from "../../page/socket_watch.ts";
import { formatEndpoints } from "../../protocol/addresses.ts";
import type { ServerEvents } from "../../services/server/server.ts";
import type { Service } from "../../services/service.ts";
import type { SocketEvent, Trace } from "../../sockets/socket_events.ts";
import { shellWord } from "../../text/shell.ts";
import { visible } from "../../text/visible.ts";
import { lineToAsk, type Listening } from "./listening.ts";

/** A service, where it listens, and sample words for its client. */
export interface ServicePlace {
  readonly service: Service;
  readonly listening: Listening;
  readonly sample: readonly string[];
}

/** The page of a command that runs servers. */
export interface OpenPage extends Page<SocketWatch> {
  /** Reports the address of the page, and describes on it where the servers listen. */
  show(places: readonly ServicePlace[], channels: Channels): void;
}

/**
 * Opens the page, if the flags ask for it.
 *
 * @throws {Failure} of kind `BIND` if its port can't be listened on.
 */
export function openPage(values: PageValues, title: string): Promise<OpenPage | undefined> {
  return openPageOf(values, async (place) => {
    const { openServerPage } = await import("../../page/open_page.ts");
    const page = openServerPage({ ...place, title });
    return {
      ...page,
      show(places, channels) {
        page.describe({
          where: places.map((place) => whereOf(place, places.length > 1)).join(", "),
          hint: "Type in another terminal:",
          tries: places.map(lineToType),
        });
        reportPage(page.url, values, channels);
      },
    };
  });
}

/** A server's events that also report the ends of connections to the page. */
export function reportingTo(page: OpenPage | undefined, events: ServerEvents): ServerEvents {
  if (page === undefined) return events;
  return {
    ...events,
    closed(peer, reason) {
      events.closed?.(peer, reason);
      page.watch.ended(peer.remote, peer.local, reason);
    },
  };
}

/** Passes trace events to both, if both exist. */
export function bothTraces(one: Trace | undefined, other: Trace | undefined): Trace | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (event: SocketEvent) => {
    one(event);
    if (other.takes?.(event.socket, event.call) ?? true) other(event);
  };
}

function whereOf({ service, listening }: ServicePlace, isOneOfSeveral: boolean): string {
  const { addresses, protocols, port } = listening;
  if (isOneOfSeveral) return `${service.name} ${port}`;
  return visible(formatEndpoints(addresses, ...protocols));
}

/** The line to type to ask a server its sample request. */
function lineToType({ service, listening, sample }: ServicePlace): string {
  const { addresses: [address], protocols, port } = listening;
  const where = address !== undefined && "path" in address
    ? `--unix ${shellWord(address.path ?? "")}`
    : `${protocols.includes("tcp") ? "" : "udp://"}localhost:${port}`;
  return visible(lineToAsk(service, where, sample));
}
