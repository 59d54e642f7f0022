/** netdemo plays the server of a UDP client. */
import { bindAll } from "../../../sockets/bind_all.ts";
import { Inbox } from "../../../sockets/inbox.ts";
import { bindDatagrams } from "../../../sockets/listen.ts";
import type { DatagramSocket } from "../../../sockets/stream.ts";
import { LOOPBACK } from "../program/ports.ts";
import type { Dialogue } from "../../../talk/dialogue.ts";
import { CLIENT_MS, type Script, type ScriptedServer } from "./scripted_server.ts";

const encoder = new TextEncoder();

/**
 * Serves at a port of this host as the script says.
 *
 * @throws {SocketFailure} of kind `BIND` if another program has the port.
 */
export async function playUdpServer(port: number, script: Script): Promise<ScriptedServer> {
  const stack = new DisposableStack();
  const served = (await bindAll(LOOPBACK, port, bindDatagrams)).map((own) => {
    const elsewhere = bindDatagrams({ hostname: own.addr.hostname, port: 0 });
    stack.defer(() => elsewhere.close());
    return serve(stack.use(new Inbox([own])), elsewhere, script, () => stack.disposed);
  });
  return {
    closeAll: () => {},
    async [Symbol.asyncDispose]() {
      stack.dispose();
      await Promise.all(served);
    },
  };
}

async function serve(
  inbox: Inbox,
  elsewhere: DatagramSocket,
  script: Script,
  isOver: () => boolean,
): Promise<void> {
  const dialogues = new Map<string, Dialogue>();
  while (!isOver()) {
    const received = await inbox.next(CLIENT_MS);
    if (received === undefined) continue;
    const { bytes, from, reply } = received;
    const client = `${from.hostname} ${from.port}`;
    const dialogue = dialogues.get(client) ?? script.arrived();
    dialogues.set(client, dialogue);
    const turn = dialogue.next(bytes, "quiet");
    if (turn === undefined) continue;
    await script.handle(bytes, turn, dialogue, {
      send: reply,
      untilRead: () => Promise.resolve(),
      close: () => {},
      reset: () => {},
      async sendFromElsewhere(text) {
        await elsewhere.send(encoder.encode(text), { transport: "udp", ...from }).catch(() => {});
      },
    });
  }
}
