/** netdemo plays the clients of a UDP server. */
import { bindDatagrams } from "../../../sockets/listen.ts";
import { Finding } from "../../../suite/test.ts";
import { LOOPBACK } from "../program/listener_search.ts";
import type { Program } from "../program/program.ts";
import { type Listening, listeningOf, usageOf } from "../program/system.ts";
import { UdpPeer } from "./peer.ts";
import { type Clients, ENDED_EARLY_FIX } from "./server_under_test.ts";

/** Milliseconds within which a program must begin to answer. */
const START_MS = 10_000;
/** Milliseconds between two datagrams to a starting program. */
const RETRY_MS = 50;
/** Milliseconds for an answer to arrive from a program that has already ended. */
const ANSWER_ON_ITS_WAY_MS = 200;
/** Milliseconds after which to find out what a program that does not answer is bound to. */
const SEARCH_AFTER_MS = 500;

/** Clients that send to the program's port. */
export class UdpClients implements Clients<UdpPeer> {
  readonly reactionMs = 200;
  readonly firstHasAsked = true;
  readonly #program: Program;
  readonly #probe: string;
  readonly #peers = new Set<UdpPeer>();
  #hostname: string;

  /**
   * @param probe What is sent to a program that has just been started until it answers.
   * @param target Addresses of a server that is already running.
   */
  constructor(program: Program, probe: string, target: readonly string[] = LOOPBACK) {
    this.#program = program;
    this.#probe = probe;
    this.#hostname = target[0] ?? "127.0.0.1";
  }

  connect(): Promise<UdpPeer> {
    const any = this.#hostname.includes(":") ? "::" : "0.0.0.0";
    return Promise.resolve(this.#open(any, this.#hostname));
  }

  /**
   * The first answer shows that the program listens, since UDP has no connection. Its client is
   * used: the program may answer no other.
   */
  async untilReady(): Promise<UdpPeer> {
    const child = this.#program.process();
    const peers = LOOPBACK.flatMap((hostname) => {
      try {
        return [{ hostname, peer: this.#open(hostname, hostname) }];
      } catch {
        return []; // no IPv6 here
      }
    });
    const answered = async (patience: number, ask: boolean): Promise<UdpPeer | undefined> => {
      for (const { hostname, peer } of peers) {
        if (ask) await peer.send(this.#probe);
        if (!await peer.hasCome(patience / peers.length)) continue;
        this.#hostname = hostname;
        return peer;
      }
      return undefined;
    };
    const startedAt = performance.now();
    const elapsed = (): number => performance.now() - startedAt;
    let found: readonly Listening[] = [];
    while (elapsed() < START_MS && child.ended === undefined && !this.#program.isCancelled) {
      const peer = await answered(RETRY_MS, true);
      if (peer !== undefined) return peer;
      if (elapsed() > SEARCH_AFTER_MS) found = await this.#findPorts();
    }
    // A program may end right after its first answer, which may still be on its way.
    const peer = await answered(ANSWER_ON_ITS_WAY_MS, false);
    if (peer !== undefined) return peer;
    if (child.ended !== undefined) {
      const saw = `your program ${child.ending} before it answered`;
      throw new Finding({ saw, fix: ENDED_EARLY_FIX });
    }
    const { port } = this.#program;
    const saw = `no answer from port ${port}: ${whereIsIt(found, port)}`;
    throw new Finding({ sent: this.#probe.trim(), saw });
  }

  closeAll(): void {
    for (const peer of this.#peers) peer.close();
    this.#peers.clear();
  }

  /** @throws if this host has no such address. */
  #open(from: string, to: string): UdpPeer {
    const socket = bindDatagrams({ hostname: from, port: 0 });
    const peer = new UdpPeer(socket, () => ({ hostname: to, port: this.#program.port }));
    this.#peers.add(peer);
    return peer;
  }

  /** Returns what the program is bound to; without {port}, later requests go there. */
  async #findPorts(): Promise<readonly Listening[]> {
    const pids = (await usageOf(this.#program.process().pid))?.pids ?? [];
    const found = await listeningOf(pids, "udp") ?? [];
    const [own] = found;
    if (own !== undefined && !this.#program.takesPort) this.#program.port = own.port;
    return found;
  }
}

function whereIsIt([found]: readonly Listening[], port: number): string {
  if (found === undefined) return "nothing is bound to it";
  return found.port === port
    ? "your program is bound to it, but does not answer"
    : `your program is bound to port ${found.port}`;
}
