import { delay } from "@std/async/delay";
import { bindUdp } from "../../sockets/bind_udp.ts";
import { Inbox, type Received } from "../../sockets/inbox.ts";
import { listenResettableOnAll } from "../../sockets/node_stream.ts";
import type { Outcome } from "../../suite/outcome.ts";
import { run } from "../../suite/runner.ts";
import { withNeeds } from "../../suite/selection.ts";
import type { Test } from "../../suite/test.ts";
import { tcpQuestions, udpQuestions } from "./questions.ts";
import { mayBeTag } from "./tag.ts";
import { TcpBackend } from "./tcp_backend.ts";
import { TcpDriver, type TcpDriverOptions } from "./tcp_driver.ts";
import { UdpDriver } from "./udp_driver.ts";

/** Milliseconds between tries until the forwarder is up. */
export const RETRY_MS = 250;
/** Timeout of the first try, in milliseconds. */
const FIRST_TRY_MS = 250;

/** Which forwarder to ask about, and how. */
export interface FixtureOptions extends Omit<TcpDriverOptions, "backend"> {
  readonly protocol: "tcp" | "udp";
  /** Where the server behind the forwarder listens. */
  readonly addresses: readonly string[];
  /** Port of that server; 0 picks a free one. */
  readonly port: number;
}

/** Which questions to ask. */
export interface Choice {
  /** Ids of the questions; those that they need are asked, too. @default {all} */
  readonly only?: ReadonlySet<string> | undefined;
  /** Ids of the questions that may fail. */
  readonly allow?: ReadonlySet<string> | undefined;
}

/** Both ends of a forwarder, ready for questions. */
export interface Fixture extends Disposable {
  /** Asks one question after another. */
  ask(choice: Choice): AsyncGenerator<Outcome>;
  /** Tries the question `reply` with this timeout. */
  tryReply(timeout: number): Promise<Outcome | undefined>;
  /** What reached the server, and was not from the client. */
  readonly strays: Strays;
}

/** Connections or datagrams that were not from the client. */
export interface Strays {
  readonly count: number;
  /** The first bytes of the last one that had any. */
  readonly sample?: Uint8Array | undefined;
}

/**
 * Listens where the forwarder forwards to.
 *
 * @throws {SocketFailure} of kind `BIND`.
 */
export async function openFixture(options: FixtureOptions): Promise<Fixture> {
  return options.protocol === "tcp" ? await openTcp(options) : await openUdp(options);
}

async function openTcp(options: FixtureOptions): Promise<Fixture> {
  const backend = new TcpBackend(await listenResettableOnAll(options.addresses, options.port));
  const driver = new TcpDriver({ ...options, backend });
  const asked = tcpQuestions.filter(({ id }) => id !== "idle" || options.idle !== undefined);
  return {
    ...asking(asked, driver),
    get strays() {
      return { count: backend.strays, sample: backend.sample };
    },
    [Symbol.dispose]: () => backend.close(),
  };
}

async function openUdp(options: FixtureOptions): Promise<Fixture> {
  let sample: Uint8Array | undefined;
  const isOurs = ({ bytes }: Received): boolean => {
    const isTagged = mayBeTag(bytes);
    if (!isTagged) sample ??= bytes;
    return isTagged;
  };
  const backend = new Inbox(await bindUdp(options.addresses, options.port), isOurs);
  const driver = new UdpDriver({ ...options, backend });
  return {
    ...asking(udpQuestions, driver),
    get strays() {
      return { count: backend.others + driver.strays, sample };
    },
    [Symbol.dispose]: () => backend[Symbol.dispose](),
  };
}

function asking<D extends { withTimeout(timeout: number): D }>(
  questions: readonly Test<D>[],
  driver: D,
) {
  return {
    ask: ({ only, allow }: Choice) => run(withNeeds(questions, only), driver, { allow }),
    async tryReply(timeout: number): Promise<Outcome | undefined> {
      const reply = questions.filter(({ id }) => id === "reply");
      const { value } = await run(reply, driver.withTimeout(timeout)).next();
      return value ?? undefined;
    },
  };
}

/**
 * Waits until a request and its reply get through, or fail in a way that waiting won't fix.
 *
 * @param milliseconds The longest wait.
 * @param timeout Milliseconds of the longest try. The first tries are shorter: a forwarder that is
 * just starting may never answer them.
 */
export async function waitUntilUp(
  fixture: Fixture,
  milliseconds: number,
  timeout: number,
): Promise<void> {
  const end = performance.now() + milliseconds;
  let patience = FIRST_TRY_MS;
  for (let left = milliseconds; left > 0; left = end - performance.now()) {
    const tried = await fixture.tryReply(Math.min(patience, timeout, left));
    const kind = tried?.evidence?.kind;
    if (kind === undefined || kind === "ERROR") return;
    await delay(Math.max(0, Math.min(RETRY_MS, end - performance.now())));
    patience *= 2;
  }
}
