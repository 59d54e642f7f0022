import type { DatagramWay } from "./datagram_way.ts";
import { type Answer, Broken, inMs, pass, type Question } from "./question.ts";
import { count, newTag, tagged } from "./tag.ts";

const CLIENTS = 20;
/** Milliseconds that the late reply takes. */
const LATE_MS = 2_000;
/** Bytes of a datagram where its size does not matter. */
const USUAL_BYTES = 512;

/** What is asked over UDP, in this order. */
export const udpQuestions: readonly Question<DatagramWay>[] = [
  {
    id: "reply",
    sentence: "a request and its reply",
    explain: `Requests or replies don't get through, or not as they were sent. \
No application works over this.`,
    ask: asksReply,
  },
  size(
    0,
    "an empty datagram",
    `Datagrams without data are lost. \
Applications that use them as a sign of life think that their peer is gone.`,
  ),
  size(
    1_472,
    "1,472 bytes, one packet",
    `What fills one Ethernet packet does not get through. \
DNS with large answers, QUIC and VPNs stall or fall back to something slower.`,
  ),
  size(
    8_000,
    "8,000 bytes",
    `What takes several packets does not get through as it was sent. \
NFS, syslog and statsd with large messages lose them, or read them cut short.`,
  ),
  size(
    65_507,
    "65,507 bytes, the largest",
    `The largest datagrams do not get through as they were sent. \
Who receives one that was cut has no way to know.`,
  ),
  {
    id: "two-replies",
    sentence: "two replies to a request",
    explain: `Only the first reply to a request gets through. \
TFTP, discovery protocols and all that streams over UDP break off.`,
    ask: (way) => ask(way, { id: "two-replies", replies: 2 }),
  },
  {
    id: "late",
    sentence: "a reply 2 s later",
    explain: `A reply that takes its time is lost, since the way back is forgotten too soon. \
Slow queries, long polls and quiet sessions fail, fast ones don't.`,
    ask: (way) => ask(way, { id: "late", delay: LATE_MS }),
  },
  {
    id: "many",
    sentence: `${CLIENTS} clients at once`,
    explain: `Clients get no reply, or that of another, when several ask at once. \
It works with one client in every test, and mixes up or loses data in use.`,
    ask: asksMany,
  },
];

function size(bytes: number, sentence: string, explain: string): Question<DatagramWay> {
  const id = `size-${bytes}`;
  return { id, sentence, explain, ask: (way) => ask(way, { id, bytes }) };
}

async function ask(
  way: DatagramWay,
  { id, bytes = USUAL_BYTES, replies = 1, delay = 0 }: {
    readonly id: string;
    readonly bytes?: number;
    readonly replies?: number;
    readonly delay?: number;
  },
): Promise<Answer> {
  using client = way.open();
  const one = (): Uint8Array => tagged(newTag(id), bytes);
  const { up, both } = await way.exchange(client, {
    request: one(),
    replies: Array.from({ length: replies }, one),
    delay,
  });
  return pass(`up ${inMs(up)}, both ${inMs(both)}`);
}

/** The first address that answers is the one that is asked from then on. */
async function asksReply(way: DatagramWay): Promise<Answer> {
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

async function asksMany(way: DatagramWay): Promise<Answer> {
  const asked = await Promise.allSettled(
    Array.from({ length: CLIENTS }, () => ask(way, { id: "many" })),
  );
  const failed = asked.filter(({ status }) => status === "rejected");
  if (failed.length === 0) return pass(`all ${count(CLIENTS)} got their own reply`);
  const [{ reason }] = failed as [PromiseRejectedResult];
  if (!(reason instanceof Broken)) throw reason;
  throw new Broken(`${failed.length} of ${CLIENTS} failed, the first: ${reason.message}`);
}
