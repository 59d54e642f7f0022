import { assertEquals, assertMatch } from "@std/assert";
import { linux, netdemo, startServer, TestConnection, testWith } from "./harness/mod.ts";

testWith(
  [linux],
  "--reuse-port spreads connections across processes that share the port",
  async () => {
    const flags = ["message-server", "--host", "127.0.0.1", "--reuse-port", "--reply"];
    const first = await startServer([...flags, "one"]);
    await using _first = first.process;
    const port = ["--port", String(first.port)];
    const second = await startServer([...flags, "two"], port);
    await using _second = second.process;
    assertEquals(second.port, first.port);

    const replies = new Set<string>();
    // All 64 connections go to the same process once in 2^63 runs.
    for (let count = 0; count < 64; count++) {
      using connection = await TestConnection.open(first.port);
      await connection.send("Hello\n");
      replies.add(await connection.receive());
    }
    assertEquals([...replies].sort(), ["one\n", "two\n"]);

    const refused = await netdemo(["message-server", "--host", "127.0.0.1", ...port]);
    assertEquals(refused.code, 15);
    assertMatch(refused.stderr, /^netdemo: BIND: cannot listen on .*: the port is in use\n/);
  },
);
