import { formatEndpoint, isSameEndpoint } from "../../../protocol/addresses.ts";
import { formatDuration } from "../../../protocol/duration.ts";
import { until } from "../../../sockets/changes.ts";
import { Inbox, type Received } from "../../../sockets/inbox.ts";
import { bindDatagrams } from "../../../sockets/listen.ts";
import type { DatagramSocket } from "../../../sockets/stream.ts";
import { Finding, note, type Observation, pass } from "../../../suite/test.ts";
import { tagged } from "../tag.ts";
import { foundIn, type UdpDriver } from "../udp_driver.ts";

const ID = "other-port";
const BYTES = 512;
/** Milliseconds to wait for the reply from another port once a later one has arrived. */
const GRACE_MS = 250;

/**
 * Answers from a new port, to which the client then sends, as in TFTP (RFC 1350, section 4).
 *
 * That it gets lost is a note: a forwarder between two programs can't know of the new port.
 */
export async function askOtherPort(driver: UdpDriver): Promise<Observation> {
  const { options: { timeout }, tryTimeout } = driver;
  const client = driver.open();
  const [request, reply, later, answer] = [1, 2, 3, 4].map(() => tagged(ID, BYTES));
  const arrived = await driver.request(client, request!) ?? await driver.request(client, request!);
  if (arrived === undefined) {
    const saw = `the server got no request within ${formatDuration(timeout)}`;
    throw new Finding({ saw, kind: "TIMEOUT" });
  }
  const socket = otherSocket(driver, arrived);
  using other = new Inbox([socket]);
  await driver.reply(arrived, reply!, socket);
  await driver.reply(arrived, later!);
  const { inbox } = client;
  await until(() => foundIn(inbox, reply!, later!) !== undefined, [inbox.changes], tryTimeout);
  await until(() => foundIn(inbox, reply!) !== undefined, [inbox.changes], GRACE_MS);
  const from = foundIn(inbox, reply!)?.from;
  if (from === undefined) return note("it does not arrive: TFTP does not work over this");
  if (isSameEndpoint(from, client.target)) {
    return note("it arrives from the usual port, where the server does not expect an answer");
  }
  await client.send(answer!, from);
  const isAnswered = (): boolean => foundIn(other, answer!) !== undefined;
  return await until(isAnswered, [other.changes], tryTimeout)
    ? pass(`from ${formatEndpoint(from)}, and an answer to it`)
    : note(`it arrives from ${formatEndpoint(from)}, but an answer to it is lost`);
}

/** A socket with another port of the server, on an address that the forwarder can reach. */
function otherSocket({ options }: UdpDriver, { from }: Received): DatagramSocket {
  const isIpv6 = from.hostname.includes(":");
  const address = options.addresses.find((address) => address.includes(":") === isIpv6);
  return bindDatagrams({ hostname: address ?? (isIpv6 ? "::" : "0.0.0.0"), port: 0 });
}
