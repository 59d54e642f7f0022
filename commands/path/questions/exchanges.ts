/** Questions about what both ends send each other. */
import { delay } from "@std/async/delay";
import { formatEndpoint, isSameEndpoint } from "../../../protocol/addresses.ts";
import { formatDuration } from "../../../protocol/duration.ts";
import { note, pass } from "../../../suite/test.ts";
import { randomBytes } from "../tag.ts";
import { inMs, since } from "../wording.ts";
import { onConnection } from "./question.ts";

const MEBIBYTE = 1_048_576;

export const replyQuestion = onConnection({
  id: "reply",
  sentence: "a request and its reply",
  needs: [],
  why: `Requests or replies don't get through, or arrive altered. \
No application works over this.`,
  async ask(pair) {
    const { client, server } = pair;
    const start = performance.now();
    await pair.carry(client, "the request", everyByte());
    const up = since(start);
    await pair.carry(server, "the reply", everyByte());
    const both = since(start);
    await pair.conclude(client);
    await pair.conclude(server);
    return pass(`up ${inMs(up)}, both ${inMs(both)}`);
  },
});

export const addressQuestion = onConnection({
  id: "address",
  sentence: "the client's address",
  why: `Servers see the forwarder's address instead of their clients'. \
Logs, rate limits and access rules by address treat all clients as one.`,
  ask({ client: { local }, server: { remote } }) {
    const [own, seen] = [formatEndpoint(local), formatEndpoint(remote)];
    return Promise.resolve(
      isSameEndpoint(local, remote) ? pass(`${own} is kept`) : note(`${own} is seen as ${seen}`),
    );
  },
});

export const bulkQuestion = onConnection({
  id: "bulk",
  sentence: "megabytes both ways at once",
  why: `Large or simultaneous transfers are cut, altered or get stuck. \
Uploads whose reply begins early, and protocols that multiplex, fail at random.`,
  async ask(pair, { options: { bulk } }) {
    const { client, server } = pair;
    const [up, down] = [randomBytes(bulk * MEBIBYTE), randomBytes(bulk * MEBIBYTE)];
    const start = performance.now();
    // Ends by count: whether a half-close passes is another question.
    await Promise.all([
      pair.carry(client, "the upload", up),
      pair.carry(server, "the download", down),
    ]);
    const took = since(start);
    await pair.conclude(client);
    await pair.conclude(server);
    return pass(`${bulk} MiB each way in ${inMs(took)}`);
  },
});

export const idleQuestion = onConnection({
  id: "idle",
  sentence: "a connection that was idle",
  why: `Connections without traffic are cut, often without notice to either end. \
Pools, database sessions and push channels fail at their first use after a quiet period.`,
  async ask(pair, { options: { idle = 0 } }) {
    await delay(idle);
    await pair.carry(pair.client, "the request after the quiet period");
    await pair.carry(pair.server, "the reply after the quiet period");
    return pass(`works after ${formatDuration(idle)}`);
  },
});

/** 512 bytes: every value in order, then random ones. */
function everyByte(): Uint8Array {
  const bytes = randomBytes(512);
  for (let value = 0; value < 256; value++) bytes[value] = value;
  return bytes;
}
