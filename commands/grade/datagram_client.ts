const encoder = new TextEncoder();

/** A datagram and where it came from. */
export interface Received {
  readonly bytes: Uint8Array;
  readonly from: Deno.NetAddr;
}

/** A client's socket. It keeps datagrams until they are received. */
export class DatagramClient implements Disposable {
  readonly #socket: Deno.DatagramConn;
  readonly #received: Received[] = [];
  #changed = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(hostname: string, port = 0) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    void this.#receiveAll();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async send(data: string | Uint8Array, hostname: string, port: number): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    // Windows reports here that an earlier datagram was refused.
    await this.#socket.send(bytes, { transport: "udp", hostname, port }).catch(() => 0);
  }

  /** Returns the next datagram, if one arrives within this many milliseconds. */
  async receive(milliseconds: number): Promise<Received | undefined> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, milliseconds);
    while (this.#received.length === 0 && !late && !this.#isClosed) await this.#changed.promise;
    clearTimeout(timer);
    return this.#received.shift();
  }

  /** May be called twice. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
    this.#wake();
  }

  async #receiveAll(): Promise<void> {
    while (true) {
      try {
        const [bytes, from] = await this.#socket.receive(new Uint8Array(65_536));
        this.#received.push({ bytes, from: from as Deno.NetAddr });
        this.#wake();
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionReset)) return;
      }
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
