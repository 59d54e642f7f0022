import type { Endpoint } from "../../../protocol/addresses.ts";
import { descriptors } from "../../../sockets/descriptors.ts";
import { SocketFailure } from "../../../sockets/failure.ts";
import { beginLookUp, knownAddresses, systemResolver } from "../../../sockets/resolve.ts";
import { hasFamilyOf } from "../../../sockets/route.ts";
import type { Row } from "./assessment.ts";
import { askedBy } from "../questions/challenge.ts";
import type { ConcurrencyLimiter } from "./concurrency_limiter.ts";
import type { WaitEnd } from "../probe/network_clock.ts";
import type { ProbeOptions } from "../probe/probing.ts";
import { causeOf, nothing, probe, type Probed } from "../probe/probe.ts";
import { challengeFor, type Clients, type Expectation } from "../targets/targets.ts";
import { type Failed, verdictOf } from "../probe/verdict.ts";

/** Targets under way at a time: the others take no memory. Most of them wait for a turn. */
const MAX_UNDER_WAY = 2_048;

/** What all probes have in common. */
export interface RoundOptions
  extends Pick<ProbeOptions, "timeout" | "proxyProtocol" | "clock" | "signal"> {
  readonly clients: Clients;
  /** Milliseconds beyond which a right answer is `slow`. @default {never} */
  readonly slowerThan?: number | undefined;
  /** The family of addresses to visit. @default {both} */
  readonly family?: "IPv4" | "IPv6" | undefined;
  readonly limiter: ConcurrencyLimiter;
  /** Called when a target has been visited, with the number of those that have. */
  readonly visited?: ((count: number) => void) | undefined;
}

/** What happened before a probe, once its address is known. */
export interface Found {
  /** Milliseconds that the lookup took, if this target caused it. */
  readonly resolveMs?: number | undefined;
  /** Milliseconds of its time limit already used. */
  readonly spentMs: number;
}

/** Visits one address of a target. */
export type Visit = (
  expected: Expectation,
  remote: Endpoint,
  found: Found,
  options: RoundOptions,
) => Promise<Row>;

/**
 * Visits all addresses of all targets concurrently.
 *
 * @returns the rows of each target, in the order of the targets and addresses, without the targets
 * that were not done when the signal ended the round.
 */
export async function runRound(
  targets: readonly Expectation[],
  options: RoundOptions,
  visit: Visit,
): Promise<readonly (readonly Row[])[]> {
  const lookups = new Map<string, Promise<Lookup>>();
  const isOver = (): boolean => options.signal?.aborted === true;
  let visited = 0;
  const rows = await mapLimited(targets, MAX_UNDER_WAY, async (expected) => {
    const found = isOver() ? [] : await visitTarget(expected, lookups, options, visit);
    if (isOver()) return [];
    options.visited?.(++visited);
    return found;
  });
  return rows.filter(({ length }) => length > 0);
}

/** Applies an asynchronous function to all items, a limited number at a time. */
async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

async function visitTarget(
  expected: Expectation,
  lookups: Map<string, Promise<Lookup>>,
  options: RoundOptions,
  visit: Visit,
): Promise<readonly Row[]> {
  const { target } = expected;
  if (target.protocol === "unix") {
    return [await visit(expected, { path: target.path }, { spentMs: 0 }, options)];
  }
  const { host, port } = target;
  // Look up each name once per round, however many targets share it.
  const known = lookups.get(host);
  const lookup = known ?? lookUpHost(host, options);
  lookups.set(host, lookup);
  const { addresses, failure, resolveMs } = await lookup;
  const found = {
    resolveMs: known === undefined ? resolveMs : undefined,
    spentMs: resolveMs ?? 0,
  };
  if (failure !== undefined) return [unresolved(expected, failure, found, options)];
  const { family } = options;
  const meant = addresses.filter((hostname) =>
    family === undefined || hostname.includes(":") === (family === "IPv6")
  );
  if (meant.length === 0) return [unresolved(expected, noAddress, found, options)];
  return await Promise.all(
    meant.map((hostname) => visit(expected, { hostname, port }, found, options)),
  );
}

/** A name that has no address of the family that is meant. */
export const noAddress: Failed = {
  how: "failed",
  phase: "resolve",
  kind: "DNS",
  errno: "EAI_ADDRFAMILY",
};

/** What a name resolves to, or why it does not. */
interface Lookup {
  readonly addresses: readonly string[];
  readonly failure?: Failed;
  /** `undefined` if there was nothing to look up. */
  readonly resolveMs?: number | undefined;
}

async function lookUpHost(host: string, options: RoundOptions): Promise<Lookup> {
  const known = knownAddresses(host);
  if (known !== undefined) return { addresses: known };
  await systemResolver(); // load it first, so that loading is not measured
  return await options.limiter.run(async () => {
    const begun = await beginLookUp(host, options.signal);
    return begun === undefined
      ? { addresses: [], failure: unanswered }
      : await inTime(host, begun.found, options);
  });
}

/** The failure of a lookup without an answer. */
const unanswered: Failed = { how: "failed", phase: "resolve", kind: "TIMEOUT" };

/** What a lookup finds within the time limit. */
async function inTime(
  host: string,
  found: Promise<readonly string[]>,
  { timeout, clock, signal }: RoundOptions,
): Promise<Lookup> {
  const startedAt = clock.time;
  const over = Promise.withResolvers<Failed>();
  using _limit = clock.after(timeout, (end: WaitEnd) =>
    over.resolve(
      end === "time is up" ? unanswered : { ...unanswered, kind: "ERROR", problem: end },
    ));
  const cancel = (): void => over.resolve(unanswered);
  signal?.addEventListener("abort", cancel, { once: true });
  const looking = found.then((addresses) => {
    if (addresses.length === 0) throw new SocketFailure("DNS", { phase: "resolve", host });
    return addresses;
  }).catch((error): Failed => ({ ...unanswered, ...causeOf(error) }));
  // The lookup itself can't be cancelled.
  const result = await Promise.race([looking, over.promise]);
  signal?.removeEventListener("abort", cancel);
  const resolveMs = clock.time - startedAt;
  return "how" in result
    ? { addresses: [], failure: result, resolveMs }
    : { addresses: result, resolveMs };
}

/** Probes an address once. @param size As {@linkcode challengeFor} takes it. */
export async function probeRow(
  expected: Expectation,
  remote: Endpoint,
  { resolveMs, spentMs }: Found,
  options: RoundOptions,
  size?: number,
): Promise<Row> {
  const { limiter, slowerThan = Infinity } = options;
  const timeout = Math.max(1, options.timeout - spentMs);
  const { target: { protocol }, tls } = expected;
  const ask = async () => {
    const challenge = challengeFor(expected, options.clients, size);
    const probed = await probe({ ...options, protocol, remote, challenge, timeout, tls });
    return { challenge, probed };
  };
  let { challenge, probed } = await limiter.run(ask);
  // It can only get one once another of its own is closed.
  while (lacksDescriptors(probed) && descriptors.exhausted()) {
    ({ challenge, probed } = await limiter.run(ask));
  }
  const elapsedMs = (resolveMs ?? 0) + probed.elapsedMs;
  // A target is not slow because this process was.
  const networkMs = Math.max(0, elapsedMs - probed.busyMs);
  const verdict = verdictOf(probed.ending, networkMs > slowerThan);
  const lacksFamily = verdict === "error" && "hostname" in remote && !hasFamilyOf(remote.hostname);
  return {
    expected,
    remote,
    verdict,
    lacksFamily,
    probed,
    asked: challenge && askedBy(challenge),
    resolveMs,
    elapsedMs,
    timeout: options.timeout,
  };
}

/** Whether this process or the whole host was out of descriptors. */
function lacksDescriptors({ ending }: Probed): boolean {
  return ending.how === "failed" && (ending.errno === "EMFILE" || ending.errno === "ENFILE");
}

/** The row of a name that did not resolve. */
function unresolved(
  expected: Expectation,
  ending: Failed,
  { resolveMs, spentMs }: Found,
  { timeout }: RoundOptions,
): Row {
  return {
    timeout,
    expected,
    remote: undefined,
    verdict: verdictOf(ending, false),
    probed: { ending, elapsedMs: 0, busyMs: 0, bytes: 0, reply: nothing },
    asked: undefined,
    resolveMs,
    elapsedMs: spentMs,
  };
}
