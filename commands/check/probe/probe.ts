import { errnoOf, kindOf } from "../../../sockets/errno.ts";
import { SocketFailure } from "../../../sockets/failure.ts";
import { isRefusedHere } from "../../../sockets/route.ts";
import { askOverStream, askOverUdp, openStream } from "./ask.ts";
import type { HttpAnswer } from "../questions/challenge.ts";
import type { Observed, ProbeOptions, Probing, Seen } from "./probing.ts";
import { refusalOf } from "./tls.ts";
import type { Failed, ProbeEnding } from "./verdict.ts";

/** Bytes of a reply that are kept, to show them. */
const MAX_KEPT = 1_024;
/** No bytes: shared, since a buffer of its own takes memory even if it is empty. */
export const nothing = new Uint8Array(0);

/** What a probe observed. */
export interface Probed extends Readonly<Observed> {
  readonly ending: ProbeEnding;
  /** Milliseconds from sending to the first byte of the reply. */
  readonly firstByteMs?: number | undefined;
  /** From sending to the last byte of the reply, or to the end of a probe without one. */
  readonly replyMs?: number | undefined;
  /** From the last byte of an incomplete reply to the end of the probe. */
  readonly silentMs?: number | undefined;
  readonly elapsedMs: number;
  /** How much of that this process may have been too busy to look. */
  readonly busyMs: number;
  /** Bytes received. */
  readonly bytes: number;
  /** The beginning of what was received, unless it was the right answer. */
  readonly reply: Uint8Array;
  /** What a web server answered. */
  readonly answer?: HttpAnswer | undefined;
}

/** What plays conversations: most checks never need it. */
export async function loadPlayer() {
  return await import("./play_talk.ts");
}

/** Probes one address, once. Anything a socket does is an ending; only bugs are thrown. */
export async function probe(options: ProbeOptions): Promise<Probed> {
  const { clock, timeout, signal } = options;
  const over = new AbortController();
  const cancel = (): void => over.abort("cancelled");
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  using _limit = options.challenge?.form === "talk"
    ? undefined
    : clock.after(timeout, (end) => over.abort(end));
  const [startedAt, clockStart] = [performance.now(), clock.time];
  const seen: Seen = { phase: "connect", reply: nothing };
  const probing = { ...options, seen, over };
  const ending = await endingOf(probing).catch((error) => endingOfError(error, probing));
  signal?.removeEventListener("abort", cancel);
  const endedAt = performance.now();
  const busyMs = Math.max(0, endedAt - startedAt - (clock.time - clockStart));
  const { challenge } = options;
  const answer = challenge?.form === "talk" ? undefined : challenge?.answer?.(seen.reply);
  return { ...probedOf(ending, seen, { startedAt, endedAt }), answer, busyMs };
}

/** The durations of a probe that has ended. */
function probedOf(
  ending: ProbeEnding,
  { phase: _, sentAt, firstAt, lastAt, reply, ...seen }: Seen,
  { startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number },
): Omit<Probed, "busyMs"> {
  const isAnswered = ending.how === "answered";
  // A reply that ends with silence had arrived before the silence was long enough to tell.
  const replyEnd = isAnswered ? lastAt ?? endedAt : endedAt;
  const replyMs = sentAt === undefined ? undefined : Math.max(0, replyEnd - sentAt);
  const silentMs = isAnswered || lastAt === undefined ? undefined : endedAt - lastAt;
  return {
    ...seen,
    ending,
    firstByteMs: sentAt === undefined || firstAt === undefined ? undefined : firstAt - sentAt,
    replyMs,
    silentMs,
    elapsedMs: (isAnswered ? replyEnd : endedAt) - startedAt,
    bytes: reply.length,
    // A run may have many thousands of probes.
    reply: isAnswered && ending.right ? nothing : reply.slice(0, MAX_KEPT),
  };
}

async function endingOf(probing: Probing): Promise<ProbeEnding> {
  const { protocol, challenge, seen, tls } = probing;
  if (challenge?.form === "talk") return await (await loadPlayer()).playTalk(challenge, probing);
  if (protocol === "udp") return await askOverUdp(challenge, probing);
  using stream = await openStream(probing);
  if (challenge === undefined) {
    return { how: "connected", phase: tls === undefined ? "connect" : "tls" };
  }
  seen.phase = "reply";
  return await askOverStream(stream, challenge, probing);
}

/** Turns an error of a socket into an ending; rethrows a bug. */
async function endingOfError(error: unknown, probing: Probing): Promise<ProbeEnding> {
  const { seen, remote, over, challenge, tls } = probing;
  const { phase } = seen;
  const failed = { how: "failed", phase } as const;
  if (over.signal.aborted) {
    return over.signal.reason === "time is up"
      ? { ...failed, kind: "TIMEOUT" }
      : { ...failed, kind: "ERROR", problem: "too busy" };
  }
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    const { problem, message, received = seen.reply } = refusal;
    seen.reply = received;
    return { ...failed, phase: "tls", kind: "ERROR", problem, message };
  }
  const { kind, errno } = causeOf(error);
  if (phase === "reply" || phase === "tls") {
    return { ...failed, kind: kind === "RESET" ? "RESET" : "CLOSED", errno };
  }
  // The handshake is all that was asked for, and only a connection can be reset.
  if (kind === "RESET" && challenge === undefined && tls === undefined) {
    return { how: "connected", phase: "connect" };
  }
  const isLocal = kind === "UNREACHABLE" && "hostname" in remote &&
    await isRefusedHere(remote.hostname, errno);
  return { ...failed, kind, errno, ...isLocal && { problem: "this host" } };
}

/** The kind and the errno of a socket's error. @throws anything else */
export function causeOf(error: unknown): Pick<Failed, "kind" | "errno"> {
  if (error instanceof SocketFailure) {
    const { kind, facts, cause } = error;
    const isTooLong = facts.phase === "connect" && facts.problem === "path too long";
    return { kind, errno: isTooLong ? "ENAMETOOLONG" : errnoOf(cause) };
  }
  const errno = errnoOf(error);
  // Deno makes EINVAL a TypeError.
  if (errno === undefined && error instanceof TypeError) throw error;
  return { kind: kindOf(error) ?? "ERROR", errno };
}
