/** check over TLS: certificates that a test makes, and real servers that show them. */
import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import type { EventOf } from "../cli/output/events.ts";
import { calculate } from "../protocol/calculator.ts";
import { fromSource, netdemo, netdemoInProcess, Process, testWith, tool } from "./harness/mod.ts";
import { Certificates } from "./harness/certificates.ts";
import { STREAM_MODULE } from "./path/configurations.ts";
import { answering, forever, type RunningPeer, send, startStreams } from "./harness/peers.ts";

const HOST = "127.0.0.1";
const openssl = tool("openssl");

/** A TLS server of OpenSSL's at a free port, which answers HTTP if it is asked to. */
async function startOpenssl(
  { folder }: Certificates,
  name: string,
  ...flags: readonly string[]
): Promise<Process & { readonly port: number }> {
  const process = new Process([
    ...["openssl", "s_server", "-accept", `${HOST}:0`, "-key", `${folder}/${name}.key`],
    ...["-cert", `${folder}/${name}.pem`, ...flags],
  ]);
  const [, port] = await process.printed(/ACCEPT .*:(\d+)/);
  return Object.assign(process, { port: Number(port) });
}

async function check(...args: readonly string[]) {
  const { code, stdout, stderr } = await netdemoInProcess(["check", "--json", ...args]);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const probes: EventOf<"probe">[] = events.filter(({ event }) => event === "probe");
  return { code, stderr, probes, verdicts: probes.map(({ verdict }) => verdict) };
}

const rows = async (...args: readonly string[]): Promise<string> =>
  (await netdemoInProcess(["check", ...args])).stdout;

testWith([openssl], "each fault of a certificate is untrusted, with its reason", async () => {
  await using made = await Certificates.make();
  const here = `DNS:localhost,IP:${HOST}`;
  await made.add("good", here, [-30, 20]);
  await made.add("expired", here, [-30, -3]);
  await made.add("future", here, [3, 30]);
  await made.add("other", "DNS:other.example,DNS:*.example.org", [-30, 20]);
  const ca = ["--ca", `${made.folder}/ca.pem`, "--timeout", "20s"];
  await using good = await startOpenssl(made, "good", "-www");
  await using expired = await startOpenssl(made, "expired", "-www");
  await using future = await startOpenssl(made, "future", "-www");
  await using other = await startOpenssl(made, "other", "-www");
  await made.add("many", [1, 2, 3, 4, 5, 6, 7].map((n) => `DNS:a${n}`).join(), [-30, 0.5]);
  await made.add("localhost", "email:me@localhost", [-30, 20]);
  await using nameless = await startOpenssl(made, "localhost", "-www");
  await using many = await startOpenssl(made, "many", "-www");
  const at = ({ port }: { readonly port: number }) => `tls://${HOST}:${port}/open`;

  const fine = await check(at(good), `https://localhost:${good.port}/`, "-4", ...ca);
  assertEquals([fine.code, fine.verdicts], [0, ["open", "ok"]]);
  assertEquals(fine.probes.map(({ certificateDays }) => certificateDays), [19, 19]);
  assertGreater(fine.probes[0]?.tlsMs ?? 0, 0);
  assertEquals(fine.probes[1]?.httpStatus, 200);
  assertEquals(fine.probes[1]?.detail, undefined);

  const faults: readonly (readonly [string, RegExp])[] = [
    [at(expired), /untrusted +tls: the certificate expired [23] days ago, on \d{4}-\d\d-\d\d\n/],
    [at(future), /untrusted +tls: the certificate is not valid before \d{4}-\d\d-\d\d\n/],
    [at(other), /untrusted +tls: .* not valid for 127\.0\.0\.1, but for other\.example, \*\.ex/],
    [`https://localhost:${nameless.port}/`, /untrusted +tls: .* and names no host at all/],
    [at(many), /untrusted +tls: .* but for a1, a2, a3, a4, a5 and 2 more\n/],
    [`https://localhost:${other.port}/`, /untrusted +tls: .* not valid for localhost, but for/],
  ];
  for (const [target, row] of faults) {
    const shown = await rows(target, "-4", ...ca);
    assertMatch(shown, row);
    const { code, probes } = await check(target, "-4", ...ca);
    assertEquals(code, 1);
    assertStringIncludes(shown, probes[0]?.detail ?? "(no detail)");
    assertEquals((await check(`untrusted=${target}`, "-4", ...ca)).code, 0);
    assertEquals((await check(`blocked=${target}`, "-4", ...ca)).code, 1);
  }
  // With TLS 1.3 the handshake ends before the server has seen that there is no certificate.
  for (const version of ["-tls1_2", "-tls1_3"]) {
    await using mutual = await startOpenssl(made, "good", "-www", "-Verify", "1", version);
    const refused = /wrong +tls: the handshake was refused: received fatal alert: \w+\n/;
    assertMatch(await rows(`https://${HOST}:${mutual.port}/`, ...ca), refused);
  }
  const [start] = (await Deno.readTextFile(`${made.folder}/ca.pem`)).split("-----END");
  await Deno.writeTextFile(`${made.folder}/cut.pem`, start ?? "");
  const { stderr } = await netdemoInProcess(["check", at(good), "--ca", `${made.folder}/cut.pem`]);
  assertMatch(stderr, /^netdemo: USAGE: --ca: .* a certificate that can't be read\nhint: /);
  // Without --ca nobody here knows the issuer, however good the certificate is.
  assertMatch(await rows(at(good)), /untrusted +tls: the issuer .* is unknown: Test CA\n/);
  assertEquals((await check(at(good), "--days", "19", ...ca)).code, 0);
  assertMatch(
    await rows(at(good), "--days", "21", ...ca),
    /wrong +tls: the certificate is valid for 19 days only, until/,
  );
  assertMatch((await check(at(good), "--days", "21", ...ca)).stderr, /hint: .* with --days\n/);
});

testWith([openssl], "a peer that speaks no TLS is wrong, and says what it said", async () => {
  await using mail = await startStreams(HOST, async (stream) => {
    await send(stream, "220 mail ESMTP\r\n");
    await forever;
  });
  await using web = await startStreams(HOST, async (stream) => {
    await stream.read(new Uint8Array(1_024));
    await send(stream, "HTTP/1.0 400 Bad request\r\n\r\n");
  });
  await using closing = await startStreams(HOST, async (stream) => {
    await stream.read(new Uint8Array(1_024));
  });
  await using resetting = await startStreams(HOST, async (stream) => {
    await stream.read(new Uint8Array(1_024));
    stream.reset?.();
  });
  await using silent = await startStreams(HOST, () => forever);
  const at = ({ port }: RunningPeer): string => `tls://${HOST}:${port}/open`;
  const shown = await rows(at(mail), at(web), "--timeout", "10s");
  assertMatch(shown, /wrong +tls: it answers "220 mail ESMTP", which is not TLS\n/);
  assertMatch(shown, /wrong +tls: it answers "HTTP\/1\.0 400 Bad request", which is not TLS\n/);
  // A question has not been asked by then: its hint would mislead.
  const hint = /\nhint: it speaks no TLS at this port: leave out tls:\/\/\n/;
  for (const question of [[], ["--reply", "220 {...}"]]) {
    assertMatch((await check(`tls://${HOST}:${mail.port}`, ...question)).stderr, hint);
  }
  const http = await check(`https://${HOST}:${web.port}/`);
  assertMatch(http.stderr, /: write http:\/\/ for https:\/\/\n/);
  const none = await check(at(silent), "--timeout", "1s");
  assertMatch(none.stderr, /\nhint: it may speak no TLS \(then leave out tls:\/\/\)/);
  const { verdicts, probes } = await check(
    at(closing),
    at(resetting),
    at(silent),
    "--timeout",
    "2s",
  );
  assertEquals(verdicts, ["closed", "reset", "silent"]);
  assertEquals(probes.map(({ phase }) => phase), ["tls", "tls", "tls"]);
});

/** Real servers in front of a calculator: how each is started with a certificate. */
const fronts: readonly {
  readonly name: string;
  config(folder: string, port: number, backend: number): string;
  command(folder: string): readonly string[];
}[] = [
  {
    name: "nginx",
    config: (folder, port, backend) => `
      load_module ${STREAM_MODULE};
      daemon off; master_process off; pid ${folder}/nginx.pid; events {}
      stream { server { listen ${HOST}:${port} ssl; proxy_pass ${HOST}:${backend};
        ssl_certificate ${folder}/good.pem; ssl_certificate_key ${folder}/good.key; } }`,
    command: (folder) => ["nginx", "-c", `${folder}/nginx.conf`, "-e", `${folder}/error.log`],
  },
  {
    name: "haproxy",
    config: (folder, port, backend) => `
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen calc
  bind ${HOST}:${port} ssl crt ${folder}/both.pem
  server calc ${HOST}:${backend}
`,
    command: (folder) => ["haproxy", "-f", `${folder}/haproxy.conf`],
  },
  {
    name: "stunnel",
    config: (folder, port, backend) => `
foreground = yes
pid =
[calc]
accept = ${HOST}:${port}
connect = ${HOST}:${backend}
cert = ${folder}/both.pem
`,
    command: (folder) => ["stunnel", `${folder}/stunnel.conf`],
  },
];

testWith(
  [tool("haproxy")],
  "--proxy-protocol asks a backend that requires its header",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      await using calc = await startStreams(HOST, answering((text) => `${calculate(text)}\n`));
      const listener = Deno.listen({ hostname: HOST, port: 0 });
      const { port } = listener.addr;
      listener.close();
      await Deno.writeTextFile(
        `${folder}/haproxy.conf`,
        `
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen calc
  bind ${HOST}:${port} accept-proxy
  bind [::1]:${port} accept-proxy
  server calc ${HOST}:${calc.port}
`,
      );
      await using _front = new Process(["haproxy", "-f", `${folder}/haproxy.conf`]);
      for (const version of ["v1", "v2"]) {
        const flags = ["--proxy-protocol", version, "--strict", "--for", "20s"];
        assertEquals((await check(`localhost:${port}`, ...flags)).code, 0, version);
      }
      assertGreater((await check(`${HOST}:${port}`)).code, 0); // closed or reset
      const { code, stderr } = await netdemoInProcess(["check", ":1", "--proxy-protocol", "v3"]);
      assertEquals(code, 2);
      assertMatch(stderr, /--proxy-protocol must be v1 or v2: received 'v3'/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

for (const { name, config, command } of fronts) {
  testWith(
    [openssl, tool(name)],
    `check asks a calculator through the TLS of ${name}`,
    async () => {
      await using made = await Certificates.make();
      const { folder } = made;
      await made.add("good", `IP:${HOST}`, [-1, 30]);
      const [certificate, key] = await Promise.all(
        ["pem", "key"].map((kind) => Deno.readTextFile(`${folder}/good.${kind}`)),
      );
      await Deno.writeTextFile(`${folder}/both.pem`, `${certificate}${key}`);
      await using calc = await startStreams(HOST, answering((text) => `${calculate(text)}\n`));
      // These servers can't choose a free port and tell which, so one is taken in advance.
      const listener = Deno.listen({ hostname: HOST, port: 0 });
      const { port } = listener.addr;
      listener.close();
      await Deno.writeTextFile(`${folder}/${name}.conf`, config(folder, port, calc.port));
      await using _front = new Process([...command(folder)]);
      const target = `tls://${HOST}:${port}`;
      const ca = ["--ca", `${folder}/ca.pem`, "--for", "20s"];
      const { code, probes } = await check(target, ...ca);
      assertEquals(code, 0);
      assertEquals(probes.at(-1)?.certificateDays, 29);
      const own = ["--send", "10 20 +", "--reply", "Sum of 10 and 20 is 30"];
      assertEquals((await check(...own, target, ...ca)).code, 0);
    },
  );
}

testWith([openssl, fromSource], "the first handshake takes no longer than others", async () => {
  await using made = await Certificates.make();
  await made.add("good", `IP:${HOST}`, [-30, 20]);
  await using good = await startOpenssl(made, "good", "-www");
  const target = `tls://${HOST}:${good.port}/open`;
  const flags = ["--json", "--ca", `${made.folder}/ca.pem`, "--count", "2", "--every", "20ms"];
  // Reading the issuers takes 30 times as long as a handshake; a busy machine gets some tries.
  for (let left = 5;; left--) {
    const { stdout } = await netdemo(["check", target, ...flags]);
    const [first = NaN, second = NaN] = [...stdout.matchAll(/"tlsMs":([\d.]+)/g)]
      .map(([, ms]) => Number(ms));
    if (first < 8 * second) return;
    assertGreater(left, 0, `the first took ${first} ms, the second ${second} ms`);
  }
});

testWith([openssl], "a conversation is played over TLS", async () => {
  await using made = await Certificates.make();
  await made.add("good", `IP:${HOST}`, [-30, 20]);
  // It answers each line with its letters in reverse, and leaves once it gets CLOSE.
  await using server = await startOpenssl(made, "good", "-rev");
  const path = `${made.folder}/reverse.talk`;
  const talk = "== reverses\n> {w}\\n\n< {reverse(w)}\\n\n> {v}\\n\n< {reverse(v)}\\n\n\n" +
    "== leaves\n> CLOSE\\n\n< {end}\n";
  await Deno.writeTextFile(path, talk);
  const asked = ["--talk", path, "--ca", `${made.folder}/ca.pem`, `tls://${HOST}:${server.port}`];
  const { code, verdicts, probes } = await check(...asked);
  assertEquals([code, verdicts], [0, ["ok"]]);
  assertEquals(probes[0]?.certificateDays, 19);
  await Deno.writeTextFile(path, talk.replace("{reverse(w)}", "{upper(w)}"));
  const { code: failed, verdicts: found, stderr } = await check(...asked);
  assertEquals([failed, found], [1, ["wrong"]]);
  assertMatch(stderr, /reverse\.talk:3: < \{upper\(w\)\}/);
});
