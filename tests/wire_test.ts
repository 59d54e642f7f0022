import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import type { InternetEndpoint } from "../protocol/addresses.ts";
import { service as calc } from "../services/calc.ts";
import { service as hello } from "../services/hello.ts";
import { service as message } from "../services/message.ts";
import type { Server, StreamOptions } from "../services/server/server.ts";
import { serve } from "../services/server/stream_server.ts";
import { probe, silence, TestConnection } from "./harness/mod.ts";

const portOf = (server: Server): number => server.port ?? 0;

/** Sends the bytes over a new connection, ends sending, and returns everything received. */
async function exchange(server: Server, ...pieces: (string | Uint8Array)[]): Promise<string> {
  using connection = await TestConnection.open(portOf(server));
  for (const piece of pieces) await connection.send(piece);
  await connection.conn.closeWrite();
  return await connection.receiveAll();
}

const SUM = "Sum of 10 and 20 is 30\n";

const serveCalc = (options: StreamOptions = {}): Promise<Server> =>
  serve(calc, { port: 0, ...options });

Deno.test("a reply ends in LF exactly if its request does", async () => {
  await using server = await serveCalc();
  assertEquals(await exchange(server, "10 20 +\n"), "Sum of 10 and 20 is 30\n");
  assertEquals(await exchange(server, "10 20 +\r\n"), "Sum of 10 and 20 is 30\n");
  assertEquals(await exchange(server, "10 20 +"), "Sum of 10 and 20 is 30");
  assertEquals(
    await exchange(server, "1 2 +\n10 20 +"),
    "Sum of 1 and 2 is 3\nSum of 10 and 20 is 30",
  );
});

Deno.test("a request without LF is answered after 200 ms of silence, again and again", async () => {
  await using server = await serveCalc();
  using connection = await TestConnection.open(portOf(server));
  for (
    const [command, answer] of [["10 20 +", "Sum of 10 and 20 is 30"], [
      "1 2 -",
      "Diff of 1 and 2 is -1",
    ]]
  ) {
    const started = performance.now();
    await connection.send(command ?? "");
    assertEquals(await connection.receive(), answer);
    const waited = performance.now() - started;
    assertGreaterOrEqual(waited, 190);
    assertLess(waited, 1_000);
  }
  await connection.send("3 4 *\n");
  assertEquals(await connection.receive(), "Product of 3 and 4 is 12\n");
});

Deno.test("each byte restarts the 200 ms of silence", async () => {
  await using server = await serveCalc();
  using connection = await TestConnection.open(portOf(server));
  const answer = connection.receive();
  for (const byte of "10 20 +") {
    await connection.send(byte);
    await silence(60); // 420 ms in all
  }
  assertEquals(await answer, "Sum of 10 and 20 is 30");
});

Deno.test("once a connection has sent LF, silence ends no request", async () => {
  await using server = await serveCalc();
  using connection = await TestConnection.open(portOf(server));
  await connection.send("1 2 +\n10 2");
  assertEquals(await connection.receive(), "Sum of 1 and 2 is 3\n");
  await silence(400); // twice the silence that would end a request
  await connection.send("0 +\n");
  assertEquals(await connection.receive(), "Sum of 10 and 20 is 30\n");
});

Deno.test("silence ends no request longer than 1,024 bytes", async () => {
  await using server = await serveCalc();
  using connection = await TestConnection.open(portOf(server));
  const operand = "1".repeat(1_100);
  await connection.send(`${operand} 1`);
  await silence(400);
  await connection.send(" -\n");
  assertEquals(await connection.receiveLines(1), [
    `Diff of ${operand} and 1 is ${operand.slice(1)}0`,
  ]);
});

Deno.test("requests cut at every byte, even inside a character, get the same answers", async () => {
  await using server = await serveCalc();
  const script = new TextEncoder().encode("10 20 +\r\n6 7 *\nü 1 +\n\n1 2 😀\n10 4 /\n5 0 /");
  const expected =
    "Sum of 10 and 20 is 30\nProduct of 6 and 7 is 42\nError: 'ü' is not an integer\n" +
    "Error: unknown operator '😀'\nDiv of 10 and 4 is 2.5\nError: division by zero";
  assertEquals(await exchange(server, script), expected);
  for (let cut = 1; cut < script.length; cut++) {
    assertEquals(
      await exchange(server, script.subarray(0, cut), script.subarray(cut)),
      expected,
      `${cut}`,
    );
  }
  assertEquals(
    await exchange(server, ...Array.from(script, (byte) => new Uint8Array([byte]))),
    expected,
  );
});

Deno.test("10,000 requests in one write get 10,000 answers in order", async () => {
  await using server = await serveCalc();
  using connection = await TestConnection.open(portOf(server));
  const numbers = Array.from({ length: 10_000 }, (_, index) => index);
  const sending = connection.send(numbers.map((number) => `${number} 1 +\n`).join(""));
  const answers = await connection.receiveLines(10_000);
  await sending;
  assertEquals(answers, numbers.map((number) => `Sum of ${number} and 1 is ${number + 1}`));
});

Deno.test("requests up to the maximum length are answered, and a longer one gets an error and ends the connection", async () => {
  for (const maxRequest of [10, 65_536, 200_000]) {
    await using server = await serve(message, { port: 0, maxRequest });
    const longest = "x".repeat(maxRequest);
    const tooLong = `Error: the request is longer than ${maxRequest} bytes\n`;
    for (const end of ["\n", "\r\n"]) {
      assertEquals(await exchange(server, longest.slice(1) + end), "Thanks...\n");
      assertEquals(await exchange(server, longest + end), "Thanks...\n");
      assertEquals(await exchange(server, `${longest}x${end}`), tooLong);
    }
    assertEquals(await exchange(server, longest), "Thanks...");
    assertEquals(
      await exchange(server, `a\nb\n${longest}x\nc\n`),
      `Thanks...\nThanks...\n${tooLong}`,
    );
  }
});

Deno.test("the error to a request of 20 MB arrives in full", async () => {
  await using server = await serveCalc();
  using connection = await TestConnection.open(portOf(server));
  const sending = connection.send(new Uint8Array(20_000_000).fill(0x31));
  assertEquals(await connection.receiveAll(), "Error: the request is longer than 65536 bytes\n");
  await sending.catch(() => {});
  await probe(portOf(server));
});

Deno.test("a request that is not UTF-8 gets an error, and the connection stays open", async () => {
  await using server = await serveCalc();
  const bytes = new Uint8Array([0x31, 0xff, 0x0a, ...new TextEncoder().encode("1 2 +\n")]);
  assertEquals(
    await exchange(server, bytes),
    "Error: the request is not UTF-8 text\nSum of 1 and 2 is 3\n",
  );
  assertEquals(
    await exchange(server, new Uint8Array([0xc3])),
    "Error: the request is not UTF-8 text",
  );
});

Deno.test("CR, NUL and control characters in a message are text", async () => {
  const seen: (string | null)[] = [];
  await using server = await serve(message, {
    port: 0,
    events: { answered: (_, request) => seen.push(request) },
  });
  assertEquals(
    await exchange(server, "a\rb\nc\0d\n\x1b[2J\n"),
    "Thanks...\nThanks...\nThanks...\n",
  );
  assertEquals(seen, ["a\rb", "c\0d", "\x1b[2J"]);
});

Deno.test("a client that ends sending and reads late still gets all of a long answer", async () => {
  await using server = await serveCalc();
  using connection = await TestConnection.open(portOf(server));
  const sending = connection.send(`${"9".repeat(30_000)} ${"9".repeat(30_000)} *\n`.repeat(150))
    .then(() => connection.conn.closeWrite());
  await silence(200); // 18 MB of answers fill the kernel's buffers: writes are partial
  const answers = await connection.receiveAll();
  await sending;
  assertEquals(answers.length, 150 * ("Product of  and  is \n".length + 120_000));
  assertEquals(new Set(answers.split("\n")).size, 2, "one answer, and nothing after the last LF");
});

Deno.test("answers before a request that is too long arrive in full, even if read late", async () => {
  await using server = await serveCalc();
  using connection = await TestConnection.open(portOf(server));
  const requests = "10 20 +\n".repeat(20_000); // 460 kB of answers
  await connection.send(requests + "x".repeat(2_000_000));
  const answers = await connection.receiveAll();
  assertEquals(answers, SUM.repeat(20_000) + "Error: the request is longer than 65536 bytes\n");
});

Deno.test("hello closes a connection as soon as it is accepted, without a reset", async () => {
  await using server = await serve(hello, { port: 0 });
  for (const unread of ["", "unread input would turn a close into a reset\n"]) {
    using connection = await TestConnection.open(portOf(server));
    await connection.send(unread);
    assertEquals(await connection.receiveAll(), ""); // though the client does not end its side
  }
});

Deno.test("a server listens on both loopback addresses at the same port", async () => {
  await using server = await serveCalc();
  const addresses = server.addresses as readonly InternetEndpoint[];
  assertEquals(new Set(addresses.map(({ port }) => port)), new Set([server.port]));
  for (const { hostname, port } of addresses) {
    using connection = await TestConnection.open(port, hostname);
    await connection.send("1 1 +\n");
    assertEquals(await connection.receive(), "Sum of 1 and 1 is 2\n");
  }
  assertEquals(addresses[0]?.hostname, "127.0.0.1");
});
