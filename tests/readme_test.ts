import { assert, assertEquals, assertMatch } from "@std/assert";
import { ladder, pageOfFaults, reference } from "../build/docs.ts";
import config from "../deno.json" with { type: "json" };
import { freePort } from "./harness/free_port.ts";
import {
  netdemoCommand,
  Process,
  python3,
  resets,
  testWith,
  tool,
  unix,
  until,
} from "./harness/mod.ts";
import { masked } from "./harness/masked.ts";
import { runScript } from "./harness/script.ts";
import { terminal } from "./harness/terminal.ts";

const root = `${import.meta.dirname}/..`;
const readme = await Deno.readTextFile(`${root}/README.md`);
/** The pages whose transcripts are run. */
const pages = new Map(
  await Promise.all(
    [
      "README.md",
      "docs/programs.md",
      "docs/conversations.md",
      "docs/vocabulary.md",
      "docs/wire.md",
      "docs/relay.md",
      "docs/lab.md",
    ].map(
      async (path) => [path, await Deno.readTextFile(`${root}/${path}`)] as const,
    ),
  ),
);

/** One command of a transcript with its output. */
interface Step {
  readonly command: string;
  readonly output: string;
}

/** The transcripts of each section of a page, in order. */
function sectionsOf(page: string): Map<string, Step[]> {
  const found = new Map<string, Step[]>();
  for (const section of page.split(/^(?=##+ )/m)) {
    const title = section.split("\n", 1)[0] ?? "";
    const steps: Step[] = [];
    for (const [, block = ""] of section.matchAll(/^```console\n(.*?)^```$/gms)) {
      for (const part of block.split(/^(?=\$ )/m)) {
        const [line = "", ...output] = part.split("\n");
        steps.push({ command: line.slice(2), output: output.join("\n") });
      }
    }
    if (steps.length > 0) found.set(title, steps);
  }
  return found;
}

/** Replaces a transcript's fixed ports and paths by free ones, consistently. */
function freePorts(): (text: string) => string {
  const ports = new Map<string, string>();
  const path = Deno.makeTempFileSync();
  Deno.removeSync(path);
  return (text) =>
    text.replaceAll("/tmp/netdemo.sock", path).replaceAll(/\b40\d\d\b/g, (port) => {
      if (!ports.has(port)) ports.set(port, String(freePort()));
      return ports.get(port) ?? "";
    });
}

/** Runs a line in a shell, with this netdemo; returns all it prints, stderr last. */
async function runLine(line: string, cwd: string): Promise<string> {
  const script = `netdemo() { ${
    netdemoCommand.map((word) => `'${word}'`).join(" ")
  } "$@"; }\n${line}`;
  await using shell = new Process(["sh", "-c", script], { env: { LC_ALL: "C.UTF-8" }, cwd });
  const { stdout, stderr } = await shell.ended();
  return stdout + stderr;
}

/** Types what follows the prompts in the transcript; returns the screen in the transcript's form. */
async function runAtTerminal(args: string[], output: string): Promise<string> {
  const typed = [...output.matchAll(/^Enter Command (.*)$/gm)].map(([, line = ""]) => line);
  assertEquals(typed.at(-1), "^D");
  const screen = await terminal(args, typed.slice(0, -1));
  return screen.replace(/Enter Command \n$/, "Enter Command ^D\n");
}

/** A reader's folder: the files that transcripts write stay out of the repository. */
async function newFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  await Deno.symlink(`${await Deno.realPath(root)}/examples`, `${path}/examples`);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Starts the server of a transcript; returns once it listens. */
async function startInBackground(command: string, cwd: string): Promise<Process> {
  const [program = "", ...words] = command.split(" ");
  const isNetdemo = program === "netdemo";
  const process = new Process([...(isNetdemo ? netdemoCommand : [program]), ...words], { cwd });
  if (isNetdemo) await process.printed(/Listening on/);
  else await until(async () => await answers(Number(words.at(-1))), `${command} listens`);
  return process;
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

const sections = [...pages].flatMap(([path, page]) =>
  [...sectionsOf(page)].map(([title, steps]) => ({ title: `${path} ${title}`, steps }))
);

for (const { title, steps } of sections) {
  const usesTerminal = steps.some(({ output }) => output.includes("Enter Command"));
  const usesPython = usesTerminal || steps.some(({ command }) => command.includes("python3"));
  const usesResets = steps.some(({ output }) => output.includes("reset "));
  const usesNc = steps.some(({ command }) => command.includes("| nc "));
  const needs = [
    unix,
    ...(usesPython ? [python3] : []),
    ...(usesResets ? [resets] : []),
    ...(usesNc ? [tool("nc")] : []),
  ];
  testWith(needs, `transcripts are accurate: ${title}`, async () => {
    const renumber = freePorts();
    const servers: { process: Process; output: string }[] = [];
    const background: Process[] = [];
    await using folder = await newFolder();
    const run = async (command: string) => masked(await runLine(command, folder.path));
    try {
      for (const step of steps) {
        const [command, output] = [renumber(step.command), renumber(step.output)];
        // The output of a background server is not shown.
        const [, hidden] = /^(.*) > \w+\.log &(?: sleep 1)?$/.exec(command) ?? [];
        const [, later] = /^sleep 1; (.*)$/.exec(command) ?? [];
        if (hidden !== undefined) {
          background.push(await startInBackground(hidden, folder.path));
        } else if (/^netdemo (?:(?:\w+-server|relay) --|serve )/.test(command)) {
          servers.push({ process: await startInBackground(command, folder.path), output });
        } else if (output.includes("Enter Command")) {
          assertEquals(await runAtTerminal(command.split(" ").slice(1), output), output, command);
        } else if (later !== undefined) {
          await until(async () => await run(later) === masked(output), command);
        } else {
          assertEquals(await run(command), masked(output), command);
        }
      }
      for (const { process, output } of servers) {
        assertEquals(masked((await process.stop("SIGINT")).stdout), masked(output));
      }
    } finally {
      for (const process of [...servers.map(({ process }) => process), ...background]) {
        await process[Symbol.asyncDispose]();
      }
    }
  });
}

testWith(
  [unix],
  "the README's lines for CI wait for the server, check it, and write the report",
  async () => {
    const [, lines = ""] = /^## In CI\n.*?^```sh\n(.*?)^```$/ms.exec(readme) ?? [];
    const printed = await runScript(`${lines}grep -c '<testcase' smoke.xml`);
    assertMatch(printed, /^ok .*\n[12]\n$/s);
  },
);

Deno.test("each of the six programs has a transcript", () => {
  const all = sections.flatMap(({ steps }) => steps).map(({ command }) => command).join("\n");
  for (const service of ["hello", "message", "calc"]) {
    assert(all.includes(`netdemo ${service}-server `));
    assert(all.includes(`netdemo ${service}-client `));
  }
});

const contributing = await Deno.readTextFile(`${root}/CONTRIBUTING.md`);

Deno.test("the documents and workflows name one version of Deno and existing tasks", async () => {
  const files = [".ci/run", ".github/workflows/ci.yml", ".github/workflows/release.yml"];
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(`${root}/${file}`)));
  const text = [readme, contributing, ...texts].join("\n");
  const named = text.matchAll(/(?:deno@|deno-version: |Deno )(\d+\.\d+\.\d+)/g);
  const versions = new Set([...named].map(([, version]) => version));
  assertEquals([...versions].length, 1, [...versions].join());
  for (const [, task = ""] of text.matchAll(/deno(?:@[\d.]+)? task (?:--quiet )?([\w-]+)/g)) {
    assert(Object.hasOwn(config.tasks, task), task);
  }
});

Deno.test("every file that README and CONTRIBUTING name exists, except examples of new ones", async () => {
  const examples = ["services/reverse.ts", "clients/reverse.ts"];
  const named = (readme + contributing).matchAll(/`((?!dist)(?:[a-z_]+\/)+[a-z_]+\.ts)`/g);
  const paths = new Set([...named].map(([, path = ""]) => path));
  assert(paths.size > 10);
  for (const path of paths) {
    if (!examples.includes(path)) await Deno.stat(`${root}/${path}`);
  }
});

Deno.test("the README's table of exit codes matches the program", async () => {
  const { exitCodes } = await import("../cli/errors/failure.ts");
  const rows = [...readme.matchAll(/^\| (\d+) +\| `([A-Z]+):`/gm)];
  assertEquals(Object.fromEntries(rows.map(([, code, kind]) => [kind, Number(code)])), exitCodes);
});

Deno.test("the README has at most 250 lines, and names every page of docs/", async () => {
  assert(readme.trimEnd().split("\n").length <= 250);
  for await (const { name } of Deno.readDir(`${root}/docs`)) {
    if (name.endsWith(".md")) assert(readme.includes(`(docs/${name})`), name);
  }
});

Deno.test("docs/relay.md has every fault: task docs updates it", async () => {
  const page = await Deno.readTextFile(`${root}/docs/relay.md`);
  assertEquals(page, pageOfFaults(page));
});

Deno.test("docs/reference.md matches the help: task docs updates it", async () => {
  assertEquals(await Deno.readTextFile(`${root}/docs/reference.md`), await reference());
});

Deno.test("docs/ladder.svg matches demo's drawing: task docs updates it", async () => {
  const timeless = (svg: string): string => svg.replaceAll(/\b\d+\.\d ms|:\d{4,5}\b/g, "");
  assertEquals(
    timeless(await Deno.readTextFile(`${root}/docs/ladder.svg`)),
    timeless(await ladder()),
  );
});

/** The modules that a walk of CONTRIBUTING.md names in its list, in order. */
function modulesOf(walk: string): string[] {
  const [, section = ""] = contributing.split(`## The path of a ${walk}\n`);
  const [list = ""] = /^1\. [^]*?\n\n/m.exec(section) ?? [];
  return [...new Set([...list.matchAll(/`([\w/]+\.ts)`/g)].map(([, path = ""]) => path))];
}

async function importsOf(module: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${root}/${module}`);
  const at = new URL(module, "file:///");
  return [...text.matchAll(/"(\.{1,2}\/[^"]+\.ts)"/g)].map(([, path = ""]) =>
    new URL(path, at).pathname.slice(1)
  );
}

for (
  const [walk, most] of [
    ...[["request", 12], ["check of grade", 14], ["probe", 14], ["relayed byte", 8]] as const,
  ]
) {
  Deno.test(`a ${walk} passes at most ${most} modules`, () => {
    const { length } = modulesOf(walk);
    assert(length > 1 && length <= most, `${length} modules`);
  });
}

Deno.test("each module that a check of grade passes is imported by one of the others", async () => {
  const [first, ...others] = modulesOf("check of grade");
  const reached = await Promise.all([first ?? "", ...others].map(importsOf));
  assertEquals(others.filter((module) => !reached.flat().includes(module)), []);
});
