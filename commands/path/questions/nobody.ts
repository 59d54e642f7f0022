import { Finding, note, type Observation, pass, type Test } from "../../../suite/test.ts";
import type { End } from "../connection_pair.ts";
import { randomBytes } from "../tag.ts";
import type { TcpDriver } from "../tcp_driver.ts";
import { quoted, since } from "../wording.ts";

/** Milliseconds after which a connection counts as left hanging. */
const HANGING_MS = 1_000;

/** Must be the last question: from then on the server is gone. */
export const nobodyQuestion: Test<TcpDriver> = {
  id: "nobody",
  sentence: "nobody behind it",
  needs: ["reply"],
  why: `An open port does not mean that a server is there: health checks and scripts that \
wait for a port go ahead too early. To clients, a missing server looks like a faulty one.`,
  run: askNobody,
};

/** Connects once more with nothing listening behind the forwarder. */
async function askNobody(driver: TcpDriver): Promise<Observation> {
  const { backend, timeout } = driver.options;
  backend.close();
  await backend.finished;
  let client: End;
  try {
    client = await driver.connect();
  } catch (error) {
    const finding = driver.notConnected(error);
    const { kind } = finding.evidence;
    if (kind === "REFUSED") return pass("refused");
    if (kind !== "TIMEOUT") return note(`not refused, but: ${finding.message}`);
    throw new Finding({ saw: "left hanging: the connection gets no answer" });
  }
  using _ = client;
  const start = performance.now();
  // Some forwarders connect to the server only once the client sends. It sends late, since a
  // forwarder that closes with unread input sends a reset where it meant an ordinary end.
  if (!await client.untilEnd(timeout / 2)) {
    client.send(randomBytes(64));
    await client.untilEnd(timeout / 2);
  }
  const saw = `accepted, then ${
    whatFollowed(client, since(start))
  }: an open port proves nothing here`;
  if (client.ending === "reset" && client.pending === 0) return note(saw);
  throw new Finding({ saw });
}

/** `ended`, `reset`, `left hanging`, `left hanging for 3.0 s and ended`, `answered "HTTP/1.1 …`. */
function whatFollowed(client: End, elapsed: number): string {
  const { ending, pending } = client;
  const how = ending === "reset" ? "reset" : "ended";
  const answered = pending === 0 ? "" : `answered ${quoted(client.peek())} and `;
  if (ending === undefined) return `${answered}left hanging`;
  if (elapsed < HANGING_MS) return answered + how;
  return `${answered}left hanging for ${(elapsed / 1_000).toFixed(1)} s and ${how}`;
}
