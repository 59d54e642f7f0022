import { openPageOf, type PageValues, reportPage } from "../../cli/page_flags.ts";
import type { Channels } from "../../cli/output/channels.ts";
import type { Page } from "../../page/open_page.ts";
import type { WireWatch } from "../../page/wire_watch.ts";
import { formatEndpoints } from "../../protocol/addresses.ts";
import { visible } from "../../text/visible.ts";
import type { EventSink } from "../../ladder/wire.ts";
import type { Relay } from "./relay_engine.ts";

/**
 * Opens the page of a relay, if the flags ask for it.
 *
 * @throws {Failure} of kind `BIND` if its port can't be listened on.
 */
export function openPage(
  values: PageValues,
  protocol: "tcp" | "udp",
): Promise<Page<WireWatch> | undefined> {
  return openPageOf(values, async (place) => {
    const { openRelayPage } = await import("../../page/open_page.ts");
    return openRelayPage({ ...place, title: "relay" }, protocol);
  });
}

/** Passes events to both, if both exist. */
export function emitToBoth(
  one: EventSink | undefined,
  other: EventSink | undefined,
): EventSink | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (event) => {
    one(event);
    other(event);
  };
}

/** Reports the address of the page, and describes on it how to connect to the relay. */
export function showPage(
  page: Page<WireWatch>,
  { addresses, protocol }: Relay,
  target: string,
  values: PageValues,
  channels: Channels,
): void {
  const port = addresses[0]?.port ?? 0;
  page.describe({
    where: visible(`${formatEndpoints(addresses, protocol)}, passing on to ${target}`),
    hint: visible(`Let a client connect to port ${port} in place of ${target}, for example:`),
    tries: [`netdemo calc-client ${protocol === "udp" ? "udp://" : ""}localhost:${port}`],
  });
  reportPage(page.url, values, channels);
}
