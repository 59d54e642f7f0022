/** netdemo where sockets behave as on macOS. */
import { assertEquals, assertMatch } from "@std/assert";
import { fromSource, linux, Process, run, testWith } from "../harness/mod.ts";
import { onMac } from "./elsewhere.ts";

const needs = [fromSource, linux];

testWith(needs, "macOS: a datagram has at most 9,216 bytes, for clients and servers", async () => {
  await using server = new Process(onMac("calc-server", "-u", "--host=127.0.0.1", "--port=0"));
  const [, port] = await server.printed(/Listening on 127\.0\.0\.1:(\d+)/);
  const ask = (digits: number, ...more: string[]) => {
    const operand = "9".repeat(digits);
    return run(onMac("calc-client", `udp://127.0.0.1:${port}`, operand, operand, "*", ...more));
  };
  const long = await ask(4_000);
  assertMatch(long.stdout + long.stderr, /the reply does not fit in a datagram/);
  const tooLong = await ask(5_000);
  assertEquals(tooLong.code, 1);
  assertMatch(tooLong.stderr, /hint: a request of at most 9215 bytes fits in a datagram/);
  const sizes = await run(onMac("check", `udp://127.0.0.1:${port}`, "--sizes", "100..10000"));
  assertMatch(sizes.stderr, /a datagram has at most 9216 bytes/);
});

testWith(needs, "macOS: a host that is down is unreachable, and privacy may be why", async () => {
  const down = await run(onMac("check", "unreachable=127.0.0.64:4040"));
  assertMatch(down.stdout, /^ok .* unreachable {2}connect: .*\(EHOSTDOWN\)/);
  const kept = await run(onMac("hello-client", "127.0.0.65:4040"));
  assertEquals(kept.code, 12);
  assertMatch(kept.stderr, /hint: .*; macOS may not allow it: .* Local Network/);
  const checked = await run(onMac("check", "127.0.0.65:4040"));
  assertMatch(checked.stderr, /hint: .*; macOS may not allow it: .* Local Network/);
});

testWith(needs, "macOS: a write while the peer closes is CLOSED", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.41", port: 0 });
  const target = `127.0.0.41:${listener.addr.port}`;
  listener.accept().then((conn) => conn.close());
  const { code, stderr } = await run(onMac("calc-client", target, "1", "2", "+"));
  assertEquals([code, stderr.split(":")[1]], [14, " CLOSED"], stderr);
});
