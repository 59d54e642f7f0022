import { assert, assertEquals, assertMatch } from "@std/assert";
import { habitHint } from "../cli/arguments/habits.ts";
import { commandHelp, overview } from "../cli/arguments/help.ts";
import { topic } from "../cli/arguments/topics.ts";
import { topics } from "../cli/dispatch.ts";
import { wordsOf } from "../cli/errors/failure_words.ts";
import { systemWords } from "../cli/system_words.ts";
import { hintFor } from "../commands/check/report/hints.ts";
import { parseExpectation } from "../commands/check/targets/targets.ts";
import { verdicts } from "../commands/check/probe/verdict.ts";
import { entries } from "../commands/grade/checks/catalogue.ts";
import { locate } from "../commands/grade/locate.ts";
import { CannotStart } from "../commands/grade/program/child.ts";
import { cannotStart } from "../commands/grade/examine.ts";
import { lessonSubject, subjectNames } from "../commands/grade/subjects.ts";
import { commands } from "../main.ts";
import { type SocketFacts, SocketFailure } from "../sockets/failure.ts";
import { habits, words } from "./harness/habits.ts";
import { netdemoInProcess, run, testWith, tool } from "./harness/mod.ts";
import { wordsOfLine } from "./harness/shell.ts";
import { shellWord } from "../text/shell.ts";

/** Words of one system, which nobody on another must read. */
const foreign: Readonly<Record<string, RegExp>> = {
  linux: /\bss -l|(?<!netdemo \S+ .*)%eth\d/,
  darwin: /\blsof\b|%en\d/,
  unix:
    /\bulimit\b|\bchmod\b|(?:^|\s)\.\/\w|\bSIG(?:TERM|HUP)\b|(?<!on Unix.*)\bSIGPIPE\b|\/dev\/null|\bkill (?:%|\$)|\bsudo\b|\bpython3\b| &(?:$|\s)|\/tmp\//,
  windows:
    /\bnetstat\b|\bfindstr\b|NetTCPConnection|\.\\\w|\.exe\b|-- py |called py\b|Ctrl-Break|%12\b/,
};

/** Failures of every phase, with what may have caused them; a path is Unix's alone. */
const facts: readonly SocketFacts[] = [
  { phase: "resolve", host: "web" },
  { phase: "resolve", host: "web", timeoutMs: 5_000 },
  ...["127.0.0.1", "fe80::1", "fe80::1%9"].flatMap((hostname): SocketFacts[] => {
    const endpoint = { hostname, port: 40 };
    const about = { endpoint, protocol: "tcp", timeoutMs: 5_000 } as const;
    const attempts = [{ endpoint, kind: "UNREACHABLE", error: undefined }] as const;
    return [
      { phase: "listen", endpoint },
      { phase: "connect", attempts, protocol: "udp", timeoutMs: 5_000 },
      { phase: "send", endpoint, protocol: "udp" },
      { phase: "reply", ...about, received: 0 },
      { phase: "reply", ...about, received: 9, problem: "too long" },
      { phase: "reply", ...about, received: 9, problem: "not text" },
    ];
  }),
];
const kinds = [
  "DNS",
  "REFUSED",
  "UNREACHABLE",
  "RESET",
  "CLOSED",
  "BIND",
  "TIMEOUT",
  "ERROR",
] as const;
const errnos = [
  ...["EADDRINUSE", "EACCES", "EPERM", "EMFILE", "ENFILE", "EADDRNOTAVAIL", "EAFNOSUPPORT"],
  ...["EINVAL", "ENETDOWN", "EHOSTUNREACH", "EHOSTDOWN", "ENOPROTOOPT", "EMSGSIZE", "EAI_AGAIN"],
  ...["ENOTFOUND", "EIO"],
];

/** Everything that a user of the system may be told to type or to read, each text with its source. */
async function textsFor(os: string): Promise<[source: string, text: string][]> {
  const system = systemWords(os);
  const version = { number: "1.0.0", runtime: "Deno", target: "x86_64" };
  const texts: [string, string][] = [["help", overview(commands, version, 100)]];
  for (const name of topics) texts.push([`help ${name}`, topic(name, 100, system)]);
  for (const command of commands) {
    const program = await command.load(system);
    texts.push([`help ${command.name}`, await commandHelp(command, program, 100)]);
  }
  for (const typed of Object.keys(habits)) {
    texts.push([typed, await habitHint(words(typed), commands, system) ?? ""]);
  }
  for (const one of facts) {
    for (const kind of kinds) {
      for (const code of errnos) {
        const cause = Object.assign(new Error("it failed"), { code });
        const { message, hint } = wordsOf(new SocketFailure(kind, one, cause), undefined, system);
        texts.push([`${one.phase} ${kind} ${code}`, `${message}\n${hint}`]);
      }
    }
  }
  for (const text of ["web:1", "udp://web:1"]) {
    const expected = parseExpectation(text, { services: ["calc"], canBeSlow: true });
    for (const verdict of verdicts) {
      const target = { expected, verdict, rows: [], asExpected: false };
      texts.push([`${verdict} ${text}`, hintFor(target, system)]);
    }
  }
  return [...texts, ...await textsOfGrade(os)];
}

async function textsOfGrade(os: string): Promise<[source: string, text: string][]> {
  const system = systemWords(os);
  const subjects = (["tcp", "udp"] as const).flatMap((protocol) =>
    subjectNames.flatMap((name) => lessonSubject(name, protocol, false) ?? [])
  );
  const checks = entries(subjects).map(({ check }): [string, string] => [
    `grade ${check.id}`,
    [check.how, check.why, check.fix].join("\n"),
  ]);
  const [subject] = subjects;
  assert(subject !== undefined);
  const options = { subject, level: "lesson", timeout: 1, lines: false } as never;
  const failures = [
    ...[["python"], ["python3"], ["server"], ["one word"]].flatMap((command) =>
      [new Deno.errors.NotFound(), new Deno.errors.PermissionDenied()].map((cause) =>
        cannotStart(new CannotStart(command[0] ?? "", cause), { command } as never, system)
      )
    ),
    await locate(options, system).catch((error) => error),
  ];
  return [
    ...checks,
    ...failures.map(({ message, hint }): [string, string] => [message, hint ?? ""]),
  ];
}

for (const os of ["linux", "darwin", "windows"]) {
  Deno.test(`every hint and help page names the tools of the reader's system: ${os}`, async () => {
    const texts = await textsFor(os);
    const others = Object.keys(foreign).filter((name) =>
      name !== os && (name !== "unix" || os === "windows")
    ).map((name) => foreign[name]!);
    const wrong = texts.filter(([source, text]) =>
      others.some((words) => words.test(text) && !words.test(source))
    );
    assertEquals(wrong, []);
    // Each entry of the table is in use.
    const all = texts.map(([, text]) => text).join("\n");
    for (const [name, word] of Object.entries(systemWords(os))) {
      const said: string = typeof word === "function" ? word(40) : word;
      assert(all.replaceAll(/\s+/g, " ").includes(said), `${name}: ${said}`);
    }
  });
}

/** {port} in a line to type where PowerShell would take it for a script block. */
const UNQUOTED = /^.*(?:netdemo|grade) .*(?<!["'][^"' ]*)\{port\}/m;

Deno.test("every line to type in the documentation and in hints has {port} in quotes", async () => {
  const root = `${import.meta.dirname}/..`;
  const pages = [...Deno.readDirSync(`${root}/docs`)].map(({ name }) => `docs/${name}`)
    .filter((name) => name.endsWith(".md")).concat("README.md", "examples/grade/run_autograder");
  const texts = await textsFor("windows");
  for (const page of pages) texts.push([page, await Deno.readTextFile(`${root}/${page}`)]);
  assertEquals(
    texts.flatMap(([source, text]) =>
      [UNQUOTED.exec(text)?.[0] ?? []].flat().map((line) => [source, line])
    ),
    [],
  );
  assert(texts.some(([, text]) => text.includes('"{port}"')));
});

Deno.test("what PowerShell makes of {port} without quotes gets the line with quotes", async () => {
  const block = ["-encodedCommand", "cABvAHIAdAA=", "-inputFormat", "xml", "-outputFormat", "text"];
  for (
    const [typed, meant] of [
      [
        ["grade", "calc-server", "--", "py", "s.py", ...block],
        'grade calc-server -- py s.py "{port}"',
      ],
      [
        ["grade", "calc-server", "--", "s.exe", "-p", ...block, "-v"],
        'grade calc-server -- s.exe -p "{port}" -v',
      ],
      [
        ["check", "--port-file", "p", "localhost:", ...block],
        'check --port-file p "localhost:{port}"',
      ],
    ] as const
  ) {
    const { code, stderr } = await netdemoInProcess(typed);
    assertEquals(code, 2);
    assertEquals(
      stderr,
      "netdemo: USAGE: PowerShell took {port} for a script block: received '-encodedCommand'\n" +
        `hint: braces need quotes: netdemo ${meant}\n`,
    );
  }
  const script = ["grade", "calc-server", "x:1", "--", "pwsh", "-encodedCommand", "dwBoAG8A"];
  assertMatch((await netdemoInProcess(script)).stderr, /a TARGET and a COMMAND/);
  const sent = await netdemoInProcess(["address", "-encodedCommand", "x"]);
  assertMatch(sent.stderr, /unknown flag -encodedCommand/);
});

testWith([tool("sh")], "a word in a hint reaches netdemo as it is", async () => {
  const words = [
    ...["calc", "*", "", "a b", "{port}", "it's", 'say "hi"', "$HOME", "`id`", "a\\\\b", "end\\"],
    ...["GET / HTTP/1.0\\r\\n", "%PATH%", "!1", "@a", "~", "#", "[::1]:40", "a;b", "x&y", "-"],
  ];
  const line = words.map(shellWord).join(" ");
  const { stdout } = await run(["sh", "-c", `printf '%s\\n' ${line}`]);
  assertEquals(stdout.split("\n").slice(0, -1), words);
  // Single quotes are not quotes to cmd: they are left for what double quotes can't hold.
  const single = words.filter((word) => shellWord(word).startsWith("'"));
  assertEquals(single, [
    ...['say "hi"', "$HOME", "`id`", "a\\\\b", "end\\", "%PATH%", "!1"],
  ]);
  assertEquals(wordsOfLine("a \"b c\" 'd e'"), ["a", "b c", "d e"]);
});
