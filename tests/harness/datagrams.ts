/** A test's UDP socket, closed with its scope. */
export class TestSocket implements Disposable {
  readonly socket: Deno.DatagramConn;
  readonly #hostname: string;
  #closed = false;
  readonly #buffer = new Uint8Array(65_536);

  /** @param hostname The address of the socket and of its peers. */
  constructor(hostname = "127.0.0.1") {
    this.#hostname = hostname;
    this.socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  }

  async send(port: number, data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    await this.socket.send(bytes, { transport: "udp", hostname: this.#hostname, port });
  }

  async receive(): Promise<string> {
    const [bytes] = await this.socket.receive(this.#buffer);
    return new TextDecoder().decode(bytes);
  }

  async ask(port: number, data: string | Uint8Array): Promise<string> {
    await this.send(port, data);
    return await this.receive();
  }

  /** Asks until an answer arrives: the system drops datagrams that a busy server does not read. */
  async askAgain(port: number, data: string): Promise<string> {
    const again = setInterval(() => this.send(port, data), 100);
    try {
      return await this.ask(port, data);
    } finally {
      clearInterval(again);
    }
  }

  get port(): number {
    return (this.socket.addr as Deno.NetAddr).port;
  }

  /** May be called twice. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.socket.close();
    this.#closed = true;
  }
}
