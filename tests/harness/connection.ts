import { assertEquals } from "@std/assert";

/** A TCP connection that tests write to and read from in plain words. */
export class TestConnection implements Disposable {
  readonly conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  static async open(port: number, hostname = "127.0.0.1"): Promise<TestConnection> {
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay();
    return new TestConnection(conn);
  }

  async send(data: string | Uint8Array): Promise<void> {
    let bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (bytes.length > 0) bytes = bytes.subarray(await this.conn.write(bytes));
  }

  /** What comes in one read. */
  async receive(): Promise<string> {
    const buffer = new Uint8Array(65_536);
    const count = await this.conn.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  }

  /** All that comes until so many lines have come, or the end. */
  async receiveLines(count: number): Promise<string[]> {
    let text = "";
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    while (text.split("\n").length <= count) {
      const read = await this.conn.read(buffer);
      if (read === null) break;
      text += decoder.decode(buffer.subarray(0, read), { stream: true });
    }
    return text.replace(/\n$/, "").split("\n");
  }

  /** All that comes until the peer ends the stream. */
  async receiveAll(): Promise<string> {
    return await new Response(this.conn.readable).text();
  }

  [Symbol.dispose](): void {
    this.conn[Symbol.dispose]();
  }
}

/** A client that asks and must be answered, at once. */
export async function probe(port: number): Promise<void> {
  using connection = await TestConnection.open(port);
  await connection.send("10 20 +\n");
  assertEquals(await connection.receive(), "Sum of 10 and 20 is 30\n");
}
