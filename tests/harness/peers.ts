/** Peers that misbehave, each in one way, with the verdict that a probe must reach. */
import type { Verdict } from "../../commands/check/probe/verdict.ts";
import { calculate } from "../../protocol/calculator.ts";
import { listenResettable } from "../../sockets/node_stream.ts";
import type { Stream } from "../../sockets/stream.ts";
import { until } from "./system.ts";
import { Certificates } from "./certificates.ts";
import { tool } from "./needs.ts";

/** A peer that runs until its scope ends. */
export interface RunningPeer extends AsyncDisposable {
  readonly port: number;
}

/** A peer with one kind of behaviour. */
export interface Peer {
  readonly name: string;
  readonly protocol: "tcp" | "udp";
  /** What a probe asks. @default {"calc"} */
  readonly service?: "lab";
  /** How a probe asks. @default {the protocol} */
  readonly scheme?: "http" | "tls";
  /** Flags of a probe, before its target. @default {none} */
  readonly flags?: readonly string[];
  /** What a probe with a new question must find. */
  readonly verdict: Verdict;
  start(hostname: string): Promise<RunningPeer>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a peer does with each connection, which is then closed. */
export type Serve = (stream: Stream, peer: { readonly previous: string }) => Promise<void>;

/** Awaited by a peer to leave a connection open until the peer itself ends. */
export const forever = new Promise<never>(() => {});

function tcp(name: string, verdict: Verdict, serve: Serve): Peer {
  return { name, protocol: "tcp", verdict, start: (hostname) => startStreams(hostname, serve) };
}

/** Listens, and serves each connection until the scope ends. */
export async function startStreams(
  hostname: string,
  serve: Serve,
  port = 0,
): Promise<RunningPeer> {
  const listener = await listenResettable({ hostname, port });
  const open = new Set<Stream>();
  const peer = { previous: "10 20 +" };
  const serveOne = async (stream: Stream): Promise<void> => {
    open.add(stream);
    await serve(stream, peer).then(() => end(stream)).catch(() => {});
    stream.close();
  };
  const accepting = (async () => {
    while (true) {
      const stream = await listener.accept().catch(() => undefined);
      if (stream === undefined) return;
      serveOne(stream);
    }
  })();
  return {
    port: (listener.addr as { port: number }).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const stream of open) stream.close();
      await accepting;
      await pause(10); // node:net closes its sockets a moment later
    },
  };
}

/** Ends a connection without the reset that closing with unread input causes. */
async function end(stream: Stream): Promise<void> {
  await stream.closeWrite();
  const buffer = new Uint8Array(65_536);
  while (await stream.read(buffer) !== null);
}

/** Reads one request, up to its line end. */
export async function request(stream: Stream): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (!text.includes("\n")) {
    const count = await stream.read(buffer);
    if (count === null) throw new Error("the client left");
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text.trimEnd();
}

export async function send(stream: Stream, data: string | Uint8Array): Promise<void> {
  let bytes = typeof data === "string" ? encoder.encode(data) : data;
  while (bytes.length > 0) bytes = bytes.subarray(await stream.write(bytes));
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Answers each request with the function's result. */
export function answering(answer: (request: string) => string): Serve {
  return async (stream) => {
    while (true) await send(stream, answer(await request(stream)));
  };
}

/** The right reply, except that the number is one too large. */
function offByOne(request: string): string {
  return calculate(request).replace(/\d+$/, (sum) => String(BigInt(sum) + 1n));
}

const HTTP = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/** How peers over TCP behave. */
export const tcpPeers: readonly Peer[] = [
  tcp("answers", "ok", answering((text) => `${calculate(text)}\n`)),
  tcp("answers without a line end", "ok", answering(calculate)),
  tcp("answers byte by byte", "ok", async (stream) => {
    for (const byte of encoder.encode(`${calculate(await request(stream))}\n`)) {
      await send(stream, Uint8Array.of(byte));
    }
  }),
  tcp("answers in halves, with a rest between", "ok", async (stream) => {
    const reply = calculate(await request(stream));
    await send(stream, reply.slice(0, 20));
    await pause(250);
    await send(stream, `${reply.slice(20)}\n`);
  }),
  tcp("answers, then closes without a line end", "ok", async (stream) => {
    await send(stream, calculate(await request(stream)));
  }),
  tcp("is silent", "silent", () => forever),
  tcp("reads and is silent", "silent", async (stream) => {
    await request(stream);
    await forever;
  }),
  tcp("closes at once", "closed", () => Promise.resolve()),
  tcp("closes after the request", "closed", async (stream) => {
    await request(stream);
  }),
  tcp("resets at once", "reset", (stream) => {
    stream.reset?.();
    return Promise.resolve();
  }),
  tcp("resets after the request", "reset", async (stream) => {
    await request(stream);
    stream.reset?.();
  }),
  tcp("resets within the reply", "reset", async (stream) => {
    await send(stream, calculate(await request(stream)).slice(0, 12));
    await pause(20); // lets the bytes leave before the reset discards them
    stream.reset?.();
  }),
  tcp("closes within the reply", "closed", async (stream) => {
    await send(stream, calculate(await request(stream)).slice(0, 12));
  }),
  tcp("falls silent within the reply", "silent", async (stream) => {
    await send(stream, calculate(await request(stream)).slice(0, 12));
    await forever;
  }),
  tcp("sends bytes without an end until it is late", "silent", async (stream) => {
    const reply = calculate(await request(stream));
    for (const byte of encoder.encode(reply).subarray(0, 50)) {
      await send(stream, Uint8Array.of(byte));
      await pause(30);
    }
    await forever;
  }),
  tcp("sends garbage", "wrong", async (stream) => {
    await request(stream);
    await send(stream, Uint8Array.of(0xff, 0xfe, 0x00, 0x0a));
    await forever;
  }),
  tcp("speaks HTTP", "wrong", async (stream) => {
    await request(stream);
    await send(stream, HTTP);
  }),
  tcp("greets as SSH does", "wrong", async (stream) => {
    await send(stream, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    await forever;
  }),
  tcp("echoes", "wrong", answering((text) => `${text}\n`)),
  tcp("has a canned reply", "wrong", answering(() => "Sum of 10 and 20 is 30\n")),
  tcp("has a stale reply", "wrong", async (stream, peer) => {
    const text = await request(stream);
    await send(stream, `${calculate(peer.previous)}\n`);
    (peer as { previous: string }).previous = text;
  }),
  tcp("is off by one", "wrong", answering((text) => `${offByOne(text)}\n`)),
  tcp(
    "computes with 53 bits",
    "wrong",
    answering((text) => {
      const [a, b] = text.split(" ");
      return `Sum of ${a} and ${b} is ${Number(a) + Number(b)}\n`;
    }),
  ),
  tcp("answers with an error", "wrong", answering(() => "Error: server is full\n")),
  tcp("sends without an end", "wrong", async (stream) => {
    const chunk = new Uint8Array(65_536).fill(0x78);
    while (true) await send(stream, chunk);
  }),
  ...(Deno.build.os === "linux"
    ? [{
      name: "has a full accept queue",
      protocol: "tcp",
      verdict: "dropped",
      start: startFullQueue,
    }] as const
    : []),
  {
    name: "is not there",
    protocol: "tcp",
    verdict: "refused",
    start: startNobody,
  },
];

function web(name: string, verdict: Verdict, answer: string): Peer {
  return {
    ...tcp(name, verdict, async (stream) => {
      await stream.read(new Uint8Array(4_096));
      await send(stream, answer);
    }),
    scheme: "http",
  };
}

/** How web servers behave. */
export const webPeers: readonly Peer[] = [
  web("is a web server", "ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready"),
  web("is a web server that is not ready", "wrong", "HTTP/1.1 503 Not ready\r\n\r\n"),
  web(
    "is a web server whose answer is cut",
    "closed",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nrea",
  ),
];

/** How servers behave whose question is in the flags of a probe. */
export const flaggedPeers: readonly Peer[] = [
  {
    ...tcp("answers a binary request with another byte", "wrong", async (stream) => {
      await stream.read(new Uint8Array(8));
      await send(stream, "N");
      await forever;
    }),
    flags: ["--send", "\\x00\\x00\\x00\\x08\\x04\\xd2\\x16\\x2f", "--reply", "S"],
  },
  {
    ...tcp("requires a PROXY header", "ok", async (stream) => {
      const [header = "", ...lines] = (await request(stream)).split("\r\n");
      if (!/^PROXY TCP[46] /.test(header)) return;
      await send(stream, `${calculate(lines[0] ?? await request(stream))}\n`);
      await forever;
    }),
    flags: ["--proxy-protocol", "v1"],
  },
  {
    ...tcp("takes a PROXY header for a request", "wrong", answering((text) => `Error: ${text}\n`)),
    flags: ["--proxy-protocol", "v1"],
  },
];

/** How servers behave that should speak TLS. */
export const tlsPeers: readonly Peer[] = [
  {
    ...tcp("speaks plain text instead of TLS", "wrong", async (stream) => {
      await send(stream, "220 mail ESMTP\r\n");
      await forever;
    }),
    scheme: "tls",
  },
  ...(tool("openssl").isMet()
    ? [{
      name: "has an expired certificate",
      protocol: "tcp",
      scheme: "tls",
      verdict: "untrusted",
      start: startExpired,
    }] as const
    : []),
];

/** A TLS server whose certificate expired yesterday; otherwise it answers rightly. */
async function startExpired(hostname: string): Promise<RunningPeer> {
  await using made = await Certificates.make();
  await made.add("expired", `IP:${hostname}`, [-30, -1]);
  const [cert, key] = await Promise.all(
    ["pem", "key"].map((kind) => Deno.readTextFile(`${made.folder}/expired.${kind}`)),
  );
  const listener = Deno.listenTls({ hostname, port: 0, cert: cert ?? "", key: key ?? "" });
  const accepting = (async () => {
    while (true) {
      const conn = await listener.accept().catch(() => undefined);
      if (conn === undefined) return;
      await conn.handshake().catch(() => {});
      conn.close();
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}

/** A lab that misbehaves. Its replies have a line end, so one without was cut. */
function lab(
  name: string,
  verdict: Verdict,
  serve: (stream: Stream, reply: string) => Promise<void>,
): Peer {
  return {
    ...tcp(name, verdict, async (stream) => {
      const [, nonce = ""] = (await request(stream)).split(" ");
      await serve(stream, `${nonce} west-1 at 10.0.0.3:4050, you are 10.0.0.9:51234`);
    }),
    service: "lab",
  };
}

/** How labs behave. */
export const labPeers: readonly Peer[] = [
  lab("answers", "ok", (stream, reply) => send(stream, `${reply}\n`)),
  lab("answers with CRLF, in two pieces", "ok", async (stream, reply) => {
    await send(stream, reply);
    await pause(250);
    await send(stream, "\r\n");
  }),
  ...([[1, "its line end"], [12, "its last address"]] as const).flatMap(([missing, part]) => [
    lab(
      `closes before ${part}`,
      "closed",
      (stream, reply) => send(stream, reply.slice(0, 1 - missing || undefined)),
    ),
    lab(`falls silent before ${part}`, "silent", async (stream, reply) => {
      await send(stream, reply.slice(0, 1 - missing || undefined));
      await forever;
    }),
    lab(`resets before ${part}, after a while`, "reset", async (stream, reply) => {
      await send(stream, reply.slice(0, 1 - missing || undefined));
      await pause(300);
      stream.reset?.();
    }),
  ]),
];

/** A listener that accepts nothing, with a full queue. */
export async function startFullQueue(hostname: string): Promise<RunningPeer> {
  const listener = Deno.listen({ hostname, port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const over = new AbortController();
  const connect = () => Deno.connect({ hostname, port, signal: over.signal });
  // Two fit (Linux keeps one more than requested); the others keep trying.
  const waiting = Array.from({ length: 8 }, connect);
  const settled = Promise.allSettled(waiting);
  let connected = 0;
  for (const attempt of waiting) attempt.then(() => connected++, () => {});
  await until(() => connected >= 2, "the queue is full");
  return {
    port,
    async [Symbol.asyncDispose]() {
      over.abort();
      for (const it of await settled) if (it.status === "fulfilled") it.value.close();
      listener.close();
    },
  };
}

/** A port without a listener: a client uses it, so that no other program gets it meanwhile. */
export async function startNobody(hostname: string): Promise<RunningPeer> {
  const listener = Deno.listen({ hostname, port: 0 });
  const [client, server] = await Promise.all([
    Deno.connect({ hostname, port: listener.addr.port }),
    listener.accept(),
  ]);
  listener.close();
  return {
    port: client.localAddr.port,
    [Symbol.asyncDispose]() {
      client.close();
      server.close();
      return Promise.resolve();
    },
  };
}

/** What a peer does with each datagram. */
export type Receive = (
  text: string,
  reply: (data: string | Uint8Array) => Promise<unknown>,
  elsewhere: (data: string) => Promise<unknown>,
) => Promise<unknown> | void;

function udp(name: string, verdict: Verdict, receive: Receive): Peer {
  return { name, protocol: "udp", verdict, start: (hostname) => startDatagrams(hostname, receive) };
}

/** Answers each datagram until the scope ends. */
export function startDatagrams(hostname: string, receive: Receive): Promise<RunningPeer> {
  const bind = () => Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const [socket, other] = [bind(), bind()];
  const receiving = (async () => {
    while (true) {
      const received = await socket.receive().catch(() => undefined);
      if (received === undefined) return;
      const [bytes, from] = received;
      const sendFrom = (it: Deno.DatagramConn) => (data: string | Uint8Array) =>
        it.send(typeof data === "string" ? encoder.encode(data) : data, from).catch(() => {});
      await receive(decoder.decode(bytes).trimEnd(), sendFrom(socket), sendFrom(other));
    }
  })();
  return Promise.resolve({
    port: (socket.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      socket.close();
      other.close();
      await receiving;
    },
  });
}

/** How peers over UDP behave. */
export const udpPeers: readonly Peer[] = [
  udp("answers", "ok", (text, reply) => reply(`${calculate(text)}\n`)),
  udp("answers without a line end", "ok", (text, reply) => reply(calculate(text))),
  udp("answers twice", "ok", async (text, reply) => {
    await reply(`${calculate(text)}\n`);
    await reply(`${calculate(text)}\n`);
  }),
  udp("answers after a stranger", "ok", async (text, reply, elsewhere) => {
    await elsewhere(`${offByOne(text)}\n`);
    await reply(`${calculate(text)}\n`);
  }),
  udp("is silent", "silent", () => {}),
  udp(
    "answers from another port",
    "silent",
    (text, _, elsewhere) => elsewhere(`${calculate(text)}\n`),
  ),
  udp("answers with half a reply", "wrong", (text, reply) => reply(calculate(text).slice(0, 12))),
  udp("answers with an empty datagram", "wrong", (_, reply) => reply("")),
  udp("echoes", "wrong", (text, reply) => reply(`${text}\n`)),
  udp("sends garbage", "wrong", (_, reply) => reply(Uint8Array.of(0xff, 0xfe))),
  udp("has a canned reply", "wrong", (_, reply) => reply("Sum of 10 and 20 is 30\n")),
  udp("is off by one", "wrong", (text, reply) => reply(`${offByOne(text)}\n`)),
  {
    name: "is not there",
    protocol: "udp",
    verdict: "silent", // Deno's UDP does not report ICMP errors
    start: startNobody, // no datagram socket has that port
  },
];
