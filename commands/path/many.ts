import type { ConnectionEnd } from "./connection_end.ts";
import { inMs, since } from "./timing.ts";
import { Finding, type Observation, pass } from "../../suite/test.ts";
import { newTag } from "./tag.ts";
import type { Way } from "./way.ts";

/** Connections that are open at once. */
export const CONNECTIONS = 50;
/** How many timeouts each of them gets. */
const PATIENCE = 2;

/**
 * Opens all connections before it asks on any, and gets all answers before it closes any.
 *
 * With a short accept queue, some connections wait for the system to retry after 1, 3 and 7
 * seconds: that is slow, but they are served.
 */
export async function askMany(usual: Way): Promise<Observation> {
  using held = new DisposableStack();
  const way = usual.withTimeout(PATIENCE * usual.timeout);
  const start = performance.now();
  const clients = await Promise.allSettled(
    Array.from({ length: CONNECTIONS }, async () => held.use(await way.open())),
  );
  const answered = await Promise.allSettled(clients.map(async (client) => {
    if (client.status === "rejected") throw client.reason;
    await askOne(way, client.value, held);
  }));
  const failed = answered.filter(({ status }) => status === "rejected");
  if (failed.length === 0) return pass(`in ${inMs(since(start))}`);
  const [{ reason }] = failed as [PromiseRejectedResult];
  if (!(reason instanceof Finding)) throw reason;
  throw new Finding({
    saw: `${failed.length} of ${CONNECTIONS} failed, the first: ${reason.message}`,
  });
}

async function askOne(way: Way, client: ConnectionEnd, held: DisposableStack): Promise<void> {
  const { server } = held.use(await way.introduce(client, newTag("many")));
  await way.carry(server, client, "its own reply");
}
