import type { DatagramWay } from "./datagram_way.ts";
import { inMs } from "./timing.ts";
import { Finding, type Observation, pass, type Test } from "../../suite/test.ts";
import { count, newTag, tagged } from "./tag.ts";

const CLIENTS = 20;
/** Milliseconds until the late reply. */
const LATE_MS = 2_000;
/** Bytes of a datagram whose size does not matter. */
const USUAL_BYTES = 512;

/** The questions over UDP, in order. */
export const udpQuestions: readonly Test<DatagramWay>[] = [
  {
    id: "reply",
    sentence: "a request and its reply",
    why: `Requests or replies don't get through, or arrive altered. \
No application works over this.`,
    run: askReply,
  },
  size(
    0,
    "an empty datagram",
    `Datagrams without data are lost. \
Applications that use them as keep-alives take their peer for dead.`,
  ),
  size(
    1_472,
    "1,472 bytes, one packet",
    `Datagrams that fill an Ethernet packet don't get through. \
DNS with large answers, QUIC and VPNs stall or fall back to something slower.`,
  ),
  size(
    8_000,
    "8,000 bytes",
    `Datagrams that take several packets don't get through as they were sent. \
NFS, syslog and statsd with large messages lose them, or read them cut short.`,
  ),
  size(
    65_507,
    "65,507 bytes, the largest",
    `The largest datagrams don't get through as they were sent. \
An application can't tell that one was cut short.`,
  ),
  {
    id: "two-replies",
    sentence: "two replies to a request",
    needs: ["reply"],
    why: `Only the first reply to a request gets through. \
TFTP, discovery protocols and everything that streams over UDP break.`,
    run: (way) => ask(way, { id: "two-replies", replies: 2 }),
  },
  {
    id: "late",
    sentence: "a reply 2 s later",
    needs: ["reply"],
    why: `A slow reply is lost because the forwarder forgets the client too soon. \
Slow queries, long polls and quiet sessions fail; fast ones don't.`,
    run: (way) => ask(way, { id: "late", delay: LATE_MS }),
  },
  {
    id: "many",
    sentence: `${CLIENTS} clients at once`,
    needs: ["reply"],
    why: `When several clients ask at once, some get no reply, or another client's. \
It works in every test with one client, and loses or mixes up data in production.`,
    run: askMany,
  },
];

function size(bytes: number, sentence: string, why: string): Test<DatagramWay> {
  const id = `size-${bytes}`;
  return { id, sentence, why, needs: ["reply"], run: (way) => ask(way, { id, bytes }) };
}

async function ask(
  way: DatagramWay,
  { id, bytes = USUAL_BYTES, replies = 1, delay = 0 }: {
    readonly id: string;
    readonly bytes?: number;
    readonly replies?: number;
    readonly delay?: number;
  },
): Promise<Observation> {
  using client = way.open();
  const one = (): Uint8Array => tagged(newTag(id), bytes);
  const { up, both } = await way.exchange(client, {
    request: one(),
    replies: Array.from({ length: replies }, one),
    delay,
  });
  return pass(`up ${inMs(up)}, both ${inMs(both)}`);
}

/** Uses the first address that answers from then on. */
async function askReply(way: DatagramWay): Promise<Observation> {
  let failure: unknown;
  for (const target of way.targets) {
    way.target = target;
    try {
      return await ask(way, { id: "reply" });
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function askMany(way: DatagramWay): Promise<Observation> {
  const asked = await Promise.allSettled(
    Array.from({ length: CLIENTS }, () => ask(way, { id: "many" })),
  );
  const failed = asked.filter(({ status }) => status === "rejected");
  if (failed.length === 0) return pass(`all ${count(CLIENTS)} got their own reply`);
  const [{ reason }] = failed as [PromiseRejectedResult];
  if (!(reason instanceof Finding)) throw reason;
  throw new Finding({ saw: `${failed.length} of ${CLIENTS} failed, the first: ${reason.message}` });
}
