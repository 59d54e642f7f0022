/** netdemo where sockets, signals and terminals behave as on Windows. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromSource, ipv6, notUnderWine, Process, run, testWith, unix } from "../harness/mod.ts";
import { onWindows } from "./elsewhere.ts";

/** A port at which nothing listens. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

const slowRefusals = notUnderWine("refuses at once");

testWith(
  [fromSource, slowRefusals],
  "Windows: a refusal is told apart from silence after 2 s",
  async () => {
    const target = `127.0.0.1:${freePort()}`;
    const check = await run(onWindows("check", `refused=${target}`));
    assertMatch(check.stdout, /^ok .* refused {2}connect [2-9]\d{3} ms\n$/);
    const early = await run(onWindows("check", `refused=${target}`, "--timeout", "1s"));
    assertMatch(early.stdout, /no answer in 1s {2}\(Windows .* --timeout 2\.1s waits for it\)\n/);
    const client = await run(onWindows("hello-client", target, "--timeout", "1s"));
    assertEquals(client.code, 124);
    assertMatch(client.stderr, /hint: it may be refused, which Windows reports after 2 s/);
  },
);

testWith([fromSource], "Windows: demo refused is refused, and says how long it takes", async () => {
  const { stdout } = await run(onWindows("demo", "refused"), {
    env: { LC_ALL: "", LC_CTYPE: "", LANG: "" },
  });
  assertMatch(stdout, /-- refused --/);
  assertMatch(stdout, /client: REFUSED/);
  assertMatch(stdout, /Windows asks/);
});

testWith([fromSource, ipv6], "Windows: over TCP --host :: listens for both families", async () => {
  await using server = new Process(onWindows("hello-server", "--host", "::", "--port", "0"));
  const [, port] = await server.printed(/Listening on \[::\]:(\d+) and 0\.0\.0\.0:\1 \(tcp\)/);
  using _ = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
});

testWith([fromSource, ipv6], "Windows: over UDP --host :: skips what can't be bound", async () => {
  await using server = new Process(onWindows("hello-server", "-u", "--host", "::", "--port", "0"));
  await server.printed(/Listening on \S+:\d+ and /);
  if (Deno.build.os === "windows") return;
  await server.reported(/cannot listen on \[fe80::1%99\]:\d+: this host has no interface '99'/);
});

testWith([fromSource], "Windows: address shows zones as numbers", async () => {
  const { stdout } = await run(onWindows("address"));
  for (const [zone] of stdout.matchAll(/(?<=fe80::\S*%).*?(?= {2})/g)) assertMatch(zone, /^\d+$/);
});

testWith([fromSource], "Windows: a port that another program has is not listened on", async () => {
  using other = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const args = ["calc-server", "--host", "127.0.0.1", "--port", String(other.addr.port)];
  const { code, stderr } = await run(onWindows(...args));
  assertEquals(code, 15);
  assertMatch(stderr, /BIND: .* the port is in use/);
});

testWith(
  [fromSource, notUnderWine("connects to 0.0.0.0")],
  "Windows: 0.0.0.0 can't be connected to",
  async () => {
    const client = await run(onWindows("hello-client", "0.0.0.0:4040"));
    assertMatch(client.stderr, /hint: 0\.0\.0\.0 is for servers.*: connect to 127\.0\.0\.1/);
    const check = await run(onWindows("check", "0.0.0.0:4040"));
    assertMatch(check.stderr, /hint: 0\.0\.0\.0 is for servers.*: connect to 127\.0\.0\.1/);
  },
);

testWith([fromSource], "Windows: an unknown zone is named", async () => {
  const { stderr } = await run(onWindows("hello-client", "[fe80::1%nosuch]:4040"));
  assertMatch(stderr, /this host has no interface 'nosuch' for that address/);
});

testWith(
  [fromSource, unix],
  "Windows: Ctrl-Break and a closed console stop a server, and the port file goes",
  async () => {
    const folder = await Deno.makeTempDir();
    for (const signal of ["SIGUSR2", "SIGHUP"] as const) {
      const file = `${folder}/port.txt`;
      await using server = new Process(
        onWindows("hello-server", "--port", "0", "--port-file", file, "--grace", "30s"),
      );
      const [, port] = await server.printed(/Listening on \S+:(\d+)/);
      using _idle = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      server.kill(signal);
      await server.reported(/Stopping; 1 connection is still open/);
      assert(await Deno.stat(file).then(() => false, () => true), "the file is gone");
    }
    await Deno.remove(folder, { recursive: true });
  },
);
