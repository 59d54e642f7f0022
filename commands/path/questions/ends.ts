/** Questions about how connections end: by halves, by a close, by a reset. */
import { cannot } from "../../../cli/runtime.ts";
import { delay } from "@std/async/delay";
import { Finding, pass, Skipped, type Test } from "../../../suite/test.ts";
import type { End } from "../connection_pair.ts";
import { randomBytes } from "../tag.ts";
import type { TcpDriver } from "../tcp_driver.ts";
import { grouped, inMs, since, whatCame } from "../wording.ts";
import { onConnection } from "./question.ts";

/** Milliseconds until the late reply to a half-close. */
const LATE_MS = 1_000;
/** Milliseconds to wait for an end that need not come. */
const END_MS = 250;
/** Bytes sent right before a close: more than a forwarder reads at once. */
const LAST_BYTES = 100_000;

export const endQuestions: readonly Test<TcpDriver>[] = [
  halfClose(
    "half-close",
    "half-close: reply at once",
    `A client that ends its request by closing its sending side gets no reply. \
Programs such as \`nc -N\`, \`ssh host cmd < file\` and many backup and mail tools do so.`,
    0,
  ),
  halfClose(
    "half-close-late",
    "half-close: reply 1 s later",
    `A client that ends its request by closing its sending side gets a reply only if \
the server is quick. It works in every test, and fails under load.`,
    LATE_MS,
  ),
  onConnection({
    id: "server-end",
    sentence: "half-close by the server",
    why: `When a server ends its side, what its client still sends is lost. \
Uploads that are refused early and long-lived streams in one direction break off.`,
    async ask(pair) {
      const { client, server } = pair;
      const start = performance.now();
      server.closeWrite();
      await pair.seesEnd(client, "the server's end of stream");
      await pair.carry(client, "what the client sent after that");
      const took = since(start);
      await pair.conclude(client);
      return pass(inMs(took));
    },
  }),
  close(
    "server",
    `Clients do not notice that their server has closed the connection. \
They wait for replies that never come, and pools hand out dead connections.`,
  ),
  close(
    "client",
    `Servers do not notice that their client has gone. \
They keep working for nobody, and fill up with dead connections.`,
  ),
  lastBytes(
    "server",
    `The end of a reply is lost if its server closes the connection at once, as most do. \
Downloads are cut short, and without a length nobody notices.`,
  ),
  lastBytes(
    "client",
    `What a client sends right before it closes the connection is lost. \
Log lines, metrics and the end of an upload disappear.`,
  ),
  reset(
    "server",
    `A server that crashes or aborts looks as if it had finished properly. \
A client takes half a reply for a whole one wherever the end of the stream ends a reply.`,
  ),
  reset(
    "client",
    `A client that crashes or aborts looks as if it had finished properly. \
A server takes half an upload for a whole one wherever the end of the stream ends an upload.`,
  ),
];

function halfClose(id: string, sentence: string, why: string, late: number): Test<TcpDriver> {
  return onConnection({
    id,
    sentence,
    why,
    async ask(pair) {
      const { client, server } = pair;
      const start = performance.now();
      client.closeWrite();
      await pair.seesEnd(server, "the client's end of stream");
      if (late > 0) await delay(late);
      await pair.carry(server, "its reply");
      const took = since(start);
      await pair.conclude(server);
      return pass(inMs(took));
    },
  });
}

function close(side: End["side"], why: string): Test<TcpDriver> {
  return onConnection({
    id: `${side}-close`,
    sentence: `the ${side}'s close`,
    why,
    async ask(pair) {
      await pair.carry(pair.server, "the reply");
      const start = performance.now();
      pair[side].close();
      await pair.seesEnd(pair.peerOf(pair[side]), `the ${side}'s end of stream`);
      return pass(`seen after ${inMs(since(start))}`);
    },
  });
}

function lastBytes(side: End["side"], why: string): Test<TcpDriver> {
  return onConnection({
    id: `${side}-last`,
    sentence: `the ${side}'s last bytes`,
    why,
    async ask(pair) {
      const closing = pair[side];
      const [bytes, other] = [randomBytes(LAST_BYTES), pair.peerOf(closing)];
      // Closed once the system has taken them: they are still on their way.
      closing.send(bytes).then(() => closing.close());
      await pair.receive(other, bytes, `what the ${side} sent before its close`);
      // Nothing may come in between; whether the end comes is another question.
      await other.untilEnd(END_MS);
      return pass(`all ${grouped(LAST_BYTES)} bytes`);
    },
  });
}

function reset(side: End["side"], why: string): Test<TcpDriver> {
  return onConnection({
    id: `${side}-reset`,
    sentence: `the ${side}'s reset`,
    why,
    async ask(pair) {
      const [resetting, other] = [pair[side], pair.peerOf(pair[side])];
      if (!resetting.canReset) throw new Skipped(whyNoReset(resetting));
      await pair.carry(pair.server, "the reply");
      const start = performance.now();
      resetting.reset();
      await other.untilEnd(pair.timeout);
      if (other.ending === "reset") return pass(`seen after ${inMs(since(start))}`);
      if (other.ending === "end of stream") {
        throw new Finding({ saw: "arrives as an ordinary end: a crash looks like success" });
      }
      throw new Finding({
        saw: `the ${other.side} ${whatCame(other, pair.timeout)} instead of the reset`,
      });
    },
  });
}

/** Why this end can't reset its connection. */
function whyNoReset({ local: { hostname } }: End): string {
  return hostname.includes("%")
    ? "netdemo can't reset a connection of an address with a zone"
    : cannot("reset");
}
