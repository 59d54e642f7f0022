/** netdemo plays the server of a TCP client. */
import { acceptFrom } from "../../../sockets/accept.ts";
import { EagerPeer } from "../../../sockets/eager_peer.ts";
import { listenResettableOnAll } from "../../../sockets/node_stream.ts";
import type { Stream } from "../../../sockets/stream.ts";
import { LOOPBACK, ownAddresses } from "../program/ports.ts";
import { untilRead } from "../program/system.ts";
import type { Dialogue, Turn } from "../../../talk/dialogue.ts";
import { type Actions, CLIENT_MS, type Script, type ScriptedServer } from "./scripted_server.ts";

/** Milliseconds of silence that end a request without a line end. */
const QUIET_MS = 200;

/**
 * Listens on this host's addresses, and serves as the script says.
 *
 * @throws {SocketFailure} of kind `BIND` if another program has the port.
 */
export async function playTcpServer(port: number, script: Script): Promise<ScriptedServer> {
  // The lesson's programs may connect to this host's own name, which is often 127.0.1.1.
  const own = (await ownAddresses()).filter((address) => address.startsWith("127."));
  const addresses = [...new Set([...LOOPBACK, ...own])];
  const listeners = await listenResettableOnAll(addresses, port);
  const stopped = new AbortController();
  const peers: EagerPeer[] = [];
  const work: Promise<void>[] = [];
  const admit = (stream: Stream): void => {
    const peer = new EagerPeer(stream);
    peers.push(peer);
    work.push(serve(peer, script));
  };
  for (const listener of listeners) {
    work.push(acceptFrom(listener, { admit, signal: stopped.signal }));
  }
  const closeAll = (): void => peers.forEach((peer) => peer.close());
  return {
    closeAll,
    async [Symbol.asyncDispose]() {
      stopped.abort();
      closeAll();
      await Promise.allSettled(work);
    },
  };
}

/** Reads requests as the conversation shows them, up to their ends or a moment of silence. */
async function serve(peer: EagerPeer, script: Script): Promise<void> {
  const dialogue = script.arrived();
  const actions: Actions = {
    send: (bytes) => peer.send(bytes, CLIENT_MS),
    untilRead: () => untilRead(peer),
    close: () => peer.close(),
    reset: () => peer.reset(),
    sendFromElsewhere: () => Promise.resolve(),
  };
  await script.greet(dialogue, actions);
  while (await peer.until(({ length }) => length > 0, CLIENT_MS)) {
    const turn = await nextTurn(peer, dialogue);
    if (turn === undefined) continue;
    await script.handle(peer.take(turn.size), turn, dialogue, actions);
  }
  // The lesson's server closes once its client has ended its side; a silent one does nothing.
  if (script.scenario.replies) peer.close();
}

async function nextTurn(peer: EagerPeer, dialogue: Dialogue): Promise<Turn | undefined> {
  while (true) {
    const seen = peer.pending;
    const turn = dialogue.next(peer.peek(), peer.ending === undefined ? "open" : "closed");
    if (turn !== undefined || peer.ending !== undefined) return turn;
    if (!await peer.until(({ length }) => length > seen, QUIET_MS)) {
      return dialogue.next(peer.peek(), "quiet");
    }
  }
}
