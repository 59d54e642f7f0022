/** What a server over UDP must do. */
import { Finding } from "../../../../suite/test.ts";
import { shown } from "../../judge.ts";
import type { UdpPeer } from "../../servers/peer.ts";
import { survives } from "../../servers/reactions.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import { everyService } from "../../subjects.ts";
import type { Check } from "../check.ts";
import { operations, servesThreeClients } from "./clients_in_turn.ts";
import { endsOnCtrlC, restsWhenIdle } from "./process.ts";

/** Spaces in the long request: more than recvfrom(1024) takes, less than a packet. */
const LONG = 1_300;

export const lessonUdpChecks: readonly Check<ServerUnderTest<UdpPeer>>[] = [
  {
    id: "listens",
    level: "lesson",
    services: everyService,
    sentence: "starts and answers datagrams",
    how: "The program is started and sent the same datagram every 50 ms until it answers, for up " +
      "to 10 s.",
    why: "UDP has no connection: only an answer shows that a server is there",
    fix: "bind() a datagram socket (SOCK_DGRAM) to the given port, then recvfrom() and sendto()",
    limit: 20_000,
    run: (server) => server.isReachable(),
  },
  {
    id: "answers",
    level: "lesson",
    services: everyService,
    sentence: {
      hello: 'answers "Hello" with "Hello"',
      message: "thanks for a message",
      calc: 'answers "10 20 +"',
    },
    how: "The lesson's request is sent, and every byte of the answer is compared.",
    why: "clients compare bytes: an answer that only looks right is wrong",
    fix: "send exactly the lesson's text, as bytes, in one datagram",
    needs: ["listens"],
    async run(server) {
      const { request, expected } = server.sample;
      const first = server.takeFirst();
      if (first !== undefined) return await server.answered(first, expected, request);
      await server.ask(server.sample);
    },
  },
  {
    id: "next-client",
    level: { hello: "robust", message: "robust", calc: "lesson" },
    services: everyService,
    sentence: "serves one client after another",
    how: "Three clients ask, one after another.",
    why: "a server that ends with its first datagram must be restarted for the next",
    fix: "put recvfrom() and sendto() inside a loop",
    needs: ["answers"],
    run: (server) => servesThreeClients(server),
  },
  operations,
];

export const udpChecks: readonly Check<ServerUnderTest<UdpPeer>>[] = [
  {
    id: "own-address",
    level: "robust",
    services: everyService,
    sentence: "answers from the address that the request went to",
    how: "The source of an answer must be the address and port that the request went to.",
    why: "clients and firewalls drop an answer that comes from another address",
    fix: "sendto() on the socket that recvfrom() read from, not on a new one",
    needs: ["next-client"],
    async run(server) {
      using client = await server.connect();
      const { request, expected } = server.question();
      await server.request(client, request);
      await server.answered(client, expected, request);
      if (client.oldest?.from.port === server.program.port) return;
      throw new Finding({
        sent: `${shown(request)} to port ${server.program.port}`,
        saw: `the answer came from port ${client.oldest?.from.port}`,
      });
    },
  },
  {
    id: "each-client",
    level: "robust",
    services: everyService,
    sentence: "answers each client at its own address",
    how: "Two clients ask in turn, twice each; each must get its own answers.",
    why: "all clients' datagrams arrive at one socket: only recvfrom() says who sent each one",
    fix: "sendto() the address that recvfrom() returned with that request; don't connect()",
    needs: ["next-client"],
    async run(server) {
      using one = await server.connect();
      using other = await server.connect();
      const turns = [one, other, one, other];
      // A hello server may limit its answers: two must not greet each other forever.
      if (server.settings.service === "hello") turns.splice(2);
      for (const client of turns) {
        const { request, expected } = server.question();
        await server.request(client, request);
        try {
          await server.answered(client, expected, request);
        } catch (error) {
          if (!(error instanceof Finding)) throw error;
          const elsewhere = client === one ? other : one;
          elsewhere.take();
          if (!await elsewhere.hasCome(0)) throw error;
          throw new Finding({
            ...error.evidence,
            saw: `the answer went to the other client: ${shown(elsewhere.peek())}`,
          });
        }
      }
    },
  },
  {
    id: "empty",
    level: "robust",
    services: everyService,
    sentence: "survives an empty datagram",
    how: "A datagram of 0 bytes is sent; another client must be answered afterwards.",
    why: "over UDP, 0 bytes are a message like any other, not the end of anything",
    fix: "continue the loop if recvfrom() returns 0 bytes",
    needs: ["next-client"],
    run: (server) => survives(server, new Uint8Array(0)),
  },
  {
    id: "busy",
    level: "robust",
    services: everyService,
    sentence: "is idle when there is nothing to do",
    how: "The program's CPU time is measured over 0.5 s, after clients have been served.",
    why: "a busy loop heats the machine and slows down everything else",
    fix: "let recvfrom() block; use a non-blocking socket only with select()",
    needs: ["next-client", "empty"],
    async run(server) {
      await server.exchange();
      await restsWhenIdle(server.program);
    },
  },
  {
    id: "ctrl-c",
    level: "robust",
    services: everyService,
    sentence: "ends on Ctrl-C",
    how: "SIGINT is sent as by a terminal; the program has 3 s to end.",
    why: "a program that can't be stopped must be killed, and loses what it was doing",
    fix: "don't catch the exception that Ctrl-C raises, and make threads daemons",
    needs: ["next-client"],
    async run(server) {
      await endsOnCtrlC(server, async () => {
        await server.exchange();
        return await server.connect();
      });
    },
  },
  {
    id: "in-kind",
    level: "stream",
    services: everyService,
    sentence: "answers a line with a line",
    how:
      "A request with a line end must get an answer with one; a request without, an answer without.",
    why: "this serves both programs that read lines and programs that read datagrams",
    fix: 'end the answer with "\\n" if the request ended with one',
    needs: ["next-client"],
    async run(server) {
      const { request, expected } = server.question();
      const { lines } = server.settings;
      const line = lines ? request : `${request}\n`;
      await server.ask({ request: line, expected: { ...expected, lineEnd: true } });
      if (!lines) await server.ask({ request, expected: { ...expected, lineEnd: false } });
    },
  },
  {
    id: "long",
    level: "stream",
    services: ["calc"],
    sentence: "reads all of a datagram of 1,300 bytes",
    how: "A request with 1,300 spaces between its operands must get the right answer.",
    why: "bytes that do not fit into recvfrom()'s buffer are silently lost",
    fix: "give recvfrom() room for the largest datagram: 65,535 bytes",
    needs: ["next-client"],
    async run(server) {
      const request = `10${" ".repeat(LONG)}20 +`;
      await server.ask({ request, expected: { text: "Sum of 10 and 20 is 30" } });
    },
  },
];
