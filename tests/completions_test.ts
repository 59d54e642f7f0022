import { assert, assertEquals, assertMatch } from "@std/assert";
// Deno resolves a file of a package that something imports.
import "tree-sitter-powershell/package.json" with { type: "json" };
import { Language, type Node, Parser } from "web-tree-sitter";
import { commands } from "../main.ts";
import { netdemoInProcess, python3, run, testWith, tool } from "./harness/mod.ts";
import { session } from "./harness/terminal_session.ts";

/** A shell's script, in a file that is removed with its scope. */
async function scriptFor(shell: string): Promise<AsyncDisposable & { readonly path: string }> {
  const { code, stdout } = await netdemoInProcess(["completions", shell]);
  assertEquals(code, 0);
  const path = await Deno.makeTempFile({ suffix: `.${shell}` });
  await Deno.writeTextFile(path, stdout);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Lines as typed before Tab, with their completions. */
const completed: Readonly<Record<string, readonly string[]>> = {
  "calc-s": ["calc-server"],
  "calc-server --port-": ["--port-file"],
  "calc-client --tim": ["--timeout"],
  "help exit": ["exit-codes"],
  "completions fi": ["fish"],
  "demo refu": ["refused"],
};

testWith([tool("bash")], "bash completes commands, flags, scenes and topics", async () => {
  await using script = await scriptFor("bash");
  const tries = [...Object.keys(completed), "calc-server --port ", ""].map((line) => {
    const words = ["netdemo", ...line.split(" ")].map((word) => `'${word}'`);
    return `COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _netdemo; ` +
      'echo "${COMPREPLY[*]}"';
  });
  const code = [`. '${script.path}'`, ...tries].join("\n");
  const { stdout, stderr } = await run(["bash", "--norc", "-c", code]);
  const [first, ...rest] = stdout.trimEnd().split("\n").reverse();
  assertEquals(stderr, "");
  assertEquals(first?.split(" ").slice(0, commands.length), commands.map(({ name }) => name));
  assertEquals(rest.reverse(), [...Object.values(completed).map((words) => words.join(" ")), ""]);
});

testWith([tool("fish")], "fish completes commands, flags, scenes and topics", async () => {
  await using script = await scriptFor("fish");
  const tries = Object.keys(completed).map((line) => `complete -C 'netdemo ${line}'`);
  const code = [`source '${script.path}'`, ...tries].join("\n");
  const { stdout, stderr } = await run(["fish", "--no-config", "-c", code]);
  assertEquals(stderr, "");
  const words = stdout.trimEnd().split("\n").map((line) => line.split("\t")[0]);
  assertEquals(words, Object.values(completed).flat());
});

testWith([tool("zsh"), python3], "zsh completes commands, flags, scenes and topics", async () => {
  await using script = await scriptFor("zsh");
  const setUp = `autoload -U compinit; compinit -u -D; . '${script.path}'; ` +
    'netdemo() { print -r -- "<$*>"; }; print re""ady\r';
  const screen = await session(["zsh", "-f", "-i"], [
    ["type", setUp],
    ["see", "\nready"],
    ...Object.entries(completed).flatMap(([line, [word = ""]]) => {
      const whole = [...line.split(" ").slice(0, -1), word].join(" ");
      return [
        ["type", `netdemo ${line}\t`],
        ["see", `${whole} `],
        ["type", "\r"],
        ["see", `<${whole}>`],
      ] as const;
    }),
    ["type", "exit\r"],
  ]);
  assertMatch(screen, /exit code 0\n$/);
});

/** A PowerShell script, parsed by a grammar of it. */
async function parsePowerShell(script: string): Promise<Node> {
  await Parser.init();
  const wasm = import.meta.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm");
  const parser = new Parser();
  parser.setLanguage(await Language.load(await Deno.readFile(new URL(wasm))));
  const tree = parser.parse(script);
  if (tree === null) throw new Error("Cannot parse the script");
  return tree.rootNode;
}

/** The texts in the single quotes of a part of a script. */
function textsIn(part: Node | null): string[] {
  const strings = part?.descendantsOfType("verbatim_string_characters") ?? [];
  return strings.map(({ text }) => text.slice(1, -1).replaceAll("''", "'"));
}

Deno.test("the script for PowerShell is valid, and has each command with its words and flags", async () => {
  const { stdout } = await netdemoInProcess(["completions", "powershell"]);
  const script = await parsePowerShell(stdout);
  assert(!script.hasError, script.toString());
  const clauses = script.descendantsOfType("switch_clause").map((clause): [string, string[]] => [
    textsIn(clause.child(0)).join(),
    textsIn(clause.child(1)),
  ]);
  assertEquals(clauses.map(([name]) => name), [...commands.map(({ name }) => name), "help"]);
  for (const { name, load } of commands) {
    const { flags, words = [] } = await load();
    const own = Object.entries(flags).flatMap(([name, { short, about }]) => [
      `--${name} ${about}`,
      ...(short === undefined ? [] : [`-${short} ${about}`]),
    ]);
    const rows = clauses.find(([command]) => command === name)?.[1];
    assertEquals(rows, [...new Set([...words, ...own, "--help show the help of this command"])]);
  }
  const all = textsIn(script);
  for (const { name, summary } of commands) assert(all.includes(`${name} ${summary}`), name);
  assert(commands.some(({ summary }) => summary.includes("'")), "no text tests the quotes");
  // A quote that is not doubled ends its string too early.
  assert((await parsePowerShell(stdout.replace("''", "'"))).hasError);
});

Deno.test("an unknown shell is wrong usage", async () => {
  for (const args of [["completions"], ["completions", "tcsh"], ["completions", "bash", "zsh"]]) {
    const { code, stderr } = await netdemoInProcess(args);
    assertEquals(code, 2);
    assertMatch(
      stderr,
      /completions takes one of bash, zsh, fish, powershell: received .*\nhint: /,
    );
  }
});
