import config from "../deno.json" with { type: "json" };
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { calculate, MAX_DIGITS } from "../protocol/calculator.ts";
import { MAX_DATAGRAM } from "../protocol/datagram.ts";
import { commands } from "../main.ts";
import { labForms } from "../protocol/lab.ts";
import { QUIET_MS } from "../protocol/line_buffer.ts";
import { defaultLimits } from "../services/server/server.ts";
import { promises } from "./harness/promises.ts";
import { digestOfPage, PICTURES_OF } from "./page_pictures.ts";

const docs = `${import.meta.dirname}/../docs`;

Deno.test("docs/lab.md lists exactly the requests of lab, each with its limit", async () => {
  const page = await Deno.readTextFile(`${docs}/lab.md`);
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| ([A-Z, ]+?) +\| (.*?) +\|$/gm)];
  assertEquals(
    rows.map(([, form, over]) => ({ form, over })),
    labForms.map(({ form, carriers }) => ({
      form,
      over: carriers.map((carrier) => carrier === "stream" ? "TCP" : "UDP").join(", "),
    })),
  );
  for (const [index, { limit = "" }] of labForms.entries()) {
    assertMatch(rows[index]?.[3] ?? "", new RegExp(`${limit}$`));
  }
});

Deno.test("the calculator answers as the table in docs/wire.md says", async () => {
  const page = await Deno.readTextFile(`${docs}/wire.md`);
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| `((?:[A-Z][a-z]+ of|Error:) [^`]+)` +\|$/gm)];
  assert(rows.length >= 10);
  for (const [, request = "", reply] of rows) assertEquals(calculate(request), reply);
});

Deno.test("docs/wire.md states the program's real limits", async () => {
  const page = await Deno.readTextFile(`${docs}/wire.md`);
  const number = (count: number): string => count.toLocaleString("en");
  for (
    const limit of [
      `${QUIET_MS} ms of`,
      `${number(MAX_DATAGRAM)} bytes`,
      `${number(MAX_DIGITS)} digits`,
      `${number(defaultLimits.maxRequest)} bytes (\`--max-request\`)`,
      `${defaultLimits.requestTimeout / 1_000} s each (\`--request-timeout\`)`,
      `${defaultLimits.idleTimeout / 60_000} min (\`--idle-timeout\`)`,
      `${number(defaultLimits.maxConnections)} (\`--max-connections\`)`,
    ]
  ) {
    assertStringIncludes(page, limit);
  }
});

Deno.test("every promise in docs/promises.md is verified by tests in the files that it names", async () => {
  const page = await Deno.readTextFile(`${docs}/promises.md`);
  const rows = page.split("\n").filter((line) => /^\| (?!-|what happens)/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  assertEquals(rows.map(([, promise]) => promise).sort(), Object.keys(promises).sort());
  for (const row of rows) {
    const files = [...(row.at(-2) ?? "").matchAll(/`([\w/]+_test\.ts)`/g)];
    const sources = await Promise.all(
      files.map(([, file]) => Deno.readTextFile(`${import.meta.dirname}/${file}`)),
    );
    const found = (name: string) => sources.filter((source) => holdsTest(source, name)).length;
    const verified = promises[row[1] ?? ""] ?? [];
    for (const name of verified) assertEquals([name, found(name)], [name, 1]);
    const needed = (source: string) => verified.some((name) => holdsTest(source, name));
    assertEquals([row[1], sources.every(needed)], [row[1], true], "a file that verifies nothing");
  }
});

/** Whether a test of this name stands in the source: the name is quoted, after the call of a test. */
function holdsTest(source: string, name: string): boolean {
  const at = ['"', "`", "'"].map((quote) => source.indexOf(quote + name + quote))
    .find((index) => index >= 0);
  if (at === undefined) return false;
  // The needs of a test may stand between its call and its name.
  return /(?:Deno\.test|[tT]est(?:With)?)\((?:[^;{}]|\{ name: )*$/.test(source.slice(0, at));
}

/** The netdemo command lines in a page's code, each up to where a shell ends the command. */
function commandLinesIn(page: string): string[] {
  const code = [
    ...page.matchAll(/^ *```\w*\n(.*?)^ *```$/gms),
    ...page.replaceAll(/^ *```.*?^ *```$/gms, "").matchAll(/`([^`]+)`/g),
  ].map(([, text = ""]) => text.replaceAll(/\s*\n\s+/g, " "));
  return code.flatMap((text) =>
    [
      ...text.replaceAll(/ # .*$/gm, "").matchAll(
        /(?:^|[\s(])netdemo ([a-z][a-z-]*(?: [^\n|&;<>#]*)?)/g,
      ),
    ]
      .map(([, line = ""]) => line.split(" -- ", 1)[0] ?? "")
  );
}

Deno.test("every command and flag that a page names exists", async () => {
  const paths = ["README.md", "CONTRIBUTING.md"].map((name) => `${docs}/../${name}`);
  for await (const { name } of Deno.readDir(docs)) {
    if (name.endsWith(".md") && name !== "reference.md") paths.push(`${docs}/${name}`);
  }
  const flagsOf = new Map(
    await Promise.all(commands.map(async ({ name, load }) => {
      const long = Object.keys((await load()).flags).map((flag) => `--${flag}`);
      return [name, new Set([...long, "--help"])] as const;
    })),
  );
  const missing: string[] = [];
  let lines = 0;
  for (const path of paths) {
    for (const line of commandLinesIn(await Deno.readTextFile(path))) {
      const [command = "", ...words] = line.split(" ");
      if (command === "help") continue;
      lines++;
      const flags = words.flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? []);
      const known = flagsOf.get(command);
      if (known === undefined || flags.some((flag) => !known.has(flag))) {
        missing.push(`${path}: ${line}`);
      }
    }
  }
  assertEquals(missing, []);
  assert(lines > 100, `${lines} command lines`);
});

Deno.test("the screenshots of the page are current: task screenshots updates them", async () => {
  assertEquals(await Deno.readTextFile(`${docs}/${PICTURES_OF}`), `${await digestOfPage()}\n`);
});

Deno.test("the last release in CHANGELOG.md is the version in deno.json, and has a date", async () => {
  const page = await Deno.readTextFile(`${docs}/../CHANGELOG.md`);
  const releases = [...page.matchAll(/^## \[(\d.*)\] - \d{4}-\d\d-\d\d$/gm)];
  assertEquals(releases[0]?.[1], config.version);
});
