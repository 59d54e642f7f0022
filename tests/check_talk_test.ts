import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startServer } from "../services/server/start.ts";
import type { Server } from "../services/server/server.ts";
import { talkService } from "../services/talk.ts";
import { parseTalk } from "../talk/parse.ts";
import { netdemoInProcess } from "./harness/mod.ts";

/** Serves one file and checks with another. */
async function check(served: string, asked: string, ...flags: readonly string[]) {
  const talk = parseTalk(served);
  await using server: Server = await startServer(
    talkService("served", talk),
    { protocol: talk.udp ? "udp" : "tcp", port: 0, addresses: ["127.0.0.1"] },
    {},
  );
  const folder = await Deno.makeTempDir();
  const path = `${folder}/a.talk`;
  await Deno.writeTextFile(path, asked);
  try {
    return await netdemoInProcess([
      "check",
      "--talk",
      path,
      `127.0.0.1:${server.port}`,
      ...flags,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const sum = "> {a} + {b}\\n\n< {a + b}\\n\n";

Deno.test("check --talk plays the conversations of a file", async () => {
  const { code, stdout, stderr } = await check(sum, `${sum}> {a} + {a}\\n\n< {a + a}\\n\n`);
  assertEquals([code, stderr], [0, ""]);
  assert(/^ok {3}\S+ 127\.0\.0\.1 {2}ok {2}connect \S+ {2}reply \S+ ms\n$/.test(stdout), stdout);
});

Deno.test("check --talk says what does not prove that the reply is fresh", async () => {
  assertStringIncludes(
    (await check("> a\n< b\n", "> a\n< b\n")).stdout,
    "a canned reply looks the same",
  );
  assertStringIncludes(
    (await check("> {a}\n< {a}\n", "> {a}\n< {a}\n")).stdout,
    "an echo looks the same",
  );
});

Deno.test("a wrong reply is shown with the line of the file, and where it parts", async () => {
  const { code, stderr } = await check(sum, "> {a 7..7} + 1\\n\n# In digits.\n< = {a + 1}\\n\n");
  assertEquals(code, 1);
  const shown = stderr.replaceAll(/\S*\/(?=a\.talk)/g, "");
  assertStringIncludes(
    shown.replaceAll(/ +(?=#|\^)/g, " "),
    "# In digits.\n  a.talk:3: < = {a + 1}\\n\n ^\n  sent    7 + 1\\n\n  wanted  = 8\\n\n  came    8\\n\n ^\n",
  );
});

Deno.test("the carets stand where the two part, also after a space", async () => {
  const { stderr } = await check("> a\n< len 8\n", "> a\n< len 5\n");
  const [, source = "", caret = "", , , came = "", below = ""] = stderr.split("\n");
  assertEquals([source.lastIndexOf("5"), came], [caret.indexOf("^"), "  came    len 8"]);
  assertEquals(below.indexOf("^"), came.indexOf("8"));
});

Deno.test("a limit that --for has shortened is named in whole milliseconds", async () => {
  const { stdout, stderr } = await check("> a\n< b\n", "< b\n", "--for", "100ms");
  assertMatch(stdout, /connected, then none in \d+ms\n/);
  assertMatch(stderr, /nothing in \d+ms\n/);
});

Deno.test("--first plays the first conversation alone", async () => {
  const asked = "== right\n> 1 + 2\\n\n< 3\\n\n\n== wrong\n> 1 + 2\\n\n< 4\\n\n";
  assertEquals((await check(sum, asked, "--first")).code, 0);
  const { code, stdout } = await check(sum, asked, "--json");
  assertEquals(code, 1);
  const probe = JSON.parse(stdout.split("\n")[0] ?? "");
  assertEquals(
    [probe.verdict, probe.line, probe.wanted, probe.came],
    ["wrong", 7, "4\\n", "3\\n"],
  );
});

Deno.test("datagrams are asked over UDP without being told, and may be lost", async () => {
  const file = "udp\n> {n as u16}\n< {n + 1 as u16}\n< {n + 2 as u16}\n";
  assertEquals((await check(file, file)).code, 0);
  const { code, stderr } = await check(file, "udp\n> hello\n< hello\n", "--timeout", "400ms");
  assertEquals(code, 124);
  assertStringIncludes(stderr, "nothing in 400ms");
});

Deno.test("a wrong use of --talk starts nothing", async () => {
  for (
    const [args, words] of [
      [["--first", ":1"], "--first needs --talk"],
      [["--talk", "missing.talk", ":1"], "cannot read the conversation file 'missing.talk'"],
      [
        ["--talk", "x", "--send", "a", "--reply", "b", ":1"],
        "--talk has its own requests and replies",
      ],
      [["--talk", "deno.json", ":1"], "deno.json:1:1: a line begins with"],
    ] as const
  ) {
    const { code, stderr } = await netdemoInProcess(["check", ...args]);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, words);
  }
});
