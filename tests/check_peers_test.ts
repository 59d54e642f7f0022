/** Misbehaving peers as check sees them: on loopback, over TCP and UDP, IPv4 and IPv6. */
import { assert, assertEquals } from "@std/assert";
import type { Verdict } from "../commands/check/probe/verdict.ts";
import { ipv6, netdemoInProcess, testWith, unix } from "./harness/mod.ts";
import {
  flaggedPeers,
  labPeers,
  type Peer,
  type RunningPeer,
  tcpPeers,
  tlsPeers,
  udpPeers,
  webPeers,
} from "./harness/peers.ts";

/** A `--json` line about a probe. */
interface ProbeEvent {
  readonly event: string;
  readonly target: string;
  readonly verdict: Verdict;
  readonly asExpected: boolean;
}

/** Starts the peers; returns each with its target. */
async function startPeers(
  peers: readonly Peer[],
  hostname: string,
  stack: AsyncDisposableStack,
): Promise<readonly (readonly [peer: Peer, target: string])[]> {
  return await Promise.all(peers.map(async (peer) => {
    const running: RunningPeer = await peer.start(hostname);
    stack.use(running);
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const service = peer.service === undefined ? "" : `/${peer.service}`;
    return [peer, `${peer.scheme ?? peer.protocol}://${host}:${running.port}${service}`] as const;
  }));
}

/** What check reports about targets, by target. */
async function probes(args: readonly string[]): Promise<ReadonlyMap<string, ProbeEvent>> {
  const { stdout } = await netdemoInProcess(["check", "--json", ...args]);
  const events: ProbeEvent[] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  return new Map(
    events.filter(({ event }) => event === "probe").map((event) => [event.target, event]),
  );
}

for (const hostname of ["127.0.0.1", "::1"]) {
  testWith(
    hostname === "::1" ? [unix, ipv6] : [unix],
    `no peer on ${hostname} fools check: each gets the verdict it deserves`,
    async () => {
      await using stack = new AsyncDisposableStack();
      const peers = await startPeers(
        [...tcpPeers, ...labPeers, ...webPeers, ...tlsPeers, ...udpPeers],
        hostname,
        stack,
      );
      const flagged = await startPeers(flaggedPeers, hostname, stack);
      assert(peers.length > 30);
      const targets = peers.map(([, target]) => target);
      const found = await probes([...targets, "--timeout", "1200ms"]);
      for (const [{ name, flags = [], verdict }, target] of flagged) {
        const event = (await probes([...flags, target, "--timeout", "20s"])).get(target);
        assertEquals(`${name}: ${event?.verdict}`, `${name}: ${verdict}`);
      }
      assertEquals(
        peers.map(([{ protocol, name }, target]) =>
          `${protocol} ${name}: ${found.get(target)?.verdict}`
        ),
        peers.map(([{ protocol, name, verdict }]) => `${protocol} ${name}: ${verdict}`),
      );
    },
  );
}
