import { assertEquals } from "@std/assert";
import { service as calc } from "../services/calc.ts";
import { service as lab } from "../services/lab.ts";
import { service as message } from "../services/message.ts";
import type { Server } from "../services/server/server.ts";
import { serve } from "../services/server/stream_server.ts";
import { TestConnection } from "./harness/mod.ts";

const portOf = ({ port = 0 }: Server): number => port;

/** Sends each key once the server has taken the silence since the last for the end of a request. */
async function type(connection: TestConnection, port: number, keys: string): Promise<void> {
  for (const key of keys) {
    await connection.send(key);
    using classic = await TestConnection.open(port);
    await classic.send("bytes 2 +");
    await classic.receive();
  }
}

for (const [name, end] of [["CR LF", "\r\n"], ["CR NUL", "\r\0"], ["CR", "\r"]] as const) {
  Deno.test(`a line that is typed a key at a time and ends in ${name} is one request`, async () => {
    await using server = await serve(calc, { port: 0 });
    const port = portOf(server);
    using connection = await TestConnection.open(port);
    for (
      const [first, rest, answer] of [
        ["10 ", "20 +", "Sum of 10 and 20 is 30"],
        ["6", " 7 *", "Product of 6 and 7 is 42"],
      ] as const
    ) {
      await type(connection, port, first);
      await connection.send(rest + end);
      assertEquals(await connection.receiveLines(1), [answer]);
    }
  });
}

Deno.test("a line for lab is awaited, whatever has been typed of it", async () => {
  await using server = await serve(lab, { port: 0 });
  const port = portOf(server);
  using connection = await TestConnection.open(port);
  await type(connection, port, "echo");
  await connection.send(" Hi\r");
  assertEquals(await connection.receiveLines(1), ["Hi"]);
});

Deno.test("lines that are pasted into a terminal are answered one by one", async () => {
  await using server = await serve(calc, { port: 0 });
  using connection = await TestConnection.open(portOf(server));
  await connection.send("10 20 +\r6 7 *\r");
  const answers = ["Sum of 10 and 20 is 30", "Product of 6 and 7 is 42"];
  assertEquals(await connection.receiveLines(2), answers);
});

Deno.test("a whole request is not delayed, however its client cuts it", async () => {
  await using server = await serve(calc, { port: 0 });
  const port = portOf(server);
  using typing = await TestConnection.open(port);
  await typing.send("1");
  const order: string[] = [];
  const awaited = typing.receive().then((reply) => order.push(reply));
  using classic = await TestConnection.open(port);
  for (const byte of "10 20 +") await classic.send(byte);
  order.push(await classic.receive());
  await awaited;
  assertEquals(order, ["Sum of 10 and 20 is 30", "Error: expected O1 O2 OP"]);
});

Deno.test("a message of one letter is answered as fast as another", async () => {
  await using server = await serve(message, { port: 0 });
  await using calculator = await serve(calc, { port: 0 });
  using typing = await TestConnection.open(portOf(calculator));
  await typing.send("1");
  const order: string[] = [];
  const awaited = typing.receive().then((reply) => order.push(reply));
  using classic = await TestConnection.open(portOf(server));
  await classic.send("A");
  order.push(await classic.receive());
  await awaited;
  assertEquals(order, ["Thanks...", "Error: expected O1 O2 OP"]);
});

Deno.test("a CR within a message is text, and one at its end is not", async () => {
  const messages: (string | null)[] = [];
  const events = { answered: (_: unknown, request: string | null) => void messages.push(request) };
  await using server = await serve(message, { port: 0, events });
  using connection = await TestConnection.open(portOf(server));
  await connection.send("a\rb");
  assertEquals(await connection.receive(), "Thanks...");
  await connection.send("c\r");
  assertEquals(await connection.receive(), "Thanks...\n");
  await connection.send("d\re\r\n");
  assertEquals(await connection.receive(), "Thanks...\n");
  assertEquals(messages, ["a\rb", "c", "d\re"]);
});
