import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { getAvailablePort } from "@std/net";
import {
  type Ended,
  ipv6,
  nameServer,
  namespaces,
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Process,
  pythonTest,
  run,
  silence,
  startServer,
  testWith,
  until,
} from "./harness/mod.ts";
import { terminal } from "./harness/terminal.ts";

/** A peer that treats each connection as the test says. */
function startPeer(
  serve: (conn: Deno.TcpConn) => Promise<void>,
): AsyncDisposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running = new Set<Promise<void>>();
  const open = new Set<Deno.TcpConn>();
  const accepting = (async () => {
    while (true) {
      const conn = await listener.accept().catch(() => undefined);
      if (conn === undefined) return;
      open.add(conn);
      running.add(serve(conn).catch(() => {}));
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of open) conn[Symbol.dispose]();
      await accepting;
      await Promise.all(running);
    },
  };
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const receive = (conn: Deno.TcpConn): Promise<number | null> => conn.read(new Uint8Array(1_024));

function assertFailed(ended: Ended, code: number, word: string, about: RegExp): void {
  assertEquals(ended.code, code, ended.stderr);
  const [message = "", hint = "", ...rest] = ended.stderr.split("\n");
  assert(message.startsWith(`netdemo: ${word}: `), message);
  assertMatch(message, about);
  assertMatch(hint, /^hint: \S/);
  assertEquals(rest, [""], "a message and a hint, nothing more");
}

const ask = (port: number, ...flags: string[]): Promise<Ended> =>
  netdemoInProcess(["calc-client", "--port", String(port), ...flags, "10", "20", "+"]);

testWith([nameServer], "a name that does not resolve is DNS and exit code 10", async () => {
  const ended = await netdemoInProcess(["hello-client", "--host", "no-such-host.invalid"]);
  assertFailed(ended, 10, "DNS", /'no-such-host\.invalid' does not resolve/);
});

Deno.test("a closed port is REFUSED and exit code 11, with the command that opens it", async () => {
  const port = getAvailablePort();
  for (const name of ["hello", "message", "calc"]) {
    const words = name === "calc" ? ["1", "2", "+"] : [];
    const ended = await netdemoInProcess([
      `${name}-client`,
      "--host",
      "127.0.0.1",
      "--port",
      `${port}`,
      ...words,
    ]);
    assertFailed(
      ended,
      11,
      "REFUSED",
      new RegExp(`cannot connect to 127\\.0\\.0\\.1:${port} \\(tcp\\)$`),
    );
    assert(ended.stderr.includes(`netdemo ${name}-server --port ${port}`), ended.stderr);
  }
});

testWith([namespaces], "no route is UNREACHABLE and exit code 12", async () => {
  // A new network namespace does not even have a loopback route.
  const args = ["hello-client", "--host", "127.0.0.1", "--port", "4040"];
  const ended = await run(["unshare", "-rn", ...netdemoCommand, ...args]);
  assertFailed(ended, 12, "UNREACHABLE", /127\.0\.0\.1:4040/);
});

pythonTest("a peer that resets is RESET and exit code 13", async (python) => {
  const script = `
import socket, struct
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(5)
print("port", server.getsockname()[1], flush=True)
peer = server.accept()[0]; peer.recv(1024)
peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); peer.close()`;
  await using server = new Process([python, "-c", script]);
  const [, port] = await server.printed(/port (\d+)/);
  assertFailed(await ask(Number(port)), 13, "RESET", /127\.0\.0\.1:\d+ \(tcp\) reset/);
});

Deno.test("a peer that closes is CLOSED and exit code 14", async () => {
  await using silent = startPeer(async (conn) => {
    await receive(conn);
    conn.close();
  });
  assertFailed(await ask(silent.port), 14, "CLOSED", /without a reply/);

  await using cut = startPeer(async (conn) => {
    await receive(conn);
    await conn.write(encode("Sum of 10 and 20 is 30\nSum of 1 an"));
    conn.close();
  });
  const ended = await netdemo(["calc-client", "--port", String(cut.port)], "10 20 +\n1 2 +\n");
  assertFailed(ended, 14, "CLOSED", /before the reply was whole/);
  assertEquals(ended.stdout, "Sum of 10 and 20 is 30\n");
});

Deno.test("the end of the stream completes a reply", async () => {
  await using peer = startPeer(async (conn) => {
    await receive(conn);
    await conn.write(encode("Sum of 10 and 20 is 30"));
    conn.close();
  });
  assertEquals((await ask(peer.port)).stdout, "Sum of 10 and 20 is 30\n");
});

Deno.test("no reply in time is TIMEOUT and exit code 124, and says that the reply is missing", async () => {
  await using silent = startPeer(async (conn) => void await receive(conn));
  const started = performance.now();
  assertFailed(
    await ask(silent.port, "--timeout", "300ms"),
    124,
    "TIMEOUT",
    /no reply .* within 300ms/,
  );
  const waited = performance.now() - started;
  assertGreater(waited, 300);
  assertLess(waited, 3_000);
});

Deno.test("a peer that never reads is TIMEOUT", async () => {
  await using stalled = startPeer(() => Promise.resolve());
  const commands = `${"1".repeat(60_000)} 1 +\n`.repeat(200);
  const ended = await netdemo(
    ["calc-client", "--port", String(stalled.port), "--timeout", "300ms"],
    commands,
  );
  assertFailed(ended, 124, "TIMEOUT", /no reply/);
});

Deno.test("a reply that arrives byte by byte must be complete within the timeout", async () => {
  await using peer = startPeer(async (conn) => {
    await receive(conn);
    for (const byte of encode("Sum of 10 and 20 is 30\n")) await conn.write(new Uint8Array([byte]));
    await receive(conn);
    while (true) {
      await conn.write(encode("x"));
      await silence(100);
    }
  });
  assertEquals((await ask(peer.port)).stdout, "Sum of 10 and 20 is 30\n");
  const args = ["calc-client", "--port", String(peer.port), "--timeout", "500ms"];
  const ended = await netdemo(args, "10 20 +\n1 2 +\n");
  assertEquals(ended.stdout, "Sum of 10 and 20 is 30\n");
  assertFailed(ended, 124, "TIMEOUT", /no whole reply .* within 500ms: \d+ bytes? w/);
});

pythonTest("no connection in time is TIMEOUT, and says that connecting failed", async (python) => {
  // A listener whose queue is full: the kernel accepts no more connections.
  const script = `
import socket
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(0)
port = server.getsockname()[1]
held = []
for _ in range(4):
    s = socket.socket(); s.setblocking(False); s.connect_ex(("127.0.0.1", port)); held.append(s)
print("port", port, flush=True); input()`;
  await using server = new Process([python, "-c", script], { stdin: "piped" });
  const [, port = ""] = await server.printed(/port (\d+)/);
  const ended = await netdemoInProcess([
    "hello-client",
    "--host",
    "127.0.0.1",
    "--port",
    port,
    "--timeout",
    "300ms",
  ]);
  assertFailed(ended, 124, "TIMEOUT", /cannot connect to 127\.0\.0\.1:\d+ \(tcp\) within 300ms/);
});

Deno.test("an error reply or an unexpected reply is ERROR and exit code 1", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const zero = await netdemoInProcess(["calc-client", "--port", `${port}`, "5", "0", "/"]);
  assertEquals(zero.stdout, "Error: division by zero\n");
  assertFailed(zero, 1, "ERROR", /1 of 1 answer /);

  for (const garbage of ["HTTP/1.1 400 Bad Request\r\n", "Sum of 10 and 20 is 31\n", "\xff\n"]) {
    await using peer = startPeer(async (conn) => {
      await receive(conn);
      await conn.write(Uint8Array.from(garbage, (c) => c.charCodeAt(0)));
    });
    assertFailed(await ask(peer.port), 1, "ERROR", /expected|not UTF-8/);
  }
});

Deno.test("endless empty lines are no reply", async () => {
  await using peer = startPeer(async (conn) => {
    await receive(conn);
    for (const lines = encode("\n".repeat(100_000));;) await conn.write(lines);
  });
  assertFailed(await ask(peer.port), 1, "ERROR", /more than 1048576 bytes, and no whole reply/);
});

Deno.test("a reply of 100 MB without a line end is refused in bounded memory", async () => {
  await using peer = startPeer(async (conn) => {
    await receive(conn);
    const megabyte = new Uint8Array(1_000_000).fill(0x78);
    for (let count = 0; count < 100; count++) {
      for (let left = megabyte; left.length > 0;) left = left.subarray(await conn.write(left));
    }
  });
  assertFailed(await ask(peer.port), 1, "ERROR", /more than 1048576 bytes/);
});

Deno.test("what a server sent before it closed is printed, even if sending failed", async () => {
  await using peer = startPeer(async (conn) => {
    await conn.write(encode("Error: server is full\n"));
    await conn.closeWrite();
    while (await receive(conn) !== null);
  });
  const ended = await ask(peer.port);
  assertEquals(ended.stdout, "Error: server is full\n");
  assertEquals(ended.code, 1);
});

testWith([ipv6], "localhost tries both loopback addresses", async () => {
  const listener = Deno.listen({ hostname: "::1", port: 0 });
  const { port } = listener.addr;
  const accepted = listener.accept();
  const ended = await netdemoInProcess([
    "hello-client",
    "--host",
    "localhost",
    "--port",
    String(port),
  ]);
  (await accepted).close();
  listener.close();
  assertEquals(ended, { code: 0, stdout: "", stderr: "" });
});

Deno.test("100,000 commands from a pipe get 100,000 answers in order, in bounded memory", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const numbers = Array.from({ length: 100_000 }, (_, index) => index);
  const commands = numbers.map((number) => `${number} 2 *\n`).join("");
  const { code, stdout, stderr } = await netdemo(["calc-client", "--port", `${port}`], commands);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assert(
    stdout === numbers.map((number) => `Product of ${number} and 2 is ${number * 2}\n`).join(""),
  );
});

Deno.test("a client whose reader has stalled reads ahead only a bounded amount", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const args = ["calc-client", "--port", String(port), "--timeout", "1m"];
  await using client = new Process([...netdemoCommand, ...args], { stdin: "piped" });
  client.stallStdout();
  let written = 0;
  const feeding = (async () => {
    const command = encode(`${"1".repeat(60_000)} 1 +\n`);
    while (written < 200_000_000) {
      await client.write(command);
      written += command.length;
    }
  })().catch(() => {});
  await until(() => written > 100_000, "the client reads its input");
  for (let before = 0; before !== written;) {
    before = written;
    await silence(500);
  }
  assertLess(written, 20_000_000);
  client.kill("SIGKILL");
  await feeding;
});

Deno.test("with a pipe as input, answers are printed as they arrive", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  await using client = new Process(
    [...netdemoCommand, "calc-client", "--port", String(port)],
    { stdin: "piped" },
  );
  await client.write("1 1 +\n");
  await client.printed(/Sum of 1 and 1 is 2\n/);
  await client.write("2 2 +\n\n3 x +\n");
  await client.printed(/Sum of 2 and 2 is 4\nError: 'x' is not an integer\n/);
  await client.closeStdin();
  const ended = await client.ended();
  assertFailed(ended, 1, "ERROR", /1 of 3 answers/);
});

Deno.test("--json prints an object for each answer, and one for the failure", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const { code, stdout } = await netdemo(
    ["calc-client", "--json", "--port", `${port}`],
    "1 1 +\n1 0 /\n",
  );
  const objects = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(code, 1);
  assertEquals(objects.map(({ event, ok, request, reply }) => ({ event, ok, request, reply })), [
    { event: "answer", ok: true, request: "1 1 +", reply: "Sum of 1 and 1 is 2" },
    { event: "answer", ok: false, request: "1 0 /", reply: "Error: division by zero" },
    { event: "failure", ok: undefined, request: undefined, reply: undefined },
  ]);
  assertEquals(objects[0].remote, `127.0.0.1:${port}`);
  assertMatch(objects[0].local, /^127\.0\.0\.1:\d+$/);
  assert(objects[0].elapsedMs > 0);
  assertEquals([objects[2].failure, objects[2].exitCode], ["ERROR", 1]);

  const refused = await netdemoInProcess([
    "hello-client",
    "--json",
    "--port",
    String(getAvailablePort()),
  ]);
  const { event, failure, exitCode } = JSON.parse(refused.stdout);
  assertEquals({ event, failure, exitCode }, {
    event: "failure",
    failure: "REFUSED",
    exitCode: 11,
  });
});

Deno.test("data from a peer never reaches the terminal raw", async () => {
  const evil = "\x1b[31mred\x07\x9b\u202e\u2066\u2028\u200b\ufeffend\r";
  await using peer = startPeer(async (conn) => {
    await receive(conn);
    await conn.write(encode(`${evil}\n`));
  });
  const ended = await netdemoInProcess(["message-client", "--port", `${peer.port}`]);
  assertEquals(ended.stdout, "\\x1b[31mred\\x07\\u009b\\u202e\\u2066\\u2028\\u200b\\ufeffend\n");
  const wrong = await ask(peer.port);
  assertEquals(wrong.code, 1);
  // deno-lint-ignore no-control-regex -- these must not appear
  const raw = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\u2066\u200b\ufeff]/;
  assert(!raw.test(wrong.stderr + wrong.stdout), wrong.stderr);

  const host = await netdemoInProcess(["hello-client", "--host", "evil\x1b[31m\u202e"]);
  assertEquals(host.code, 2);
  assertMatch(host.stderr, /'evil\\x1b\[31m\\u202e' is not a host name/);
});

pythonTest(
  "at a terminal calc-client prompts, answers, and exits at end of file",
  async () => {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    const screen = await terminal(["calc-client", "--port", String(port)], [
      "10 20 +",
      "",
      "1 0 /",
    ]);
    assertEquals(screen.split("\n"), [
      "Type O1 O2 OP, for example 10 20 +; help says more, quit or Ctrl-D leaves.",
      "Enter Command 10 20 +",
      "Sum of 10 and 20 is 30",
      "Enter Command ",
      "Enter Command 1 0 /",
      "Error: division by zero",
      "Enter Command ",
      "",
    ]);
  },
);

Deno.test("a word that was sent as text but may name the server is said to be text", async () => {
  const cases = {
    "4041 Hi there": "netdemo message-client :4041 Hi there",
    "Hi :4041": "netdemo message-client :4041 Hi",
    "-- 4041 Hi": undefined,
    "4041 :1": "netdemo message-client :1 4041",
  };
  for (const [typed, line] of Object.entries(cases)) {
    const words = typed.split(" ");
    const { stderr } = await netdemoInProcess(["message-client", ...words]);
    const [, shown] = /taken as text; a server is named first: (.*)\n$/.exec(stderr) ?? [];
    assertEquals(shown, line, `${typed}: ${stderr}`);
  }
});
