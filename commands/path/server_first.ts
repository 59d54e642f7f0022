import { isSameEndpoint } from "../../protocol/addresses.ts";
import { until } from "./changes.ts";
import type { ConnectionEnd } from "./connection_end.ts";
import { inMs, since } from "./timing.ts";
import { Finding, type Observation, pass, Skipped } from "../../suite/test.ts";
import { newTag, TAG_LENGTH } from "./tag.ts";
import type { Way } from "./way.ts";

const ID = "server-first";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Has the server greet a client that has sent nothing yet.
 *
 * Without first bytes, the client's connection is recognised as the only new one. If there is no
 * new one (some forwarders keep a pool of connections), it is the only open one. Either may still
 * be a stray, so each gets its own greeting, and the one that the client receives decides.
 */
export async function askServerFirst(way: Way): Promise<Observation> {
  const { far, timeout } = way;
  const start = performance.now();
  const before = new Set(far.silent);
  using client = await way.open();
  const greeted = new Map<string, ConnectionEnd>();
  const ungreeted = (): ConnectionEnd[] => {
    const ends = new Set(greeted.values());
    return far.silent.filter((end) => !ends.has(end));
  };
  const isNew = (end: ConnectionEnd): boolean => !before.has(end);

  for (const mayBeMeant of [isNew, () => true]) {
    await until(
      () => {
        greetOnly(ungreeted().filter(mayBeMeant), client, greeted);
        return client.pending >= TAG_LENGTH || client.ending !== undefined;
      },
      [far.changes, client.changes],
      timeout / 2,
    );
    const meant = greeted.get(decoder.decode(client.peek(TAG_LENGTH)));
    if (meant === undefined) continue;
    far.adopt(meant);
    using server = meant;
    client.take(TAG_LENGTH);
    const greetedAfter = since(start);
    await way.carry(client, server, "the client's answer to the greeting");
    return pass(`greeted after ${inMs(greetedAfter)}`);
  }
  if (client.pending > 0) {
    throw new Finding({ saw: "the client got the greeting altered or in part" });
  }
  const { length } = ungreeted();
  if (length > 1) {
    throw new Skipped(`${length} connections are silent: any of them may be the client's`);
  }
  throw await whyNotGreeted(way, client);
}

/** Greets the connection with the client's address, otherwise the only one. */
function greetOnly(
  silent: readonly ConnectionEnd[],
  client: ConnectionEnd,
  greeted: Map<string, ConnectionEnd>,
): void {
  const own = silent.find(({ remote }) => isSameEndpoint(remote, client.local));
  const end = own ?? (silent.length === 1 ? silent[0] : undefined);
  if (end === undefined) return;
  const greeting = newTag(ID);
  greeted.set(greeting, end);
  end.send(encoder.encode(greeting));
}

/** Finds out whether the connection to the server appears only once the client sends. */
async function whyNotGreeted(way: Way, client: ConnectionEnd): Promise<Finding> {
  const instead = `the client ${way.gotInstead(client)} instead of the server's greeting`;
  if (client.ending !== undefined) return new Finding({ saw: instead });
  const before = new Set(way.far.silent);
  try {
    using meeting = await way.introduce(client, newTag(ID));
    return before.has(meeting.server)
      ? new Finding({ saw: instead })
      : new Finding({ saw: "the forwarder connects to the server only once the client has sent" });
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    return new Finding({ saw: instead, kind: error.evidence.kind }, { cause: error });
  }
}
