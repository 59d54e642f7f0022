/** What a server over UDP must do. */
import type { DatagramPeer } from "../../../../clients/call/datagram_peer.ts";
import { Finding } from "../../../../suite/test.ts";
import { parseTalk } from "../../../../talk/parse.ts";
import { namesIn } from "../../../../talk/talk.ts";
import { sampleOf } from "../../conversations.ts";
import { shown, withEvidence } from "../../evidence.ts";
import { Client, exchange, exchangeAgain } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import { survives } from "../../servers/survival.ts";
import type { Check } from "../check.ts";
import { lacksCalculator, lacksOneClient } from "../lacks.ts";
import { busy, ctrlC } from "./process.ts";
import { inKind } from "./stream.ts";

/** Spaces in the long request: more than recvfrom(1024) takes, less than a packet. */
const LONG = 1_300;

export const udpChecks: readonly Check<ServerUnderTest<DatagramPeer>>[] = [
  {
    id: "own-address",
    level: "robust",
    sentence: "answers from the address that the request went to",
    how: "The source of an answer must be the address and port that the request went to.",
    why: "clients and firewalls drop an answer that comes from another address",
    fix: "sendto() on the socket that recvfrom() read from, not on a new one",
    needs: ["next-client"],
    async run(server) {
      let elsewhere: number | undefined;
      const open = async (): Promise<DatagramPeer> => {
        const peer = await server.connect();
        const { port } = peer.remote;
        peer.accepts = (from) => {
          if (from.port !== port) elsewhere = from.port;
          return true;
        };
        return peer;
      };
      await exchangeAgain(server, { open });
      if (elsewhere === undefined) return;
      throw new Finding({
        sent: `a request to port ${server.program.port}`,
        saw: `the answer came from port ${elsewhere}`,
      });
    },
  },
  {
    id: "each-client",
    level: "robust",
    sentence: "answers each client at its own address",
    how: "Two clients ask in turn, twice each; each must get its own answers.",
    why: "all clients' datagrams arrive at one socket: only recvfrom() says who sent each one",
    fix: "sendto() the address that recvfrom() returned with that request; don't connect()",
    needs: ["next-client"],
    lacks: lacksOneClient,
    run: answersEachClient,
  },
  {
    id: "empty",
    level: "robust",
    sentence: "survives an empty datagram",
    how: "A datagram of 0 bytes is sent; another client must be answered afterwards.",
    why: "over UDP, 0 bytes are a message like any other, not the end of anything",
    fix: "continue the loop if recvfrom() returns 0 bytes",
    needs: ["answers"],
    run: (server) => survives(server, { bytes: new Uint8Array() }),
  },
  {
    ...busy,
    how: "The program's CPU time is measured over 0.5 s, after clients have been served.",
    fix: "let recvfrom() block; use a non-blocking socket only with select()",
    needs: ["next-client", "empty"],
  },
  {
    ...ctrlC,
    how: "SIGINT is sent as by a terminal; the program has 3 s to end.",
    fix: "don't catch the exception that Ctrl-C raises, and make threads daemons",
    needs: ["answers"],
  },
  {
    ...inKind,
    why: "this serves both programs that read lines and programs that read datagrams",
    needs: ["next-client"],
    lacks: ({ talk, lines, isFile }) =>
      isFile || talk === lines ? "the file shows where its lines end" : undefined,
  },
  {
    id: "long",
    level: "stream",
    sentence: "reads all of a datagram of 1,300 bytes",
    how: "A request with 1,300 spaces between its operands must get the right answer.",
    why: "bytes that do not fit into recvfrom()'s buffer are silently lost",
    fix: "give recvfrom() room for the largest datagram: 65,535 bytes",
    needs: ["next-client"],
    isLessonOnly: true,
    lacks: lacksCalculator,
    async run(server) {
      const text = `udp\n> 10${" ".repeat(LONG)}20 +\n< Sum of 10 and 20 is 30\n`;
      await exchange(server, { talk: parseTalk(text) });
    },
  },
];

async function answersEachClient(server: ServerUnderTest<DatagramPeer>): Promise<void> {
  using one = await server.connect();
  using other = await server.connect();
  const turns = [one, other, one, other];
  const reply = sampleOf(server.talk).lines.findLast(({ says }) => says === "server");
  // A server whose answer is always the same may limit it: two must not greet each other forever.
  if (namesIn(reply?.tokens ?? []).length === 0) turns.splice(2);
  for (const peer of turns) {
    const client = new Client(server, { open: () => Promise.resolve(peer) });
    await withEvidence(client.hold(), async (evidence) => {
      const elsewhere = await (peer === one ? other : one).inbox.next(0);
      if (elsewhere === undefined) return evidence;
      return { ...evidence, saw: `the answer went to the other client: ${shown(elsewhere.bytes)}` };
    });
  }
}
