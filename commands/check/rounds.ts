import type { Endpoint } from "../../protocol/addresses.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { knownAddresses, resolve, systemResolver } from "../../sockets/resolve.ts";
import type { Row } from "./assessment.ts";
import { challengeFor, type Challenges } from "./challenge.ts";
import type { Expectation } from "./targets.ts";
import { failedEnding, probe, type Probed } from "./probe.ts";
import type { ConcurrencyLimiter } from "./concurrency_limiter.ts";
import { type Failed, verdictOf } from "./verdict.ts";

/** What all probes have in common. */
export interface RoundOptions extends Challenges {
  /** Milliseconds for each probe. */
  readonly timeout: number;
  readonly slowerThan?: number | undefined;
  readonly limiter: ConcurrencyLimiter;
  readonly signal?: AbortSignal | undefined;
}

/** What happened before a probe, once its address is known. */
export interface Found {
  /** Milliseconds that the lookup took, if this target caused it. */
  readonly resolveMs?: number | undefined;
  /** Milliseconds of its time limit already used. */
  readonly spentMs: number;
}

/** Visits one address of a target. */
export type Visit<R extends Row> = (
  expected: Expectation,
  remote: Endpoint,
  found: Found,
  options: RoundOptions,
) => Promise<R>;

/**
 * Visits all addresses of all targets concurrently.
 *
 * @returns the rows of each target, in the order of the targets and addresses.
 */
export async function runRound<R extends Row>(
  targets: readonly Expectation[],
  options: RoundOptions,
  visit: Visit<R>,
): Promise<readonly (readonly (R | Row)[])[]> {
  const lookups = new Map<string, Promise<Lookup>>();
  return await Promise.all(targets.map(async (expected) => {
    const { target } = expected;
    if (target.protocol === "unix") {
      return [await visit(expected, { path: target.path }, { spentMs: 0 }, options)];
    }
    const { host, port } = target;
    // Look up each name once per round, however many targets share it.
    const known = lookups.get(host);
    const lookup = known ?? options.limiter.run(() => lookUpHost(host, options));
    lookups.set(host, lookup);
    const { addresses, failure, resolveMs } = await lookup;
    const found = {
      resolveMs: known === undefined ? resolveMs : undefined,
      spentMs: resolveMs ?? 0,
    };
    if (failure !== undefined) return [unresolved(expected, failure, found, options)];
    return await Promise.all(
      addresses.map((hostname) => visit(expected, { hostname, port }, found, options)),
    );
  }));
}

/** What a name resolves to, or why it does not. */
interface Lookup {
  readonly addresses: readonly string[];
  readonly failure?: Failed;
  /** `undefined` if there was nothing to look up. */
  readonly resolveMs?: number | undefined;
}

async function lookUpHost(host: string, { timeout, signal }: RoundOptions): Promise<Lookup> {
  const known = knownAddresses(host);
  if (known !== undefined) return { addresses: known };
  await systemResolver(); // load it first, so that loading is not measured
  const startedAt = performance.now();
  const spent = (): number => performance.now() - startedAt;
  try {
    const addresses = await Promise.race([resolve(host, timeout), endOf(signal, host)]);
    if (addresses.length === 0) throw new SocketFailure("DNS", { phase: "resolve", host });
    return { addresses, resolveMs: spent() };
  } catch (error) {
    if (!(error instanceof SocketFailure)) throw error;
    const failure = failedEnding(error);
    return { addresses: [], failure, resolveMs: spent() };
  }
}

/** Rejects when the signal aborts: the lookup itself can't be cancelled. */
function endOf(signal: AbortSignal | undefined, host: string): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new SocketFailure("TIMEOUT", { phase: "resolve", host }));
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end, { once: true });
  });
}

/** Probes an address once. @param size As {@linkcode challengeFor} takes it. */
export async function probeRow(
  expected: Expectation,
  remote: Endpoint,
  { resolveMs, spentMs }: Found,
  options: RoundOptions,
  size?: number,
): Promise<Row> {
  const { limiter, slowerThan, signal } = options;
  const timeout = Math.max(1, options.timeout - spentMs);
  const { protocol } = expected.target;
  const ask = async () => {
    const challenge = challengeFor(expected, options, size);
    return { challenge, probed: await probe({ protocol, remote, challenge, timeout, signal }) };
  };
  let { challenge, probed } = await limiter.run(ask);
  while (lacksDescriptors(probed) && limiter.shrink()) {
    ({ challenge, probed } = await limiter.run(ask));
  }
  const elapsedMs = (resolveMs ?? 0) + probed.elapsedMs;
  const verdict = verdictOf(probed.ending, { elapsedMs, slowerThan });
  return {
    expected,
    remote,
    verdict,
    probed,
    challenge,
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
    verdict: verdictOf(ending, { elapsedMs: spentMs }),
    probed: { ending, elapsedMs: 0, bytes: 0, reply: "" },
    challenge: undefined,
    resolveMs,
    elapsedMs: spentMs,
  };
}
