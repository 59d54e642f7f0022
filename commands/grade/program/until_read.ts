import { delay } from "@std/async/delay";
import type { EagerPeer } from "../../../sockets/eager_peer.ts";
import { unreadAt } from "./system.ts";

/** Milliseconds within which a program reads what has arrived, if it reads at all. */
const READ_MS = 2_000;
/** Milliseconds after which a program has likely read what has arrived. */
const PAUSE_MS = 80;
const LOOK_MS = 2;

/** Waits until the program at the other end of a connection has read all that was sent to it. */
export async function untilRead({ local, remote }: EagerPeer): Promise<void> {
  if (!("port" in local) || !("port" in remote)) return;
  const until = performance.now() + READ_MS;
  while (performance.now() < until) {
    const unread = await unreadAt(remote.port, local.port);
    if (unread === 0) return;
    // Without a tool that shows this, or for a program on another host, a pause must do.
    await delay(unread === undefined ? PAUSE_MS : LOOK_MS);
    if (unread === undefined) return;
  }
}
