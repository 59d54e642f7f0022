import { isSameEndpoint } from "../../../protocol/addresses.ts";
import { bindDatagrams } from "../../../sockets/listen.ts";
import { type DatagramSocket, internetEndpointOf } from "../../../sockets/stream.ts";
import { answered } from "./ask_stream.ts";
import type { Challenge } from "../questions/challenge.ts";
import type { Probing } from "./probing.ts";
import type { ProbeEnding } from "./verdict.ts";

/** Holds any datagram: over IPv6 they may be slightly longer than over IPv4. */
const DATAGRAM_SIZE = 65_536;

/** Sends the request, and takes the first datagram from the peer. */
export async function askOverUdp(
  challenge: Challenge | undefined,
  { remote, over, seen }: Probing,
): Promise<ProbeEnding> {
  if (challenge?.request === undefined || "path" in remote) {
    throw new TypeError("Cannot probe over UDP without an address and a request");
  }
  seen.phase = "send";
  const hostname = remote.hostname.includes(":") ? "::" : "0.0.0.0";
  const socket = bindDatagrams({ hostname, port: 0 });
  // It may be closed early, to end a pending call, and then a second time.
  using closing = new DisposableStack();
  closing.defer(() => socket.close());
  over.signal.addEventListener("abort", () => closing.dispose(), { once: true });
  over.signal.throwIfAborted();
  const sentAt = performance.now();
  await socket.send(challenge.request, { transport: "udp", ...remote });
  seen.phase = "reply";
  seen.sendMs = performance.now() - sentAt;
  seen.sentAt = performance.now();
  const buffer = new Uint8Array(DATAGRAM_SIZE);
  while (true) {
    const [bytes, from] = await receiveAny(socket, buffer);
    const sender = internetEndpointOf(from);
    if (isSameEndpoint(sender, remote)) {
      [seen.reply, seen.lastAt] = [bytes, performance.now()];
      return answered(challenge.match(bytes, "end"));
    }
    seen.stranger = sender;
  }
}

/** The next datagram. On Windows a receive may fail because nothing listens at the remote end. */
async function receiveAny(
  socket: DatagramSocket,
  buffer: Uint8Array,
): Promise<[Uint8Array, Deno.Addr]> {
  while (true) {
    try {
      return await socket.receive(buffer);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }
}
