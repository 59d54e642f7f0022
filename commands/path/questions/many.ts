import { Finding, type Observation, pass, type Test } from "../../../suite/test.ts";
import type { ConnectionPair, End } from "../connection_pair.ts";
import type { TcpDriver } from "../tcp_driver.ts";
import { inMs, since } from "../wording.ts";

/** Connections that are open at once. */
const CONNECTIONS = 50;
/** How many timeouts each of them gets. */
const PATIENCE = 2;

export const manyQuestion: Test<TcpDriver> = {
  id: "many",
  sentence: `${CONNECTIONS} connections at once`,
  needs: ["reply"],
  why: `Connections wait for each other, or are turned away, or get each other's replies. \
Pools, browsers and parallel jobs hang or fail, although each request works alone.`,
  run: askMany,
};

/**
 * Opens all connections before it asks on any, and gets all answers before it closes any.
 *
 * With a short accept queue, some connections wait for the system to retry after 1, 3 and 7
 * seconds: that is slow, but they are served.
 */
async function askMany(usual: TcpDriver): Promise<Observation> {
  using held = new DisposableStack();
  const driver = usual.withTimeout(PATIENCE * usual.options.timeout);
  const start = performance.now();
  const clients = await Promise.allSettled(
    Array.from({ length: CONNECTIONS }, async () => held.use(await driver.open())),
  );
  const pairs = await allOf(clients.map(async (client) => {
    if (client.status === "rejected") throw client.reason;
    return await askOne(driver, client.value, held);
  }));
  for (const pair of pairs) pair.nothingLeft();
  return pass(`in ${inMs(since(start))}`);
}

async function askOne(
  driver: TcpDriver,
  client: End,
  held: DisposableStack,
): Promise<ConnectionPair> {
  const pair = held.use(await driver.introduce(client, "many"));
  await pair.carry(pair.server, "its own reply");
  return pair;
}

/** Waits for all. @throws {Finding} that counts those that failed, and says how the first did. */
export async function allOf<T>(asked: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(asked);
  const failed = settled.filter(({ status }) => status === "rejected");
  const [first] = failed as PromiseRejectedResult[];
  if (first === undefined) return await Promise.all(asked);
  if (!(first.reason instanceof Finding)) throw first.reason;
  throw new Finding({
    saw: `${failed.length} of ${asked.length} failed, the first: ${first.reason.message}`,
  });
}
