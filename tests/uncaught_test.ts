import { assertEquals, assertMatch } from "@std/assert";
import { netdemoInProcess, Process, signalTest } from "./harness/mod.ts";

const kinds = ["timeout", "interval", "microtask", "promise", "event", "abort", "signal"] as const;
const REPORT =
  /^netdemo: ERROR: unexpected error.*: not expected\nhint: this is a bug in netdemo; please report it\n/;

function withError(kind: string, ...args: string[]): Process {
  const program = `${import.meta.dirname}/uncaught_program.ts`;
  return new Process([Deno.execPath(), "run", "--quiet", "-A", program, kind, ...args]);
}

signalTest(
  "an error in any kind of callback is reported as a bug, and a server goes on",
  async () => {
    await Promise.all(kinds.map(async (kind) => {
      await using process = withError(kind, "calc-server", "--host", "127.0.0.1", "--port", "0");
      const [, port = ""] = await process.printed(/Listening on .*:(\d+) /);
      await process.reported(/please report it/);
      const { stdout } = await netdemoInProcess(["calc-client", `:${port}`, "10", "20", "+"]);
      assertEquals(stdout, "Sum of 10 and 20 is 30\n", kind);
      const { code, stderr } = await process.stop();
      assertEquals(code, 0, kind);
      assertMatch(stderr, REPORT, kind);
    }));
  },
);

signalTest("an error in a callback of a client ends it with exit code 1", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await Promise.all(kinds.map(async (kind) => {
    const target = `127.0.0.1:${port}`;
    await using process = withError(kind, "message-client", target, "--timeout", "1h", "--json");
    const { code, stdout, stderr } = await process.ended();
    assertEquals(code, 1, kind);
    assertMatch(stderr, REPORT, kind);
    assertEquals(JSON.parse(stdout).exitCode, 1);
  }));
});
