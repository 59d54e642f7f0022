/** What servers must do with a request that arrives in pieces. */
import { delay } from "@std/async/delay";
import type { EagerPeer } from "../../../../sockets/eager_peer.ts";
import { Finding, Skipped } from "../../../../suite/test.ts";
import type { Line } from "../../../../talk/talk.ts";
import { framedOf, requestsOf } from "../../conversations.ts";
import { shown, withEvidence } from "../../evidence.ts";
import { isMachineBusy } from "../../program/system.ts";
import { Client, exchange } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Check } from "../check.ts";
import { lacksFrames } from "../lacks.ts";

/** Milliseconds between the pieces of a request: enough to see whether the first is answered. */
const PIECE_MS = 80;
/** Milliseconds that a server has to read half a request before another client asks. */
const HALF_MS = 40;
/** Milliseconds between two pieces after which a right server may take the first for a request. */
const LATE_MS = 150;
/** Tries for a request in pieces, on a busy machine. */
const TRIES = 4;

export const split: Check<ServerUnderTest<EagerPeer>> = {
  id: "split",
  level: "stream",
  sentence: "accepts a request that arrives in pieces",
  how: "A request is sent in three pieces, 80 ms apart; no answer may come before its end.",
  why: "TCP carries bytes, not messages: what was sent at once may arrive in pieces",
  fix: "collect what recv() returns, and handle a request only once its end is there",
  needs: ["answers", "in-kind", "several"],
  lacks: lacksFrames,
  run: (server) =>
    inTime(server, (onGap) =>
      exchange(server, {
        ...framedOf(server.settings.subject.lines),
        send: (peer, bytes) => sendInPieces(peer, bytes, onGap),
      })),
};

export const apart: Check<ServerUnderTest<EagerPeer>> = {
  id: "apart",
  level: "stream",
  sentence: "keeps apart what two clients send",
  how: "One client sends half a request, another a whole one, then the first its other half.",
  why: "with one buffer for all clients, the halves of two requests become one",
  fix: "give each client a buffer of its own",
  needs: ["split", "two-clients"],
  lacks: lacksFrames,
  run: (server) => inTime(server, (onGap) => keepsApart(server, onGap)),
};

/** How long it took from one piece of a request to the next, in milliseconds. */
type OnGap = (milliseconds: number) => void;

/**
 * Tries what depends on how soon the pieces of a request follow each other. On a busy machine they
 * may be so late that a right server takes the first for a request: it is then tried again.
 *
 * @throws {Skipped} if they were late to the last.
 */
async function inTime(
  server: ServerUnderTest<EagerPeer>,
  attempt: (onGap: OnGap) => Promise<void>,
): Promise<void> {
  for (let tries = 1;; tries++) {
    let longest = 0;
    try {
      return await attempt((gap) => longest = Math.max(longest, gap));
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      const isLate = longest > LATE_MS;
      if (tries < TRIES && (isLate || await isMachineBusy())) {
        server.markSuspect();
        continue;
      }
      if (isLate) throw new Skipped("this machine was too busy to send the pieces in time");
      throw new Finding({ ...error.evidence, isSilence: true });
    }
  }
}

/** Sends a request in three pieces, and looks for an answer after each. @throws {Finding} */
async function sendInPieces(peer: EagerPeer, bytes: Uint8Array, onGap: OnGap): Promise<void> {
  const third = Math.ceil(bytes.length / 3);
  for (let at = 0; at < bytes.length; at += third) {
    const sentAt = performance.now();
    await peer.send(bytes.subarray(at, at + third));
    if (at + third >= bytes.length) return;
    const hasAnswered = await peer.until(({ length }) => length > 0, PIECE_MS);
    onGap(performance.now() - sentAt);
    if (!hasAnswered) continue;
    throw new Finding({
      sent: `${shown(bytes.subarray(0, at + third))} (the request has not ended yet)`,
      saw: `an answer already: ${shown(peer.peek())}`,
    });
  }
}

async function keepsApart(server: ServerUnderTest<EagerPeer>, onGap: OnGap): Promise<void> {
  const holding = framedOf(server.settings.subject.lines);
  let isHalf = false;
  using other = new Client(server, holding);
  const first = requestsOf(holding.conversation)[0] as Line;
  const after = holding.conversation.lines.find(({ says, number }) =>
    says === "client" && number > first.number
  );
  using one = new Client(server, {
    ...holding,
    async send(peer, bytes) {
      if (isHalf) return await peer.send(bytes);
      isHalf = true;
      const half = Math.ceil(bytes.length / 2);
      const sentAt = performance.now();
      await peer.send(bytes.subarray(0, half));
      await delay(HALF_MS);
      await withEvidence(other.hold(after), ({ sent = "", ...evidence }) => ({
        ...evidence,
        sent: `half a request by one client, then ${sent} by another`,
      }));
      onGap(performance.now() - sentAt);
      await peer.send(bytes.subarray(half));
    },
  });
  await one.hold();
}
