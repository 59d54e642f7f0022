import { assert, assertEquals, assertMatch } from "@std/assert";
import { lineElsewhere } from "../commands/server/listening.ts";
import { service as calc } from "../services/calc.ts";
import { netdemoInProcess, startServer, TestConnection } from "./harness/mod.ts";

Deno.test("--verbose shows each connection, request, reply and end with its peer", async () => {
  const { process, port } = await startServer(["calc-server", "--verbose"]);
  await using _process = process;
  await netdemoInProcess(["calc-client", `:${port}`, "1 0 /"]);
  await process.reported(/ended/);
  const { stdout, stderr } = await process.stop();
  assertEquals(
    stderr.replaceAll(/:\d{5}\b/g, ":PPPPP").replaceAll(/[\d.]+ ms/g, "0 ms"),
    `\
#1 127.0.0.1:PPPPP connected
#1 127.0.0.1:PPPPP request   1 0 /
#1 127.0.0.1:PPPPP reply     Error: division by zero
#1 127.0.0.1:PPPPP ended     end of stream; 1 request in 0 ms
`,
  );
  assert(!stdout.includes("#1"), stdout);
});

Deno.test("--verbose shows datagrams, unanswered ones included, and nothing raw", async () => {
  const { process, port } = await startServer(["message-server", "--udp", "--verbose"]);
  await using _process = process;
  await netdemoInProcess(["message-client", `udp://:${port}`, "a\x1b[31m"]);
  const silent = ["message-client", `udp://:${port}`, "--timeout", "100ms", "Thanks..."];
  assertEquals((await netdemoInProcess(silent)).code, 124);
  await process.reported(/ignored/);
  const { stderr } = await process.stop();
  assertMatch(stderr, /^#1 127\.0\.0\.1:\d+ request {3}a\\x1b\[31m$/m);
  assertMatch(stderr, /^#1 127\.0\.0\.1:\d+ reply {5}Thanks\.\.\.$/m);
  assertMatch(stderr, /^#2 127\.0\.0\.1:\d+ ignored {3}reads as a reply$/m);
});

Deno.test("serve --verbose names the service on each line", async () => {
  const { process } = await startServer(["serve", "calc:0", "--verbose"], []);
  await using _process = process;
  const [, port = ""] = await process.printed(/calc: Listening on 127\.0\.0\.1:(\d+)/);
  await netdemoInProcess(["calc-client", `:${port}`, "1 2 +"]);
  await netdemoInProcess(["calc-client", `udp://:${port}`, "1 2 +"]);
  await process.reported(/^calc tcp: #1 127\.0\.0\.1:\d+ request {3}1 2 \+$/m);
  await process.reported(/^calc udp: #1 127\.0\.0\.1:\d+ request {3}1 2 \+$/m);
});

Deno.test("--verbose shows the error that refuses a connection", async () => {
  for (
    const [sent, error] of [
      ["GET / HTTP/1.1\r\n\r\n", /^#1 \S+ receives {2}Error: .*HTTP/m],
      ["x".repeat(100), /^#1 \S+ receives {2}Error: the request is longer than 16 bytes$/m],
    ] as const
  ) {
    const { process, port } = await startServer([
      "calc-server",
      "--verbose",
      "--max-request",
      "16",
    ]);
    await using _process = process;
    using connection = await TestConnection.open(port);
    await connection.send(sent);
    await process.reported(error);
  }
});

Deno.test("--verbose shows what each client of a chat hears of the others", async () => {
  const path = await Deno.makeTempFile({ suffix: ".talk" });
  const lines = [
    "ann< hello\\n",
    "ann> {ann}\\n",
    "bob> {bob}\\n",
    "bob< hi\\n",
    "ann< {bob} came\\n",
  ];
  await Deno.writeTextFile(path, `${lines.join("\n")}\n`);
  const { process } = await startServer(["serve", `${path}:0`, "--verbose"], []);
  await using _process = process;
  const [, port = ""] = await process.printed(/Listening on 127\.0\.0\.1:(\d+)/);
  using ann = await TestConnection.open(Number(port));
  await process.reported(/#1 \S+ receives {2}hello$/m);
  await ann.send("Kim\n");
  await process.reported(/#1 \S+ request {3}Kim$/m);
  using bob = await TestConnection.open(Number(port));
  await bob.send("Lee\n");
  await process.reported(/#2 \S+ reply {5}hi$/m);
  await process.reported(/#1 \S+ receives {2}Lee came$/m);
  await Deno.remove(path);
});

Deno.test("a server beyond loopback says what to type on another machine", () => {
  const line = (hostname: string, protocol: "tcp" | "udp" = "tcp"): string | undefined =>
    lineElsewhere(calc, {
      addresses: [{ hostname, port: 4040 }],
      protocols: [protocol],
      port: 4040,
    });
  assertEquals(line("127.0.0.1"), undefined);
  assertEquals(line("::1"), undefined);
  assertEquals(line("10.0.0.7"), "netdemo calc-client 10.0.0.7:4040");
  assertEquals(line("10.0.0.7", "udp"), "netdemo calc-client udp://10.0.0.7:4040");
  assertEquals(line("2001:db8::7"), 'netdemo calc-client "[2001:db8::7]:4040"');
  assertEquals(line("fe80::1%eth0"), undefined);
  const every = ["127.0.0.1", "::1", "192.0.2.2"].map((hostname) => ({ hostname, port: 4040 }));
  const listening = { addresses: every, protocols: ["udp"], port: 4040 } as const;
  assertEquals(
    lineElsewhere(calc, listening),
    "netdemo calc-client udp://192.0.2.2:4040",
  );
  const own = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.") && !address.startsWith("169.254")
  );
  assertEquals(line("0.0.0.0"), own && `netdemo calc-client ${own.address}:4040`);
});

Deno.test("a port in use is reported with the command that shows which process has it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stderr } = await netdemoInProcess(["calc-server", "--port", String(port)]);
  assertEquals(code, 15);
  const command = { linux: `ss -ltunp 'sport = :${port}'`, windows: "netstat -ano" }[
    Deno.build.os as string
  ] ?? "lsof -nP -i";
  assert(stderr.includes(`which ${command}`), stderr);
});
