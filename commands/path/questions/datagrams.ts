/** The questions over UDP, in order. */
import { formatDuration } from "../../../protocol/duration.ts";
import { note, type Observation, pass, type Test, type TestFacts } from "../../../suite/test.ts";
import type { Exchange, Exchanged, UdpDriver } from "../udp_driver.ts";
import { grouped, inMs } from "../wording.ts";
import { allOf } from "./many.ts";
import { askOtherPort } from "./other_port.ts";

const CLIENTS = 20;
/** Milliseconds until the late reply. */
const LATE_MS = 2_000;

export const udpQuestions: readonly Test<UdpDriver>[] = [
  counting({
    id: "reply",
    sentence: "a request and its reply",
    needs: [],
    why: `Requests or replies don't get through, or arrive altered. \
No application works over this.`,
    ask: askReply,
  }),
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
  counting({
    id: "two-replies",
    sentence: "two replies to a request",
    why: `Only the first reply to a request gets through, or they change places. \
Discovery protocols and everything that streams over UDP break.`,
    ask: (driver) => ask(driver, { id: "two-replies", replies: 2 }),
  }),
  counting({
    id: "other-port",
    sentence: "a reply from another port",
    why: `A server that answers from a new port, as in TFTP, does not reach its client. \
The transfer never begins, although the request arrives.`,
    ask: askOtherPort,
  }),
  counting({
    id: "late",
    sentence: "a reply 2 s later",
    why: `A slow reply is lost because the forwarder forgets the client too soon. \
Slow queries, long polls and quiet sessions fail; fast ones don't.`,
    ask: (driver) => ask(driver, { id: "late", delay: LATE_MS }),
  }),
  counting({
    id: "many",
    sentence: `${CLIENTS} clients at once`,
    why: `When several clients ask at once, some get no reply, or another client's. \
It works in every test with one client, and loses or mixes up data in production.`,
    ask: askMany,
  }),
  // Last: some forwarders take an empty datagram for the end of everything.
  size(
    0,
    "an empty datagram",
    `Datagrams without data are lost. \
Applications that use them as keep-alives take their peer for dead.`,
  ),
];

/** A question during which both ends count what they get. */
interface CountingQuestion extends TestFacts {
  ask(driver: UdpDriver): Promise<Observation>;
}

function counting({ ask, ...facts }: CountingQuestion): Test<UdpDriver> {
  return {
    needs: ["reply"],
    ...facts,
    async run(driver) {
      try {
        const answer = await ask(driver);
        await driver.conclude();
        return answer;
      } catch (error) {
        // What is left over belongs to this question, and must not count in the next one.
        await driver.conclude().catch(() => {});
        throw error;
      } finally {
        driver.close();
      }
    },
  };
}

function size(bytes: number, sentence: string, why: string): Test<UdpDriver> {
  const id = `size-${bytes}`;
  return counting({ id, sentence, why, ask: (driver) => ask(driver, { id, bytes }) });
}

async function ask(driver: UdpDriver, exchange: Exchange): Promise<Observation> {
  const { up, both, lost, inOrder } = await driver.exchange(driver.open(), exchange);
  const times = `up ${inMs(up)}, both ${inMs(both)}`;
  if (lost !== undefined) {
    const time = formatDuration(driver.tryTimeout);
    return note(`the first ${lost} did not arrive within ${time}, the second did: ${times}`);
  }
  return inOrder ? pass(times) : note(`the replies arrive in another order: ${times}`);
}

/** Uses the first address that answers from then on. */
async function askReply(driver: UdpDriver): Promise<Observation> {
  let failure: unknown;
  for (const target of driver.options.targets) {
    driver.target = target;
    try {
      return await ask(driver, { id: "reply" });
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function askMany(driver: UdpDriver): Promise<Observation> {
  const exchanged: readonly Exchanged[] = await allOf(
    Array.from({ length: CLIENTS }, () => driver.exchange(driver.open(), { id: "many" })),
  );
  const again = exchanged.filter(({ lost }) => lost !== undefined).length;
  const all = `all ${grouped(CLIENTS)} got their own reply`;
  return again === 0 ? pass(all) : note(`${all}, ${again} of them at a second try`);
}
