import { isSameEndpoint } from "../../../protocol/addresses.ts";
import { until } from "../../../sockets/changes.ts";
import { Finding, type Observation, pass, Skipped, type Test } from "../../../suite/test.ts";
import { ConnectionPair, type End } from "../connection_pair.ts";
import { newTag, TAG_LENGTH, tagOf } from "../tag.ts";
import type { TcpDriver } from "../tcp_driver.ts";
import { inMs, quoted, since, whatCame } from "../wording.ts";

const ID = "server-first";

export const serverFirstQuestion: Test<TcpDriver> = {
  id: ID,
  sentence: "the server speaks first",
  needs: ["reply"],
  why: `Protocols in which the server greets its clients hang: SMTP, FTP, SSH, MySQL. \
Client and server wait for each other until one of them gives up.`,
  run: askServerFirst,
};

/**
 * Has the server greet a client that has sent nothing yet.
 *
 * Without first bytes, the client's connection is recognised as the only new one. If there is no
 * new one (some forwarders keep a pool of connections), it is the only open one. Either may still
 * be a stray, so each gets its own greeting, and the one that the client receives decides.
 */
async function askServerFirst(driver: TcpDriver): Promise<Observation> {
  const { backend, timeout } = driver.options;
  const start = performance.now();
  const before = new Set(backend.silent);
  using client = await driver.open();
  const greeted = new Map<string, End>();
  const ungreeted = (): End[] => {
    const ends = new Set(greeted.values());
    return backend.silent.filter((end) => !ends.has(end));
  };
  const isNew = (end: End): boolean => !before.has(end);

  for (const mayBeMeant of [isNew, () => true]) {
    await until(
      () => {
        greetOnly(ungreeted().filter(mayBeMeant), client, greeted);
        return client.pending >= TAG_LENGTH || client.ending !== undefined;
      },
      [backend.changes, client.changes],
      timeout / 2,
    );
    const meant = greeted.get(tagOf(client.peek()));
    if (meant === undefined) continue;
    backend.adopt(meant);
    using pair = new ConnectionPair(client, meant, timeout);
    client.take(TAG_LENGTH);
    const greetedAfter = since(start);
    await pair.carry(client, "the client's answer to the greeting");
    await pair.conclude(meant);
    pair.nothingLeft();
    return pass(`greeted after ${inMs(greetedAfter)}`);
  }
  if (client.pending > 0) {
    throw new Finding({
      saw: `the client got ${quoted(client.peek())}, not the server's greeting`,
    });
  }
  const { length } = ungreeted();
  if (length > 1) {
    throw new Skipped(`${length} connections are silent: any of them may be the client's`);
  }
  throw await whyNotGreeted(driver, client);
}

/** Greets the connection with the client's address, otherwise the only one. */
function greetOnly(
  silent: readonly End[],
  client: End,
  greeted: Map<string, End>,
): void {
  const own = silent.find(({ remote }) => isSameEndpoint(remote, client.local));
  const end = own ?? (silent.length === 1 ? silent[0] : undefined);
  if (end === undefined) return;
  const greeting = newTag(ID);
  greeted.set(greeting, end);
  end.send(greeting);
}

/** Finds out whether the connection to the server appears only once the client sends. */
async function whyNotGreeted(driver: TcpDriver, client: End): Promise<Finding> {
  const { backend, timeout } = driver.options;
  const instead = `the client ${whatCame(client, timeout)} instead of the server's greeting`;
  if (client.ending !== undefined) return new Finding({ saw: instead });
  const before = new Set(backend.silent);
  try {
    using pair = await driver.introduce(client, ID);
    return before.has(pair.server)
      ? new Finding({ saw: instead })
      : new Finding({ saw: "the forwarder connects to the server only once the client has sent" });
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    return new Finding({ saw: instead, kind: error.evidence.kind }, { cause: error });
  }
}
