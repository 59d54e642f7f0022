import { formatEndpoint, isSameEndpoint } from "../../protocol/addresses.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { pause } from "./changes.ts";
import { askMany, CONNECTIONS } from "./many.ts";
import { askNobody } from "./nobody.ts";
import { inMs, since } from "./timing.ts";
import { Finding, note, type Observation, pass, Skipped, type Test } from "../../suite/test.ts";
import { askServerFirst } from "./server_first.ts";
import { randomBytes } from "./tag.ts";
import type { Way } from "./way.ts";

const BULK_BYTES = 1_048_576;
/** Milliseconds until the late reply to a half-close. */
const LATE_MS = 1_000;

/** The questions over TCP, in order; `idle` only if a time is given for it. */
export const tcpQuestions: readonly Test<Way>[] = [
  {
    id: "reply",
    sentence: "a request and its reply",
    why: `Requests or replies don't get through, or arrive altered. \
No application works over this.`,
    async run(way) {
      using meeting = await way.meet("reply");
      const { client, server } = meeting;
      const start = performance.now();
      await way.carry(client, server, "the request", everyByte());
      const up = since(start);
      await way.carry(server, client, "the reply", everyByte());
      return pass(`up ${inMs(up)}, both ${inMs(since(start))}`);
    },
  },
  {
    id: "address",
    sentence: "the client's address",
    needs: ["reply"],
    why: `Servers see the forwarder's address instead of their clients'. \
Logs, rate limits and access rules by address treat all clients as one.`,
    async run(way) {
      using meeting = await way.meet("address");
      const { client: { local }, server: { remote } } = meeting;
      return isSameEndpoint(local, remote)
        ? pass(`${formatEndpoint(local)} is kept`)
        : note(`${formatEndpoint(local)} is seen as ${formatEndpoint(remote)}`);
    },
  },
  {
    id: "server-first",
    sentence: "the server speaks first",
    needs: ["reply"],
    why: `Protocols in which the server greets its clients hang: SMTP, FTP, SSH, MySQL. \
Client and server wait for each other until one of them gives up.`,
    run: askServerFirst,
  },
  {
    id: "bulk",
    sentence: "1 MiB both ways at once",
    needs: ["reply"],
    why: `Large or simultaneous transfers are cut, altered or get stuck. \
Uploads whose reply begins early, and protocols that multiplex, fail at random.`,
    async run(way) {
      using meeting = await way.meet("bulk");
      const { client, server } = meeting;
      const [up, down] = [randomBytes(BULK_BYTES), randomBytes(BULK_BYTES)];
      const start = performance.now();
      client.send(up);
      server.send(down);
      // Ends by count: whether a half-close passes is another question.
      await Promise.all([
        way.receive(server, up, "the upload"),
        way.receive(client, down, "the download"),
      ]);
      return pass(`in ${inMs(since(start))}`);
    },
  },
  {
    id: "half-close",
    sentence: "half-close: reply at once",
    needs: ["reply"],
    why: `A client that ends its request by closing its sending side gets no reply. \
Programs such as \`nc -N\`, \`ssh host cmd < file\` and many backup and mail tools do so.`,
    run: (way) => askHalfClose(way, "half-close", 0),
  },
  {
    id: "half-close-late",
    sentence: "half-close: reply 1 s later",
    needs: ["reply"],
    why: `A client that ends its request by closing its sending side gets a reply only if \
the server is quick. It works in every test, and fails under load.`,
    run: (way) => askHalfClose(way, "half-close-late", LATE_MS),
  },
  {
    id: "server-end",
    sentence: "half-close by the server",
    needs: ["reply"],
    why: `When a server ends its side, what its client still sends is lost. \
Uploads that are refused early and long-lived streams in one direction break off.`,
    async run(way) {
      using meeting = await way.meet("server-end");
      const { client, server } = meeting;
      const start = performance.now();
      server.end();
      await way.seesEnd(client, "the server's end of stream");
      await way.carry(client, server, "what the client sent after that");
      return pass(`${inMs(since(start))}`);
    },
  },
  {
    id: "server-close",
    sentence: "the server's close",
    needs: ["reply"],
    why: `Clients do not notice that their server has closed the connection. \
They wait for replies that never come, and pools hand out dead connections.`,
    run: (way) => askClose(way, "server"),
  },
  {
    id: "client-close",
    sentence: "the client's close",
    needs: ["reply"],
    why: `Servers do not notice that their client has gone. \
They keep working for nobody, and fill up with dead connections.`,
    run: (way) => askClose(way, "client"),
  },
  {
    id: "server-reset",
    sentence: "the server's reset",
    needs: ["reply"],
    why: `A server that crashes or aborts looks as if it had finished properly. \
A client takes half a reply for a whole one wherever the end of the stream ends a reply.`,
    run: (way) => askReset(way, "server"),
  },
  {
    id: "client-reset",
    sentence: "the client's reset",
    needs: ["reply"],
    why: `A client that crashes or aborts looks as if it had finished properly. \
A server takes half an upload for a whole one wherever the end of the stream ends an upload.`,
    run: (way) => askReset(way, "client"),
  },
  {
    id: "many",
    sentence: `${CONNECTIONS} connections at once`,
    needs: ["reply"],
    why: `Connections wait for each other, or are turned away, or get each other's replies. \
Pools, browsers and parallel jobs hang or fail, although each request works alone.`,
    run: askMany,
  },
  {
    id: "idle",
    sentence: "a connection that was idle",
    needs: ["reply"],
    why: `Connections without traffic are cut, often without notice to either end. \
Pools, database sessions and push channels fail at their first use after a quiet period.`,
    async run(way) {
      using meeting = await way.meet("idle");
      const { client, server } = meeting;
      await pause(way.idle);
      await way.carry(client, server, "the request after the quiet period");
      await way.carry(server, client, "the reply after the quiet period");
      return pass(`works after ${formatDuration(way.idle)}`);
    },
  },
  {
    // Must be last: from then on the server is gone.
    id: "nobody",
    sentence: "nobody behind it",
    needs: ["reply"],
    why: `An open port does not mean that a server is there: health checks and scripts that \
wait for a port go ahead too early. To clients, a missing server looks like a faulty one.`,
    run: askNobody,
  },
];

/** 512 bytes: every value in order, then random ones. */
function everyByte(): Uint8Array {
  const bytes = randomBytes(512);
  for (let value = 0; value < 256; value++) bytes[value] = value;
  return bytes;
}

async function askHalfClose(way: Way, id: string, delay: number): Promise<Observation> {
  using meeting = await way.meet(id);
  const { client, server } = meeting;
  const start = performance.now();
  client.end();
  await way.seesEnd(server, "the client's end of stream");
  if (delay > 0) await pause(delay);
  await way.carry(server, client, "its reply");
  return pass(inMs(since(start)));
}

async function askClose(way: Way, side: "client" | "server"): Promise<Observation> {
  using meeting = await way.meet(`${side}-close`);
  const { client, server } = meeting;
  const [closing, other] = side === "client" ? [client, server] : [server, client];
  await way.carry(server, client, "the reply");
  const start = performance.now();
  closing.close();
  await way.seesEnd(other, `the ${side}'s end of stream`);
  return pass(`seen after ${inMs(since(start))}`);
}

async function askReset(way: Way, side: "client" | "server"): Promise<Observation> {
  using meeting = await way.meet(`${side}-reset`);
  const { client, server } = meeting;
  const [resetting, other] = side === "client" ? [client, server] : [server, client];
  if (!resetting.canReset) throw new Skipped("this runtime can't reset a connection");
  await way.carry(server, client, "the reply");
  const start = performance.now();
  resetting.reset();
  await way.ended(other);
  if (other.ending === "reset") return pass(`seen after ${inMs(since(start))}`);
  if (other.ending === "end of stream") {
    throw new Finding({ saw: "arrives as an ordinary end: a crash looks like success" });
  }
  throw new Finding({ saw: `the ${other.side} ${way.gotInstead(other)} instead of the reset` });
}
