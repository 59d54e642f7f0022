import { until } from "./changes.ts";
import type { ConnectionEnd } from "./connection_end.ts";
import { since } from "./timing.ts";
import { Finding, note, type Observation, pass } from "../../suite/test.ts";
import { randomBytes } from "./tag.ts";
import type { Way } from "./way.ts";

/** Milliseconds after which a connection counts as left hanging. */
const HANGING_MS = 1_000;

/** Connects once more with nothing listening behind the forwarder. */
export async function askNobody(way: Way): Promise<Observation> {
  way.far.close();
  await way.far.finished;
  let client: ConnectionEnd;
  try {
    client = await way.connect();
  } catch (error) {
    const broken = way.notConnected(error);
    if (broken.evidence.kind === "REFUSED") return pass("refused");
    if (broken.evidence.kind === "TIMEOUT") {
      throw new Finding({ saw: "left hanging: the connection gets no answer" });
    }
    return note(`not refused, but: ${broken.message}`);
  }
  using _ = client;
  const start = performance.now();
  // Some forwarders connect to the server only once the client sends. It sends late, since a
  // forwarder that closes with unread input sends a reset where it meant an ordinary end.
  await until(() => client.ending !== undefined, [client.changes], way.timeout / 2);
  if (client.ending === undefined) {
    client.send(randomBytes(64));
    await until(() => client.ending !== undefined, [client.changes], way.timeout / 2);
  }
  const how = `accepted, then ${whatFollowed(client, since(start))}`;
  const detail = `${how}: an open port proves nothing here`;
  if (client.ending === "reset") return note(detail);
  throw new Finding({ saw: detail });
}

/** `ended`, `reset`, `left hanging`, `left hanging for 3.0 s and ended`. */
function whatFollowed({ ending }: ConnectionEnd, elapsed: number): string {
  const how = ending === "reset" ? "reset" : "ended";
  if (ending === undefined) return "left hanging";
  if (elapsed < HANGING_MS) return how;
  return `left hanging for ${(elapsed / 1_000).toFixed(1)} s and ${how}`;
}
