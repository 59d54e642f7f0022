/** The files in examples/talks, played with the servers that they are about. */
import { assertEquals } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { netdemoInProcess, Process, pythonTest, testWith, tool } from "../harness/mod.ts";

const root = `${import.meta.dirname}/../..`;

/** Checks a server on this port until it is up; what its last check prints. */
async function check(name: string, port: number): Promise<void> {
  const { code, stdout, stderr } = await netdemoInProcess([
    "check",
    ...["--talk", `${root}/examples/talks/${name}.talk`, "--for", "20s"],
    `127.0.0.1:${port}`,
  ]);
  assertEquals([code, stderr], [0, ""], stdout);
}

testWith([tool("redis-server")], "redis speaks the conversations of redis.talk", async () => {
  const port = getAvailablePort();
  const options = ["--port", `${port}`, "--save", "", "--bind", "127.0.0.1"];
  await using _server = new Process(["redis-server", ...options]);
  await check("redis", port);
});

const NGINX = `
daemon off; master_process off; pid PORT.pid; error_log PORT.log; events {}
http { access_log off; server { listen 127.0.0.1:PORT; location = / { return 200 "Hello\\n"; } } }
`;

testWith([tool("nginx")], "nginx speaks the conversations of http.talk", async () => {
  const port = getAvailablePort();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/nginx.conf`, NGINX.replaceAll("PORT", `${port}`));
    const options = ["-p", folder, "-c", "nginx.conf", "-e", `${folder}/error.log`];
    await using _server = new Process(["nginx", ...options]);
    await check("http", port);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

pythonTest("mail servers speak the conversations of smtp.talk and pop3.talk", async (python) => {
  const [smtp, pop3] = [getAvailablePort(), getAvailablePort()];
  const script = `${root}/tests/harness/mail_servers.py`;
  await using _server = new Process([python, script, `${smtp}`, `${pop3}`]);
  await check("smtp", smtp);
  await check("pop3", pop3);
});

Deno.test("netdemo holds the conversations of all of them itself", async () => {
  for (const { name } of Deno.readDirSync(`${root}/examples/talks`)) {
    const { code, stderr } = await netdemoInProcess(["demo", `${root}/examples/talks/${name}`]);
    assertEquals([code, stderr], [0, ""], name);
  }
});
