import { assertEquals, assertNotEquals } from "@std/assert";
import type { SocketEvent } from "../../sockets/socket_events.ts";

const READ_TIMEOUT_MS = 60_000;

/** A pool of read buffers, so that a thousand connections do not need one each. */
const buffers: Uint8Array<ArrayBuffer>[] = [];

/** A TCP connection that tests write text to and read text from. */
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

  /** The text of one read. */
  async receive(): Promise<string> {
    const buffer = buffers.pop() ?? new Uint8Array(65_536);
    try {
      const count = await this.#read(buffer);
      return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    } finally {
      buffers.push(buffer);
    }
  }

  /** Everything received until the given number of lines is complete, or the stream ends. */
  async receiveLines(count: number): Promise<string[]> {
    let text = "";
    let missing = count;
    const decoder = new TextDecoder();
    const buffer = buffers.pop() ?? new Uint8Array(65_536);
    try {
      while (missing > 0) {
        const read = await this.#read(buffer);
        if (read === null) break;
        const part = decoder.decode(buffer.subarray(0, read), { stream: true });
        missing -= part.split("\n").length - 1;
        text += part;
      }
    } finally {
      buffers.push(buffer);
    }
    return text.replace(/\n$/, "").split("\n");
  }

  /** Everything received until the peer ends the stream; then closes the connection. */
  async receiveAll(): Promise<string> {
    let text = "";
    const decoder = new TextDecoder();
    const buffer = buffers.pop() ?? new Uint8Array(65_536);
    try {
      for (let count = await this.#read(buffer); count !== null; count = await this.#read(buffer)) {
        text += decoder.decode(buffer.subarray(0, count), { stream: true });
      }
      return text + decoder.decode();
    } finally {
      buffers.push(buffer);
      this[Symbol.dispose]();
    }
  }

  /** @throws {Error} after a minute without a byte, so that a test fails rather than hangs. */
  async #read(buffer: Uint8Array): Promise<number | null> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this[Symbol.dispose]();
    }, READ_TIMEOUT_MS);
    try {
      return await this.conn.read(buffer);
    } catch (error) {
      throw late ? new Error("nothing was received for a minute", { cause: error }) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.conn[Symbol.dispose]();
  }
}

/** Reads and writes that Deno's runtime completes in one turn of its event loop (Tokio's task budget). */
export const TURN = 128;

/** A client that keeps sending requests to a calculator and never reads. */
export class FloodingConnection implements Disposable {
  /** More requests than the kernel's buffers hold, even counting their answers. */
  static #requests: Uint8Array | undefined;
  readonly #connection: TestConnection;
  /** Whether the flood still goes on: the server has neither read it all nor cut the connection. */
  open = true;
  /** Resolves once the flood is over. */
  readonly flood: Promise<void>;

  private constructor(connection: TestConnection) {
    this.#connection = connection;
    const requests = FloodingConnection.#requests ??= new TextEncoder().encode(
      "1 1 +\n".repeat(4_000_000),
    );
    this.flood = connection.send(requests).catch(() => {}).finally(() => this.open = false);
  }

  static async open(port: number): Promise<FloodingConnection> {
    return new FloodingConnection(await TestConnection.open(port));
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

/**
 * Waits for the answer to `10 20 +`, which was just sent to a server in this process.
 *
 * @param calls The calls that the server's trace collects.
 * @returns how many calls the server made on other sockets before it answered.
 */
export async function callsBeforeAnswer(
  connection: TestConnection,
  calls: readonly SocketEvent[],
): Promise<number> {
  const { port } = connection.conn.localAddr;
  const sent = calls.length;
  assertEquals(await connection.receive(), "Sum of 10 and 20 is 30\n");
  const count = calls.slice(sent).findIndex(({ call, remote }) =>
    call === "send" && remote !== undefined && "port" in remote && remote.port === port
  );
  assertNotEquals(count, -1, "the answer is in the trace");
  return count;
}

/** Asserts that a new client gets its answer. */
export async function probe(port: number): Promise<void> {
  using connection = await TestConnection.open(port);
  await connection.send("10 20 +\n");
  assertEquals(await connection.receive(), "Sum of 10 and 20 is 30\n");
}
