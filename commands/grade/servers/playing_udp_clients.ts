/** netdemo plays the clients of a UDP server. */
import { delay } from "@std/async/delay";
import { DatagramPeer } from "../../../clients/call/datagram_peer.ts";
import { Finding } from "../../../suite/test.ts";
import { LOOPBACK } from "../program/ports.ts";
import type { Program } from "../program/program.ts";
import { listeningOf, usageOf } from "../program/system.ts";
import type { Listening } from "../program/tools.ts";
import { type Clients, ELSEWHERE_MS, endedEarly, START_MS } from "./server_under_test.ts";

/** Milliseconds between two looks at what it has bound. */
const LOOK_MS = 30;
/** Milliseconds that a program gets to bind its port where no tool shows what is bound. */
const BLIND_MS = 1_000;

/** Clients that send to the program's port. */
export class UdpClients implements Clients<DatagramPeer> {
  readonly #program: Program;
  leavesTrace = false;
  readonly #open = new Set<DatagramPeer>();
  #hostname: string;

  /** @param target Addresses of a server that is already running. */
  constructor(program: Program, target: readonly string[] = LOOPBACK) {
    this.#program = program;
    this.#hostname = target[0] ?? "127.0.0.1";
  }

  connect(): Promise<DatagramPeer> {
    const peer = new DatagramPeer({ hostname: this.#hostname, port: this.#program.port });
    // The lesson's clients take an answer from anywhere.
    peer.accepts = () => true;
    this.#open.add(peer);
    return Promise.resolve(peer);
  }

  /** Waits until the program has bound a port: UDP has no connection that would show it. */
  async untilReady(): Promise<undefined> {
    const program = this.#program;
    const child = program.process();
    const startedAt = performance.now();
    const elapsed = (): number => performance.now() - startedAt;
    let found: readonly Listening[] | undefined = [];
    let stream: Listening | undefined;
    while (elapsed() < START_MS && !program.isCancelled) {
      found = await listeningOf((await usageOf(child.pid))?.pids ?? [child.pid], "udp");
      // Without a tool that shows it, the first request finds out.
      if (found === undefined) return void await delay(BLIND_MS);
      const [any] = found;
      if (!program.takesPort && any !== undefined) program.port = any.port;
      const own = found.find(({ port }) => port === program.port);
      if (own !== undefined) {
        this.#hostname = own.hostname === "::1" ? "::1" : "127.0.0.1";
        return;
      }
      if (child.ended !== undefined) break;
      if (elapsed() > ELSEWHERE_MS) {
        [stream] = await listeningOf([child.pid], "tcp") ?? [];
        if (any !== undefined || stream !== undefined) break;
      }
      await delay(LOOK_MS);
    }
    if (child.ended !== undefined) throw await endedEarly(program, "it answered");
    throw notBound(program.port, found?.[0], stream);
  }

  closeAll(): Promise<void> {
    for (const peer of this.#open) peer[Symbol.dispose]();
    this.#open.clear();
    return Promise.resolve();
  }
}

/** @param elsewhere What it is bound to. @param stream What it listens on, over TCP. */
function notBound(
  port: number,
  elsewhere: Listening | undefined,
  stream: Listening | undefined,
): Finding {
  if (elsewhere !== undefined) {
    return new Finding({ saw: `your program is bound to port ${elsewhere.port}, not to ${port}` });
  }
  if (stream === undefined) {
    const saw = `nothing is bound to UDP port ${port} after ${START_MS / 1_000} s`;
    return new Finding({ saw });
  }
  return new Finding({
    saw: `your program listens on TCP port ${stream.port}, and has no UDP socket`,
    fix:
      "create the socket with SOCK_DGRAM; or, if it is to use TCP, leave out --udp, or udp in its file",
  });
}
