/** How a datagram forwarder breaks the rules; by default it keeps them all. */
export interface DatagramBreaks {
  /** What to send to the server for a datagram, which is numbered from 0 for each client. */
  up?(bytes: Uint8Array, number: number): readonly Uint8Array[];
  /** What to send to a client for a datagram, which is numbered from 0 for each client. */
  down?(bytes: Uint8Array, number: number): readonly Uint8Array[];
  /** Milliseconds after which a client without datagrams is forgotten. */
  readonly forgets?: number;
  /** Whether replies go to the client that sent last. */
  readonly mixes?: boolean;
}

interface Client {
  readonly address: Deno.Addr;
  /** The socket towards the server, one per client. */
  readonly socket: Deno.DatagramConn;
  requests: number;
  replies: number;
  lastAt: number;
}

/** A datagram forwarder that breaks rules as configured. */
export class DatagramForwarder implements Disposable {
  readonly port: number;
  readonly #listener: Deno.DatagramConn;
  readonly #server: Deno.NetAddr;
  readonly #breaks: DatagramBreaks;
  readonly #clients = new Map<string, Client>();
  #last: Client | undefined;

  constructor(serverPort: number, breaks: DatagramBreaks = {}, hostname = "127.0.0.1") {
    this.#listener = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#server = { transport: "udp", hostname, port: serverPort };
    this.#breaks = breaks;
    this.#passUp();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const { socket } of this.#clients.values()) socket.close();
  }

  async #passUp(): Promise<void> {
    const { up = (bytes) => [bytes] } = this.#breaks;
    await receiveAll(this.#listener, async (bytes, address) => {
      const client = this.#clientAt(address as Deno.NetAddr);
      client.lastAt = performance.now();
      this.#last = client;
      for (const passed of up(bytes, client.requests++)) {
        await client.socket.send(passed, this.#server);
      }
    });
  }

  async #passDown(client: Client): Promise<void> {
    const { down = (bytes) => [bytes], forgets = Infinity, mixes } = this.#breaks;
    await receiveAll(client.socket, async (bytes) => {
      if (performance.now() - client.lastAt > forgets) return;
      const { address } = mixes && this.#last !== undefined ? this.#last : client;
      for (const passed of down(bytes, client.replies++)) {
        await this.#listener.send(passed, address);
      }
    });
  }

  #clientAt(address: Deno.NetAddr): Client {
    const known = this.#clients.get(String(address.port));
    if (known !== undefined) return known;
    const { hostname } = this.#server;
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    const client = { address, socket, requests: 0, replies: 0, lastAt: 0 };
    this.#clients.set(String(address.port), client);
    this.#passDown(client);
    return client;
  }
}

async function receiveAll(
  socket: Deno.DatagramConn,
  take: (bytes: Uint8Array, from: Deno.Addr) => Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    while (true) {
      const [bytes, from] = await socket.receive(buffer);
      await take(bytes.slice(), from);
    }
  } catch {
    // It is closed.
  }
}
