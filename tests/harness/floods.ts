import { Process, python, silence, startServer, TestConnection } from "./mod.ts";

/** What a client sends without a pause, and to which server. */
export interface Flood {
  readonly name: string;
  readonly server: readonly string[];
  /** Sent repeatedly: whole lines, or bytes without a line end. */
  readonly bytes: Uint8Array;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const digits = "9".repeat(32_000);

/** Each once delayed all other clients by a second or more. */
export const floods: readonly Flood[] = [
  { name: "sums", server: ["calc-server"], bytes: encode("10 20 +\n") },
  { name: "errors", server: ["calc-server"], bytes: encode("x\n") },
  { name: "errors, as JSON", server: ["calc-server", "--json"], bytes: encode("x\n") },
  { name: "messages", server: ["message-server"], bytes: encode("Hello Server HBD\n") },
  { name: "empty lines", server: ["calc-server"], bytes: encode("\n") },
  { name: "invalid UTF-8", server: ["calc-server"], bytes: new Uint8Array([0xff, 0x0a]) },
  {
    name: "invalid UTF-8 in long requests",
    server: ["message-server", "--max-request", "1000000"],
    bytes: new Uint8Array([...new Uint8Array(200_000).fill(0xff), 0x0a]),
  },
  {
    name: "control characters, in long requests",
    server: ["message-server", "--max-request", "1000000"],
    bytes: new Uint8Array([...new Uint8Array(100_000).fill(0x01), 0x0a]),
  },
  { name: "lab's errors", server: ["lab-server"], bytes: encode("x\n") },
  { name: "lab's garbage", server: ["lab-server"], bytes: encode("garbage\n") },
  { name: "lab's megabytes", server: ["lab-server"], bytes: encode("bytes 1048576\n") },
  { name: "lab's echoes", server: ["lab-server"], bytes: encode(`echo ${"x".repeat(60_000)}\n`) },
  { name: "long products", server: ["calc-server"], bytes: encode(`${digits} ${digits} *\n`) },
];

/** A server and a process that floods it. They end with their scope. */
export class Flooded implements AsyncDisposable {
  readonly server: Process;
  readonly port: number;
  readonly #flooding: Process;

  private constructor(server: Process, port: number, flooding: Process) {
    this.server = server;
    this.port = port;
    this.#flooding = flooding;
  }

  static async start(
    { server, bytes }: Flood,
    connections = 1,
    flags: readonly string[] = [],
  ): Promise<Flooded> {
    const { process, port } = await startServer([...server, ...flags]);
    const script = `${import.meta.dirname}/flood.py`;
    const args = [String(port), String(connections)];
    const flooding = new Process([python(), script, ...args], { stdin: "piped" });
    await flooding.write(`${bytes.toHex()}\n`);
    await flooding.printed(/flooding/);
    process.stallStdout(); // its lines are dropped, as nothing reads them
    return new Flooded(process, port, flooding);
  }

  /** Asks now and then for the given time; returns the milliseconds each answer took, longest first. */
  async waits(milliseconds: number): Promise<number[]> {
    using connection = await TestConnection.open(this.port);
    const waits: number[] = [];
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {
      const asked = performance.now();
      await connection.send("10 20 +\n");
      await connection.receiveLines(1);
      waits.push(performance.now() - asked);
      await silence(10);
    }
    return waits.sort((one, other) => other - one);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flooding[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}
