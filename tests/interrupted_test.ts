/** What is left of a check or a path that a signal or an error ends: a report of what is known. */
import { assertEquals, assertMatch } from "@std/assert";
import { calculate } from "../protocol/calculator.ts";
import {
  netdemoCommand,
  netdemoInProcess,
  Process,
  signalTest,
  silence,
  until,
} from "./harness/mod.ts";
import { freePort } from "./harness/free_port.ts";
import { forever, request, send, startStreams } from "./harness/peers.ts";
import { readXml } from "./harness/report_readers.ts";

const HOST = "127.0.0.1";

/** The names of the cases in a JUnit file, and why it ended early. */
function casesIn(xml: string) {
  const elements = readXml(xml);
  const names = elements.filter(({ name }) => name === "testcase")
    .map(({ attributes }) => attributes.name);
  const error = elements.find(({ name }) => name === "error")?.attributes["message"];
  return { names, error };
}

/** An honest server and a silent one; `asked` resolves once the one has answered, the other not. */
async function startBoth(stack: AsyncDisposableStack) {
  const [answered, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const honest = await startStreams(HOST, async (stream) => {
    await send(stream, `${calculate(await request(stream))}\n`);
    while (await stream.read(new Uint8Array(64)) !== null);
    answered.resolve();
  });
  const silent = await startStreams(HOST, () => {
    held.resolve();
    return forever;
  });
  const [good = "", bad = ""] = [honest, silent].map((peer) => `${HOST}:${stack.use(peer).port}`);
  return { good, bad, asked: Promise.all([answered.promise, held.promise]) };
}

/** The ways to check, and what they print once all targets are known. */
const checks: readonly (readonly [flags: readonly string[], until?: RegExp])[] = [
  [["--timeout", "60s"]],
  [["--timeout", "60s", "--for", "60s"]],
  [["--timeout", "300ms", "--for", "60s"], /"try":2,/],
  [["--timeout", "60s", "--sizes", "44..44"]],
  [["--timeout", "60s", "--count", "9"]],
];

for (const [flags, until] of checks) {
  signalTest(`a check ${flags.join(" ")} that is stopped reports what it knows`, async () => {
    await using stack = new AsyncDisposableStack();
    const { good, bad, asked } = await startBoth(stack);
    const args = ["check", good, bad, ...flags];
    const { stdout, names, error } = await stopped(args, async (process) => {
      await asked;
      if (until !== undefined) await process.printed(until);
    });
    const [known, rest] = until === undefined
      ? [[`${good} is ok`], `; not checked: ${bad}`]
      : [[`${good} is ok`, `${bad} is ok`], ""];
    assertEquals(names, [...known, "netdemo check"]);
    assertEquals(error, `the check was interrupted${rest}`);
    assertMatch(stdout, /"event":"summary","ok":false,.*"exitCode":143,.*\n$/);
  });
}

signalTest("a check --count that is stopped in a round reports the rounds before", async () => {
  let asked = 0;
  const held = Promise.withResolvers<void>();
  await using server = await startStreams(HOST, async (stream) => {
    const line = await request(stream);
    if (++asked === 3) {
      held.resolve();
      await forever;
    }
    await send(stream, `${calculate(line)}\n`);
  });
  const args = [`${HOST}:${server.port}`, "--count", "9", "--every", "0s", "--timeout", "60s"];
  await using process = new Process([...netdemoCommand, "check", ...args, "--json"]);
  await held.promise;
  const { code, stdout } = await process.stop("SIGTERM");
  assertEquals(code, 0);
  assertMatch(stdout, /"statistics",.*"tries":2,"triesAsExpected":2,/);
});

signalTest("a second signal ends a check whose output is not read", async () => {
  const file = await Deno.makeTempFile();
  try {
    const args = ["check", "--targets", "-", "--junit", file, "--json"];
    await using process = new Process([...netdemoCommand, ...args], { stdin: "piped" });
    process.stallStdout();
    await process.input("refused=127.0.0.1:1\n".repeat(2_000)); // more than a pipe takes
    await until(() => Deno.statSync(file).size > 0, "all is known");
    process.kill("SIGTERM");
    await silence(100); // sooner would count as the same signal
    process.kill("SIGTERM");
    assertEquals((await process.child.status).code, 143);
  } finally {
    await Deno.remove(file);
  }
});

signalTest("a path that is stopped while a question takes long reports the others", async () => {
  const port = String(freePort());
  const { stdout, names, error } = await stopped(
    ["path", "--listen", port, `localhost:${port}`, "--only", "reply,idle", "--idle", "60s"],
    async (process) => void await process.printed(/"reply"/),
  );
  assertEquals(names, ["a request and its reply", "netdemo path"]);
  assertEquals(error, "the questions were interrupted");
  assertMatch(stdout, /"event":"summary","ok":false,"questions":1,.*"exitCode":143,.*\n$/);
});

/** Runs a command that writes JUnit XML, and stops it with SIGTERM; returns what is in the file. */
async function stopped(args: readonly string[], ready: (process: Process) => Promise<void>) {
  const file = await Deno.makeTempFile();
  try {
    await using process = new Process([...netdemoCommand, ...args, "--json", "--junit", file]);
    await ready(process);
    const { code, stdout } = await process.stop("SIGTERM");
    assertEquals(code, 143);
    return { stdout, ...casesIn(await Deno.readTextFile(file)) };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a check or path that can't begin says why in its reports, too", async () => {
  const file = await Deno.makeTempFile();
  try {
    for (
      const [args, said] of [
        [["check", "--port-file", `${file}.none`], /^ERROR: there is no port in .*\.none$/],
        // It does not resolve, or no name server answers.
        [["path", "--listen", "9", "nosuch.invalid:9"], /^[A-Z]+: .* 'nosuch\.invalid'/],
      ] as const
    ) {
      const { stdout, stderr } = await netdemoInProcess([...args, "--tap", "--junit", file]);
      const [, failure = ""] = /^netdemo: (.*)$/m.exec(stderr) ?? [];
      assertMatch(failure, said);
      const error = failure.slice(failure.indexOf(": ") + 2);
      assertEquals(stdout, `TAP version 14\nBail out! ${error}\n`);
      const found = casesIn(await Deno.readTextFile(file));
      assertEquals(found, { names: [`netdemo ${args[0]}`], error });
    }
  } finally {
    await Deno.remove(file);
  }
});
