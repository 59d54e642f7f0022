/** How a server takes what a good exchange does not have. */
import { Finding } from "../../../suite/test.ts";
import { inHex, judge, shown, wrongAnswer } from "../judge.ts";
import type { Peer } from "./peer.ts";
import {
  type RequestEnd,
  REST_MS,
  type ServerUnderTest,
  withLineEnd,
} from "./server_under_test.ts";

/** Milliseconds to wait for the answer to a request without a line end. */
const BARE_MS = 1_000;

/** Sends a bad request, then checks that another client is answered. @throws {Finding} */
export async function survives(
  server: ServerUnderTest,
  request: string | Uint8Array,
): Promise<void> {
  const sent = typeof request === "string" ? shown(request) : inHex(request);
  const peer = await server.connect();
  await server.request(peer, request);
  await peer.until((bytes) => bytes.length > 0, server.clients.reactionMs);
  const reaction = server.reaction(peer);
  await leave(server, peer);
  await servesAnother(server, sent, reaction);
}

/** Checks that another client is answered. @throws {Finding} that says what happened before. */
export async function servesAnother(
  server: ServerUnderTest,
  sent: string,
  before: string,
): Promise<void> {
  const { child } = server.program;
  if (child !== undefined && !server.servesSeveral) return await crashed(server, sent, before);
  try {
    await server.exchange();
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    const ended = await child?.howItEnded();
    const then = ended ?? `the next client: ${error.evidence.saw}`;
    const { isSilence, blames } = error.evidence;
    throw new Finding({ sent, saw: `${before}; ${then}`, isSilence, blames });
  }
}

/** A program that serves a single client may end, but not crash. @throws {Finding} */
async function crashed(server: ServerUnderTest, sent: string, before: string): Promise<void> {
  const { child } = server.program;
  const ended = await child?.howItEnded();
  if (ended === undefined || child?.ended?.success) return;
  throw new Finding({ sent, saw: `${before}; ${ended}` });
}

/**
 * Returns the answer to a request, whatever it is; empty if there is none.
 *
 * @param right The right answer: nothing more is waited for once it is there.
 */
export async function answerTo(
  server: ServerUnderTest,
  request: string,
  right?: string,
): Promise<string> {
  const peer = await server.connect();
  await server.request(peer, request);
  await peer.until((bytes) => bytes.length > 0, server.timeout);
  const answer = (): string => new TextDecoder().decode(peer.peek());
  // An answer may come in several writes: a part of it must not be taken for a wrong number.
  if (answer() !== "" && answer() !== right) await peer.untilSilent(REST_MS);
  const answered = answer();
  await leave(server, peer);
  return answered;
}

/** Closes as a client that has its answer; gives the server a moment to do the same. */
export async function leave(server: ServerUnderTest, peer: Peer): Promise<void> {
  await peer.closeWrite();
  const { reactionMs } = server.clients;
  if (!await peer.untilEnd(server.endsLate ? 30 : reactionMs)) server.endsLate = true;
  peer.close();
}

/** Learns what this server needs after a request, from its first answer. @throws {Finding} */
export async function learnRequestEnd(server: ServerUnderTest): Promise<void> {
  const peer = await server.connect();
  const { request, expected } = server.sample;
  await provokeAnswer(server, peer, request);
  await server.answered(peer, expected, request);
  // What a program sends by mistake after its answer usually comes right with it.
  await peer.until((bytes) => judge(bytes, expected) === "wrong", 30);
  if (judge(peer.peek(), expected) === "wrong") {
    throw new Finding(wrongAnswer(peer.peek(), expected, request));
  }
  peer.close();
}

/** Sends a request, and what may be missing at its end, until something is answered. */
async function provokeAnswer(server: ServerUnderTest, peer: Peer, request: string): Promise<void> {
  const { timeout } = server;
  if (server.settings.lines) return await peer.send(withLineEnd(request), timeout);
  const steps: readonly (readonly [RequestEnd, number, () => Promise<void>])[] = [
    ["nothing", BARE_MS, () => peer.send(request, timeout)],
    ["line", timeout, () => peer.send("\n", timeout)],
    ["end of stream", timeout, () => peer.closeWrite()],
  ];
  for (const [requestEnd, patience, step] of steps) {
    await step();
    if (await peer.until((bytes) => bytes.length > 0, patience)) {
      server.requestEnd = server.firstAnswerAfter = requestEnd;
      return;
    }
    if (peer.ending !== undefined) return;
  }
}

/** Whether a request without a line end is answered, given more time on a new connection. */
export async function answersWithoutLineEnd(
  server: ServerUnderTest,
  milliseconds: number,
): Promise<boolean> {
  using peer = await server.connect();
  await peer.send(server.sample.request, milliseconds);
  return await peer.until((bytes) => bytes.length > 0, milliseconds);
}

/** A client that was answered and stays connected. @throws {Finding} */
export async function answeredClient<P extends Peer>(server: ServerUnderTest<P>): Promise<P> {
  const { settings: { service }, timeout } = server;
  const peer = await server.connect();
  if (service === "hello") await peer.untilEnd(timeout);
  else {
    await server.request(peer, server.sample.request);
    await peer.until((bytes) => bytes.length > 0, timeout);
  }
  return peer;
}
