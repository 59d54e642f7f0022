import { assert, assertEquals } from "@std/assert";
import { habitHint } from "../cli/arguments/habits.ts";
import { commands } from "../main.ts";
import { wordsOfLine } from "./harness/shell.ts";
import { netdemoInProcess } from "./harness/mod.ts";

/**
 * What users of other tools type, and the line that the hint shows.
 *
 * Lines are split at spaces; an argument with spaces is in quotes.
 */
const habits: Readonly<Record<string, string>> = {
  // Names of commands.
  "server calc": "calc-server",
  "server calc --port 4040": "calc-server --port 4040",
  "client message hi": "message-client hi",
  "calc server": "calc-server",
  "hello client :4030": "hello-client :4030",
  "calculator-server --port 4040": "calc-server --port 4040",
  "calc 10 20 +": "calc-client 10 20 +",
  "message Hello": "message-client Hello",
  "version": "--version",
  "-v": "--version",
  "-version": "--version",
  "commands": "help",
  "-help": "help",
  "man calc-server": "help calc-server",
  "calc-server help": "help calc-server",
  "help calc server": "help calc-server",
  "ping web:4040": "check web:4040",
  "wait localhost:4040": "check --for 30s localhost:4040",
  "nc localhost 4040": "message-client localhost:4040",
  "nc -l 4040": "message-server --port 4040",
  "demo list": "help demo",
  "demo --list": "help demo",

  // check, with the server named as for a client.
  "check --host web --port 4040": "check web:4040",
  "check -p 4040 web": "check web:4040",
  "check -p 4040": "check :4040",
  "check --udp localhost:4040": "check udp://localhost:4040",
  "check refused=web:4040/lab -u --timeout 1s": "check refused=udp://web:4040/lab --timeout 1s",
  "check --host web -p 4040 --udp --json": "check udp://web:4040 --json",

  // path.
  "path 4040 8080": "path --listen 4040 :8080",
  "path -l 4040 localhost:8080": "path --listen 4040 localhost:8080",
  "path -l 4040 web 8080": "path --listen 4040 web:8080",
  "path --port=4040 :8080": "path --listen 4040 :8080",
  "path --udp --listen 4040 8080": "path --udp --listen 4040 :8080",
  "path --listen 4040 web 8080": "path --listen 4040 web:8080",

  "run calc-server -p 4040": "calc-server -p 4040",
  "calc-server start": "calc-server",
  "--port 4040 calc-server": "calc-server --port 4040",
  "--json calc-client :4040 1 2": "calc-client --json :4040 1 2 +",

  // Servers.
  "calc-server 4040": "calc-server --port 4040",
  "calc-server :4040": "calc-server --port 4040",
  "calc-server --once 4040": "calc-server --once --port 4040",
  "calc-server 0.0.0.0:4040": "calc-server --host 0.0.0.0 --port 4040",
  "calc-server 0.0.0.0 4040": "calc-server --host 0.0.0.0 --port 4040",
  "calc-server localhost": "calc-server --host localhost",
  "calc-server -l 4040": "calc-server --port 4040",
  "calc-server -l -p 4040": "calc-server -p 4040",
  "calc-server -lp 4040": "calc-server --port 4040",
  "calc-server -l": "calc-server",
  "calc-server -k -p 4040": "calc-server -p 4040",
  "calc-server --bind 0.0.0.0": "calc-server --host 0.0.0.0",
  "calc-server --bind 0.0.0.0:4040": "calc-server --host 0.0.0.0 --port 4040",
  "calc-server --bind=:4040": "calc-server --port 4040",
  "calc-server --listen 4040": "calc-server --port 4040",
  "calc-server --listen --port 4040": "calc-server --port 4040",
  "calc-server -b 127.0.0.1 -p 4040": "calc-server --host 127.0.0.1 -p 4040",
  "calc-server -P 4040": "calc-server --port 4040",
  "calc-server --port :4040": "calc-server --port 4040",
  "calc-server --port 4040/udp": "calc-server --port 4040 --udp",
  "calc-server --port 0.0.0.0:4040": "calc-server --host 0.0.0.0 --port 4040",
  "calc-server --tcp --port 4040": "calc-server --port 4040",
  "calc-server --protocol udp": "calc-server --udp",
  "calc-server -v": "calc-server --verbose",
  "calc-server --port 4040 --daemon": "calc-server --port 4040 &",
  "calc-server --quiet --port 4040": "calc-server --port 4040 > /dev/null",
  "calc-server --host http://localhost:4040": "calc-server --host localhost --port 4040",

  // Clients.
  "calc-client localhost 4040": "calc-client localhost:4040",
  "calc-client localhost 4040 10 20 +": "calc-client localhost:4040 10 20 +",
  "calc-client 10.0.0.7 4040 10 20 +": "calc-client 10.0.0.7:4040 10 20 +",
  "calc-client localhost 10 20 +": "calc-client --host localhost 10 20 +",
  "calc-client 4040": "calc-client :4040",
  "hello-client localhost 4030": "hello-client localhost:4030",
  "hello-client 4030": "hello-client :4030",
  "hello-client localhost": "hello-client --host localhost",
  "hello-client http://localhost:4030/": "hello-client localhost:4030",
  "calc-client http://localhost:4040 1 2 +": "calc-client localhost:4040 1 2 +",
  "calc-client --host http://localhost:4040 1 2 +":
    "calc-client --host localhost --port 4040 1 2 +",
  "calc-client --host localhost:4040 1 2 +": "calc-client --host localhost --port 4040 1 2 +",
  "calc-client --server localhost 1 2 +": "calc-client --host localhost 1 2 +",
  "calc-client -H localhost 1 2 +": "calc-client --host localhost 1 2 +",
  "calc-client :4040 -v 1 2 +": "calc-client :4040 --trace 1 2 +",
  "calc-client :4040 --verbose 1 2 +": "calc-client :4040 --trace 1 2 +",
  "calc-client :4040 -w 3 1 2 +": "calc-client :4040 --timeout 3 1 2 +",
  "message-client --text Hello": "message-client Hello",
  "message-client -m 'Good morning'": "message-client 'Good morning'",
  "hello-client :4030 --wait 10": "check :4030/hello --for 10",
  "calc-client --host web --port 4040 --retry": "check web:4040 --for 30s",
  "hello-client --ipv6 -p 4030": "hello-client --host ::1 -p 4030",

  // The calculator.
  "calc-client 10 + 20": "calc-client 10 20 +",
  "calc-client 10+20": "calc-client 10 20 +",
  "calc-client '10+20'": "calc-client 10 20 +",
  "calc-client :4040 10x20": "calc-client :4040 10 20 '*'",
  "calc-client + 10 20": "calc-client 10 20 +",
  "calc-client :4040 6 '*' 7": "calc-client :4040 6 7 '*'",
  "calc-client 6 7 README.md": "calc-client 6 7 '*'",
  "calc-client :4040 6 7 LICENSE README.md build cli": "calc-client :4040 6 7 '*'",
  "calc-client 10 20": "calc-client 10 20 +",
  "calc-client :4040 10+20 --json": "calc-client :4040 10 20 + --json",
  "calc-client 6 7 LICENSE README.md --timeout 5s": "calc-client 6 7 '*' --timeout 5s",
  "demo calc 10 + 20": "demo calc 10 20 +",

  // Addresses.
  "address 80": "address :80",
  "address 10.0.0.0/24": "address 10.0.0.0",
  "address localhost 80": "address localhost:80",
  "address http://localhost/": "address localhost",

  // The tools.
  "check 4040": "check :4040",
  "check :4040 --wait 10": "check :4040 --for 10",
  "check :4040 --retry": "check :4040 --for 30s",
  "serve calc 4040": "serve calc:4040",
  "relay 4041 localhost:4040": "relay --port 4041 localhost:4040",
  "path 4040 localhost:8080": "path --listen 4040 localhost:8080",
  "grade calc-server localhost 4040": "grade calc-server localhost:4040",
  "calc-client -4 :4040 10 20 +": "calc-client 127.0.0.1:4040 10 20 +",
  "calc-client 10 20 + :4040": "calc-client :4040 10 20 +",
  "grade calc-server python3 server.py": "grade calc-server -- python3 server.py",
  "grade calc-server server.py": "grade calc-server -- python3 server.py '{port}'",
  "demo udp": "demo --udp",
  "demo --scene calc": "demo calc",
  "check localhost 4040": "check localhost:4040",
  "calc-client 6 x 7": "calc-client 6 7 '*'",
  "relay 4041:localhost:4040": "relay --port 4041 localhost:4040",
  "serve calc=4040": "serve calc:4040",
  "-- calc-server": "calc-server",
  "calc-client -6 :4040 1 2 +": "calc-client '[::1]:4040' 1 2 +",
  "check refused localhost:4049": "check refused=localhost:4049",
  "relay --port 4061 localhost 4040": "relay --port 4061 localhost:4040",
  "demo explain": "demo --explain",
  "localhost:4040": "check localhost:4040",
  "connect localhost 4040": "hello-client localhost:4040",
  "-l 4040": "message-server --port 4040",
  "calc-server port 4060": "calc-server --port 4060",
  "message-client -w 3 meet at 4040": "message-client --timeout 3 meet at 4040",
  "message-client -v see localhost 4040": "message-client --trace see localhost 4040",
};

/** Other mistakes, whose hint shows no line to type. */
const others: readonly string[] = [
  "clac-server",
  "calc-server --prot 4040",
  "calc-server --port",
  "calc-server --port 65536",
  "calc-client 10 20 +  --once",
  "calc-client 5 2 + 3",
  "ping localhost",
  "check web",
  "message-client --prt 4040 at 4040",
  "xyzzy",
];

/** Whether a command parses a line without its redirection. */
async function isAccepted(line: string): Promise<boolean> {
  const [name, ...args] = wordsOfLine(line.replace(/ (?:&|> .*)$/, ""));
  if (name === "--version" || name === "help") return true;
  const program = await commands.find((command) => command.name === name)?.load();
  await program?.parse(args);
  return program !== undefined;
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
  assertEquals(shown, habits);
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

/** The words of a line, split as a shell splits them. */
function words(line: string): string[] {
  return (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
}
