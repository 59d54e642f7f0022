/** grade with the tools of Windows: those in `tools/` imitate them elsewhere. */
import { assertEquals, assertMatch } from "@std/assert";
import { exitCodeWords, socketsIn, usageInTable } from "../../commands/grade/program/windows.ts";
import { usageIn } from "../../commands/grade/program/system.ts";
import { fromSource, python, python3, run, testWith, tool } from "../harness/mod.ts";
import { onWindows } from "./elsewhere.ts";

const needs = [fromSource, python3, tool("ss"), tool("pgrep")];
const env = { PATH: `${import.meta.dirname}/tools:${Deno.env.get("PATH")}` };
const server = `${import.meta.dirname}/../grade/programs/calc_server.py`;

function grade(checks: string, ...command: readonly string[]) {
  const flags = ["--level", "robust", "--only", checks, "--seed", "1", "--", ...command];
  return run(onWindows("grade", "calc-server", ...flags), { env });
}

testWith(needs, "Windows: grade counts sockets with netstat, and skips Ctrl-C", async () => {
  const folder = await Deno.makeTempDir();
  const source = await Deno.readTextFile(server);
  // It keeps the connections of clients that never ask.
  const leaking = source.replace("def serve", "left = []\n\n\ndef serve")
    .replace("    try:\n        while", "    heard = []\n    try:\n        while")
    .replace("                break\n", "                break\n            heard.append(data)\n")
    .replace("        client.close()", "        client.close() if heard else left.append(client)");
  await Deno.writeTextFile(`${folder}/server.py`, leaking);
  const [fair, { stdout }] = await Promise.all([
    grade("ctrl-c,leak,busy", python(), server, "{port}"),
    grade("leak", python(), `${folder}/server.py`, "{port}"),
  ]);
  assertMatch(fair.stdout, /skip ctrl-c +Windows lets no other program press Ctrl-C/);
  assertMatch(fair.stdout, /skip leak +no tool here counts the sockets that a program holds/);
  assertMatch(fair.stdout, /ok {3}busy /);
  assertMatch(stdout, /FAIL leak .*\n(?:.*\n)*.*sockets are still held/);
  await Deno.remove(folder, { recursive: true });
});

testWith(
  needs,
  "Windows: grade finds the port of what a batch file starts, and ends it",
  async () => {
    const mark = crypto.randomUUID();
    const batch = `${python()} ${server} 0 ${mark} & wait`;
    const { stdout } = await grade("two-clients", "sh", "-c", batch);
    assertMatch(stdout, /ok {3}two-clients /);
    const { code } = await run(["pgrep", "-f", mark]);
    assertEquals(code, 1, "a process is left");
  },
);

Deno.test("the sockets of netstat are read in any language", () => {
  const text = `
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:4040           0.0.0.0:0              ABHÖREN         1044
  TCP    [::]:4040              [::]:0                 ABHÖREN         1044
  TCP    127.0.0.1:4040         127.0.0.1:50001        HERGESTELLT     1044
  TCP    127.0.0.1:4040         127.0.0.1:50000        WARTEND         0
  UDP    [::1]:1900             *:*                                    2200
`;
  assertEquals(
    socketsIn(text)?.map(({ protocol, local, isListening, pid }) =>
      `${protocol} ${local.hostname}:${local.port} ${isListening} ${pid}`
    ),
    [
      "tcp *:4040 true 1044",
      "tcp *:4040 true 1044",
      "tcp 127.0.0.1:4040 false 1044",
      "tcp 127.0.0.1:4040 false 0",
      "udp ::1:1900 true 2200",
    ],
  );
  assertEquals(socketsIn(text.replaceAll(/ +\d+$/gm, "")), undefined, "without process numbers");
});

Deno.test("a program's processes are added up, in pages of any size", () => {
  const table = "4 0 0 0\r\n10 4 20000 100\r\n12 11 10000 10\r\n11 10 10000 1\r\n99 4 5 5\r\n";
  assertEquals(usageInTable(table, 10), { pids: [10, 11, 12], cpuMs: 4, memory: 111 });
  assertEquals(usageInTable(table, 7), undefined);
  const stat = `7 (a b) S 1 7 7 ${"0 ".repeat(7)}1 2 3 4 ${"0 ".repeat(6)}50 0\n`;
  assertEquals(usageIn(`16384\n${stat}`, 7), { pids: [7], cpuMs: 100, memory: 50 * 16_384 });
  assertEquals(usageIn(`4096\n${stat}`, 7).memory, 50 * 4_096);
});

Deno.test("exit codes of Windows are unsigned, and say what happened", () => {
  assertEquals(exitCodeWords(1), "1");
  assertEquals(exitCodeWords(-1_073_741_819), "0xC0000005 (a pointer or an index went wrong)");
  assertEquals(exitCodeWords(0xc0000135), "0xC0000135 (a DLL is missing)");
  assertEquals(exitCodeWords(-1), "0xFFFFFFFF");
});
