import { delay } from "@std/async/delay";
import { netdemoCommand, Process } from "./process.ts";
import { TestConnection } from "./connection.ts";

/** Milliseconds that a server has to notice that it is full. */
const FILL_MS = 1_500;

/** How clients arrive; "at once" they wait in the kernel's queue when the server first looks. */
export type Arrival = "in a burst" | "one after another" | "half each" | "at once";

/** A server that is to run out of descriptors. */
export interface Crowded {
  readonly name: string;
  readonly args: readonly string[];
  /** Whether it needs a calc-server behind it. */
  readonly relays?: boolean;
  /** What to ask at which of its ports, by a pattern of the line that names it, to be answered. */
  readonly asks: readonly {
    readonly port: RegExp;
    readonly request: string;
    readonly reply: RegExp;
    readonly udp?: boolean;
  }[];
}

const calc = { request: "1 2 +\n", reply: /^Sum of 1 and 2 is 3\n$/ };
const any = ["--host", "127.0.0.1", "--port", "0"];
const listening = /Listening on 127\.0\.0\.1:(\d+)/;
const page = {
  port: /http:\/\/127\.0\.0\.1:(\d+)/,
  request: "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n",
  reply: /^HTTP\/1\.1 200 /,
};

/** Every kind of server; clients crowd the port that it asks first. */
export const crowded: readonly Crowded[] = [
  { name: "calc-server", args: ["calc-server", ...any], asks: [{ port: listening, ...calc }] },
  {
    name: "lab-server",
    args: ["lab-server", ...any],
    asks: [{ port: listening, request: "echo Hi\n", reply: /^Hi\n$/ }],
  },
  {
    name: "serve",
    args: ["serve", "calc:0", "lab:0", "--host", "127.0.0.1"],
    asks: [
      { port: /calc: Listening on 127\.0\.0\.1:(\d+)/, ...calc },
      {
        port: /lab: Listening on 127\.0\.0\.1:(\d+)/,
        request: "echo Hi\n",
        reply: /^Hi\n$/,
      },
    ],
  },
  {
    name: "serve, lab first",
    args: ["serve", "calc:0", "lab:0", "--host", "127.0.0.1"],
    asks: [
      { port: /lab: Listening on 127\.0\.0\.1:(\d+)/, request: "echo Hi\n", reply: /^Hi\n$/ },
      { port: /calc: Listening on 127\.0\.0\.1:(\d+)/, ...calc },
    ],
  },
  {
    name: "relay",
    args: ["relay", ...any, "--quiet"],
    relays: true,
    asks: [{ port: listening, ...calc }],
  },
  {
    name: "relay --udp",
    args: ["relay", "--udp", ...any, "--quiet"],
    relays: true,
    asks: [{ port: listening, ...calc, udp: true }],
  },
  {
    name: "calc-server --page",
    args: ["calc-server", ...any, "--page"],
    asks: [{ port: listening, ...calc }, page],
  },
  {
    name: "relay --page",
    args: ["relay", ...any, "--page"],
    relays: true,
    asks: [{ port: listening, ...calc }, page],
  },
  {
    name: "the page of calc-server",
    args: ["calc-server", ...any, "--page"],
    asks: [page, { port: listening, ...calc }],
  },
];

/** What came of a crowd. */
export interface Outcome {
  /** Milliseconds from the leaving of the crowd until each port had answered 20 clients. */
  readonly answeredMs: number;
  /** Times that the server said that it is full, and that it goes on. */
  readonly notices: readonly [number, number];
  readonly code: number;
  readonly stderr: string;
}

/**
 * Has more clients come to a server than it has descriptors for, and leave; then asks it.
 *
 * @param limit Open files that it may have; `undefined` for as many as this host allows.
 * @param count Clients that come.
 */
export async function crowdOut(
  server: Crowded,
  limit: number | undefined,
  count: number,
  arrival: Arrival,
): Promise<Outcome> {
  await using backend = server.relays ? await startBackend(server) : undefined;
  await using process = new Process([
    ...limited(limit),
    ...server.args,
    ...backend === undefined ? [] : [`127.0.0.1:${backend.port}`],
  ]);
  const ports: number[] = [];
  for (const { port } of server.asks) {
    const printed = await Promise.race([process.printed(port), process.reported(port)]);
    ports.push(Number(printed[1]));
  }
  const [first] = server.asks;
  const crowd = first?.udp ? datagramCrowd : streamCrowd;
  if (arrival === "at once") process.kill("SIGSTOP");
  const leave = await crowd(ports[0] ?? 0, count, arrival);
  process.kill("SIGCONT");
  // A server that has room for all says nothing.
  const filled = new AbortController();
  await Promise.race([
    process.reported(/no more sockets may be opened/),
    delay(FILL_MS, filled).catch(() => {}),
  ]);
  filled.abort();
  leave();
  const leftAt = performance.now();
  await Promise.all(server.asks.map(async (ask, index) => {
    const port = ports[index] ?? 0;
    for (let client = 0; client < 20; client++) await (ask.udp ? askUdp : askOne)(port, ask);
  }));
  const answeredMs = performance.now() - leftAt;
  const { code, stderr } = await process.stop();
  const times = (text: string): number => stderr.split(text).length - 1;
  return {
    answeredMs,
    notices: [times("no more sockets may be opened"), times("are accepted again")],
    code,
    stderr,
  };
}

type Ask = Crowded["asks"][number];

/** The command with a limit on its open files. */
export function limited(limit: number | undefined): readonly string[] {
  return limit === undefined
    ? netdemoCommand
    : ["sh", "-c", `ulimit -n ${limit}; exec "$@"`, "sh", ...netdemoCommand];
}

async function startBackend(server: Crowded): Promise<AsyncDisposable & { readonly port: string }> {
  const udp = server.asks[0]?.udp ? ["--udp"] : [];
  const process = new Process([...netdemoCommand, "calc-server", ...any, ...udp]);
  const [, port = ""] = await process.printed(listening);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await process.stop();
    },
  };
}

/** Opens connections that stay open; returns what closes them. */
async function streamCrowd(port: number, count: number, arrival: Arrival): Promise<() => void> {
  const open: Deno.Conn[] = [];
  const late = new AbortController();
  const connect = async (): Promise<void> => {
    // The kernel's queue may be full, or the server reset those that it can't hold.
    const conn = await Deno.connect({ port, hostname: "127.0.0.1", signal: late.signal })
      .catch(() => {});
    if (conn !== undefined) open.push(conn);
  };
  const inBurst = arrival === "one after another" ? 0 : arrival === "half each" ? count / 2 : count;
  const burst = Promise.all(Array.from({ length: inBurst }, connect));
  const timer = setTimeout(() => late.abort(), 3_000);
  await burst;
  for (let alone = inBurst; alone < count && !late.signal.aborted; alone++) await connect();
  clearTimeout(timer);
  return () => {
    for (const conn of open) conn.close();
  };
}

/** Sends a datagram from each of many sockets; returns what closes them. */
async function datagramCrowd(port: number, count: number, arrival: Arrival): Promise<() => void> {
  const sockets = Array.from(
    { length: count },
    () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
  );
  const bytes = new TextEncoder().encode(calc.request);
  for (const [index, socket] of sockets.entries()) {
    const sending = socket.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
    if (arrival === "one after another" || index % 2 === 0) await sending;
  }
  return () => {
    for (const socket of sockets) socket.close();
  };
}

async function askOne(port: number, { request, reply }: Ask): Promise<void> {
  using client = await TestConnection.open(port);
  await client.send(request.replace("PORT", String(port)));
  const received = await client.receive();
  if (!reply.test(received)) throw new Error(`'${received}' is no answer`);
}

async function askUdp(port: number, { request, reply }: Ask): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const timer = setTimeout(() => socket.close(), 5_000);
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  await socket.send(new TextEncoder().encode(request), to);
  const [bytes] = await socket.receive();
  clearTimeout(timer);
  socket.close();
  const received = new TextDecoder().decode(bytes);
  if (!reply.test(received)) throw new Error(`'${received}' is no answer`);
}
