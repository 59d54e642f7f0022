import { assert, assertEquals } from "@std/assert";
import { habitHint } from "../cli/arguments/habits.ts";
import { systemWords } from "../cli/system_words.ts";
import { commands } from "../main.ts";
import { habits, words } from "./harness/habits.ts";
import { wordsOfLine } from "./harness/shell.ts";
import { netdemoInProcess } from "./harness/mod.ts";

/** Other mistakes, whose hint shows no line to type. */
const others: readonly string[] = [
  "clac-server",
  "calc-server --prot 4040",
  "calc-server --port",
  "calc-server --port 65536",
  "calc-client 10 20 +  --once",
  "calc-client 5 2 + 3",
  "ping localhost",
  "demo calc --port 4040",
  "calc-client 10 20 add",
  "grade calc-server --level robst -- x",
  "grade calc-server --levl robust server.py",
  "calc-client 5 2 3 +",
  "lab-server reset",
  "calc-server --interface eth0",
  "calc-server --threads 4",
  "check not localhost:4040",
  "clac-server localhost:4040 4040 4",
  "check web",
  "message-client --prt 4040 at 4040",
  "xyzzy",
  "-all",
];

/** Whether a command parses a line without its redirection. */
async function isAccepted(line: string): Promise<boolean> {
  const [name, ...args] = wordsOfLine(line.replace(/ > .*$/, ""));
  if (name === "help") return true;
  const program = await commands.find((command) => command.name === name)?.load();
  await program?.parse(args);
  return program !== undefined;
}

/** The line as this system's users get it; the table has it for Linux. */
function inWordsOfHere(line: string): string {
  return line.replace('-- python3 server.py "', `-- ${systemWords().python} server.py "`);
}

Deno.test("habits from other tools get the line to type, which is valid", async () => {
  const shown: Record<string, string | undefined> = {};
  for (const [typed, meant] of Object.entries(habits)) {
    const { code, stdout, stderr } = await netdemoInProcess(words(typed));
    assertEquals([code, stdout.split("\n").length - 1], [
      2,
      words(typed).includes("--json") ? 1 : 0,
    ], typed);
    const [, line] = /^netdemo: USAGE: .+\nhint: [^\n]+: netdemo ([^\n]+)\n$/.exec(stderr) ?? [];
    shown[typed] = line ?? stderr;
    assert(await isAccepted(meant), `${meant} is not accepted`);
  }
  const here = Object.entries(habits).map(([typed, meant]) => [typed, inWordsOfHere(meant)]);
  assertEquals(shown, Object.fromEntries(here));
  assert(Object.keys(habits).length >= 60);
});

Deno.test("other mistakes get no line to type that is wrong too", async () => {
  for (const typed of others) {
    const { code, stderr } = await netdemoInProcess(words(typed));
    assertEquals(code, 2);
    assert(!/\nhint: .*: netdemo /.test(stderr), stderr);
  }
});

/** Mistakes in every command, for which some hint shows a line. */
const mistakes = `
calc-server extra words
calc-server --host localhost:4040
serve 4040
serve calc:4040 lab:4040
serve --once
check
check web
check http://
check ::1:4040
check web:4040,web:4041
check --every 1s :4040
check --send x web:4040/calc
relay
relay localhost:4040
relay --port 4041
relay --port 4041 unix:/tmp/x
relay --port 4041 --udp tcp://localhost:4040
path
path --listen 4040
path localhost:8080
path --listen tcp://localhost:4040 localhost:8080
grade
grade calc-server
grade calc-client
grade calc-server localhost:4040 extra
grade calc-server --level stream example.com:4040
address 10.1
completions
completions bash zsh
demo calc --svg --json
demo --svg
hello-client x
hello-client user@web:4040
lab-client :4040
calc-client unix:
calc-client -- :4040 1 2
`;

Deno.test("no hint of a mistake shows a line that netdemo refuses", async () => {
  let shown = 0;
  for (const typed of mistakes.trim().split("\n")) {
    const { stderr } = await netdemoInProcess(words(typed));
    const [, line] = /\nhint: (?:.*(?:: |for example ))?netdemo (.+)\n$/.exec(stderr) ?? [];
    if (line === undefined || /^help .* (?:shows|lists)|^\S+ --\S+ (?:shows|lists)/.test(line)) {
      continue;
    }
    shown++;
    assert(await isAccepted(line), `${typed}: ${stderr}`);
  }
  assert(shown > 10, `${shown} lines`);
});

Deno.test("a long line, such as an expanded *, is handled quickly", async () => {
  const start = performance.now();
  for (const word of ["file.txt", "--x=1", "--once", "1", "- "]) {
    for (const command of ["calc-client", "calc-server", "check", "grade", "address"]) {
      for (const count of [499, 50_000]) {
        await habitHint([command, ...Array(count).fill(word)], commands);
      }
    }
  }
  assert(performance.now() - start < 5_000);
});
