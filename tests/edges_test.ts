/** Edge cases: awkward input, output and peers. */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import {
  netdemo,
  netdemoCommand,
  Process,
  pythonTest,
  startServer,
  TestConnection,
  testWith,
  unix,
} from "./harness/mod.ts";

/** A peer that does one thing with each connection, and its port. */
function peer(act: (conn: Deno.TcpConn) => Promise<void>): Disposable & { readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    while (true) {
      const conn = await listener.accept().catch(() => undefined);
      if (conn === undefined) return;
      await act(conn).catch(() => {});
      conn[Symbol.dispose]();
    }
  })();
  return {
    port: listener.addr.port,
    [Symbol.dispose]() {
      listener.close();
      void serving;
    },
  };
}

async function write(conn: Deno.TcpConn, text: string): Promise<void> {
  await conn.write(new TextEncoder().encode(text));
}

Deno.test("a line that servers ignore is not sent, so every answer matches its line", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const input = "1 2 +\r\n\r\n\r\r\n\n3 4 +\r\n";
  const { code, stdout } = await netdemo(["calc-client", "--port", String(port)], input);
  assertEquals({ code, stdout }, { code: 0, stdout: "Sum of 1 and 2 is 3\nSum of 3 and 4 is 7\n" });
});

Deno.test("the lines before an invalid UTF-8 line are answered", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const input = new Uint8Array([...new TextEncoder().encode("1 2 +\n"), 0xff, 0x0a]);
  const { code, stdout, stderr } = await netdemo(["calc-client", "--port", String(port)], input);
  assertEquals({ code, stdout }, { code: 2, stdout: "Sum of 1 and 2 is 3\n" });
  assertMatch(stderr, /^netdemo: USAGE: a line of input is not UTF-8 text\n/);
});

testWith([unix], "unreadable input is reported as such, and not blamed on stdout", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const args = ["calc-client", "--port", String(port)];
  await using client = new Process(["sh", "-c", '"$@" < /', "sh", ...netdemoCommand, ...args]);
  const { code, stderr } = await client.ended();
  assertEquals(code, 1);
  assertMatch(stderr, /^netdemo: ERROR: cannot read stdin: .*\nhint: /);
});

Deno.test("hello-client fails at a server that is full", async () => {
  const { process, port } = await startServer(["message-server", "--max-connections", "1"]);
  await using _process = process;
  using holder = await TestConnection.open(port);
  await holder.send("Hello\n");
  await holder.receive();
  const { code, stderr } = await netdemo(["hello-client", "--port", String(port)]);
  assertEquals(code, 1);
  assertMatch(stderr, /^netdemo: ERROR: the server answered 'Error: server is full'\nhint: /);
});

Deno.test("hello-client quotes at most a line of what a server sends", async () => {
  using server = peer((conn) => write(conn, `Error: ${"no ".repeat(3_000)}\n`));
  const args = ["hello-client", "--host=127.0.0.1", "--port", String(server.port)];
  const { code, stderr } = await netdemo(args);
  assertEquals(code, 1);
  assertMatch(stderr, /^netdemo: ERROR: the server answered 'Error: no no [no ]*\.\.\.'\nhint: /);
  assertLess(stderr.length, 500);
});

Deno.test("hello-client succeeds if the server closes, sends a greeting or sends nothing", async () => {
  const acts: ((conn: Deno.TcpConn) => Promise<void>)[] = [
    () => Promise.resolve(),
    (conn) => write(conn, "220 welcome\r\n"),
    async (conn) => void await conn.read(new Uint8Array(1)),
  ];
  for (const act of acts) {
    using server = peer(act);
    const args = ["hello-client", "--host=127.0.0.1", "--port", String(server.port)];
    const { code, stderr } = await netdemo(args);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  }
});

Deno.test("an answer cut off by the end of the stream is CLOSED, a wrong answer is ERROR", async () => {
  const table: [reply: string, code: number, stderr: RegExp][] = [
    ["Sum o", 14, /^netdemo: CLOSED: .* closed the connection before the reply was whole\n/],
    ["Sum of 10 and 20 is 3", 14, /^netdemo: CLOSED: /],
    ["Sum of 10 and 20 is 31", 1, /^netdemo: ERROR: /],
    ["Sum of 10 and 20 is 3\n", 1, /^netdemo: ERROR: /],
  ];
  for (const [reply, code, stderr] of table) {
    using server = peer(async (conn) => {
      await conn.read(new Uint8Array(1_024));
      await write(conn, reply);
    });
    const where = ["--host=127.0.0.1", "--port", String(server.port)];
    const ended = await netdemo(["calc-client", ...where, "10", "20", "+"]);
    assertMatch(ended.stderr, stderr);
    assertEquals(ended.code, code, reply);
  }
});

const slowReader = `
import fcntl, os, subprocess, sys, time
read, write = os.pipe()
fcntl.fcntl(write, fcntl.F_SETFL, fcntl.fcntl(write, fcntl.F_GETFL) | os.O_NONBLOCK)
child = subprocess.Popen(sys.argv[1:], stdout=write)
os.close(write)
time.sleep(0.5) # so that the pipe is full
lines = 0
while chunk := os.read(read, 65536):
    lines += chunk.count(b"\\n")
print(lines, child.wait())
`;

pythonTest("a non-blocking pipe with a slow reader loses no answer", async (python) => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const args = ["calc-client", "--port", String(port)];
  const command = [python, "-c", slowReader, ...netdemoCommand, ...args];
  await using client = new Process(command, { stdin: "piped" });
  await client.input("10 20 +\n".repeat(20_000));
  assertEquals((await client.ended()).stdout, "20000 0\n");
});
