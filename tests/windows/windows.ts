// deno-lint-ignore-file no-console -- a task prints
/**
 * Runs the tests with Deno's Windows build, under Wine, in a network namespace of their own:
 * `task windows [FILE...]`. Prints each failure, what was skipped and why, and a line of totals.
 *
 * Exits with 0 if Wine or another tool is missing, after saying so: a real Windows runs the tests
 * in the workflow.
 */
import { pooledMap as untypedPooledMap } from "@std/async/pool";
import { bundle } from "../../build/executable.ts";
import { readName } from "../../cli/arguments/flags.ts";
import { run } from "../harness/process.ts";
import { readTaskLine } from "../harness/task_line.ts";
import { Missing } from "../harness/foreign_deno.ts";
import { prepareWine, windowsPath, type Wine } from "./wine.ts";

/** `pooledMap` as it is used here, since the package has no types. */
const pooledMap = untypedPooledMap as unknown as <T, R>(
  limit: number,
  items: readonly T[],
  map: (item: T) => Promise<R>,
) => AsyncIterable<R>;

/** Milliseconds that the tests of one file may take at first, and at the second try. */
const LIMIT_MS = 90_000;
const SECOND_LIMIT_MS = 300_000;
/**
 * Test files that would show nothing else there: of documents and pictures, of algorithms, of speed
 * and load, of other programs on Linux; and `path_rules`, whose forwarders Wine makes others of.
 */
const LEFT_OUT = `contrast docs examples exercises layers readme recipes screenshots svg width
  calculator callbacks fuzz line_buffer reply_plan reports suite uncaught
  talk/built_in talk/match talk/parse talk/players talk/real_servers
  bench descriptors floods kernel load soak
  classic page_browser path_real path_rules permissions reuse_port smoke
  grade/beginners grade/class grade/containment grade/documents grade/mistakes grade/own grade/talk`
  .split(/\s+/).map((name) => `tests/${name}_test.ts`);
/** What only a real Windows shows; what is imitated elsewhere stands in `like_windows_test.ts`. */
const NOT_SHOWN =
  `what Wine does its own way: it refuses at once, connects to 0.0.0.0, notices every port in
  use, gives few hundred connections at once, and knows zones by name (imitated on Linux)
what it lacks: Ctrl-C and Ctrl-Break, a console that closes, arrow keys, PowerShell, Get-CimInstance,
  netstat with process numbers (imitated on Linux, but for the keys)
what asks the user: the firewall, SmartScreen`;
/** Bytes that Wine and two Denos need. */
const MIN_MEMORY = 2e9;
/** The smoke test of executables. */
const SMOKE = "tests/smoke.ts";
/** Test files that run at the same time. */
const AT_ONCE = 2;

const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const folder = `${root}/dist/windows`;

/** How the tests of a file ended. */
interface Result {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Whether the runner said how it ended: not if it crashed or ran out of time. */
  readonly isWhole: boolean;
  readonly output: string;
}

async function main(files: readonly string[]): Promise<number> {
  if (Deno.env.get("NETDEMO_WINE") === undefined) return await inNamespace(files);
  await run(["ip", "link", "set", "lo", "up"]);
  await using wine = await prepareWine(folder);
  const why = await whyUnusable(wine);
  if (why !== undefined) return skipped(why);
  await Deno.mkdir(`${folder}/logs`, { recursive: true });
  const results: Result[] = [];
  const again: string[] = [];
  for await (const result of pooledMap(AT_ONCE, files, (file) => testFile(wine, file, LIMIT_MS))) {
    if (isGood(result)) results.push(result);
    else again.push(result.file);
  }
  // Alone, so that nothing is late; and Wine's server hangs now and then.
  for (const file of again) {
    const result = await testFile(wine, file, SECOND_LIMIT_MS);
    results.push(result);
    console.log(
      isGood(result) ? `passed at the second try: ${file}` : `\n${file}:\n${failuresOf(result)}`,
    );
  }
  return report(results);
}

function skipped(why: string): number {
  console.log(`windows: skipped, as it ${why}`);
  return 0;
}

/** Why no Windows program can run here, such as in a container that forbids too much. */
async function whyUnusable(wine: Wine): Promise<string | undefined> {
  const log = `${folder}/version.txt`;
  const child = wine.command([wine.deno, "--version"], { output: log }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const { success } = await child.status;
  clearTimeout(timer);
  if (success) return undefined;
  const [line] = (await Deno.readTextFile(log)).trim().split("\n");
  return `can't run Windows programs here: ${line}`;
}

/** Prepares with the network that there is, then starts this task again without any. */
async function inNamespace(files: readonly string[]): Promise<number> {
  if (Deno.systemMemoryInfo().available < MIN_MEMORY) return skipped("needs 2 GB of free memory");
  await Deno.mkdir(folder, { recursive: true });
  // Wine's server is one for the folder, and belongs to the namespace in which it was started.
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  try {
    await using _wine = await prepareWine(folder);
    await copyCache();
    await bundle(`${folder}/netdemo`);
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return skipped(error.message);
  }
  const isolated = ["unshare", Deno.uid() === 0 ? "-n" : "-rn"];
  if ((await run([...isolated, "ip", "link", "set", "lo", "up"])).code !== 0) {
    return skipped("needs network namespaces, and ip (iproute2)");
  }
  const chosen = files.length > 0 ? files : [SMOKE, ...await testFiles("tests")];
  const [unshare = "", ...flags] = isolated;
  const { code } = await new Deno.Command(unshare, {
    args: [...flags, Deno.execPath(), "run", "-A", import.meta.filename ?? "", ...chosen],
    cwd: root,
    env: { NETDEMO_WINE: "1" },
  }).spawn().status;
  return code;
}

/** Packages for the Windows build, which has a cache of its own. */
async function copyCache(): Promise<void> {
  const info = JSON.parse((await run([Deno.execPath(), "info", "--json"])).stdout);
  await Deno.mkdir(`${folder}/cache`, { recursive: true });
  await run(["cp", "-ru", info.npmCache, `${folder}/cache/`]);
}

async function testFiles(path: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${path}`)) {
    if (isDirectory) files.push(...await testFiles(`${path}/${name}`));
    else if (name.endsWith("_test.ts")) files.push(`${path}/${name}`);
  }
  return files.filter((file) => !LEFT_OUT.includes(file)).sort();
}

/** Deno's arguments that run a file of tests, or the smoke test with netdemo as one file of code. */
function argsFor(wine: Wine, file: string): readonly string[] {
  const flags = ["--no-check", "--cached-only", "--quiet", "-A"];
  if (file !== SMOKE) return ["test", ...flags, file];
  const alone = ["--no-check", "--no-config", "--no-lock", "--quiet", "--unstable-net", "-A"];
  const netdemo = [`${wine.path}\\deno.exe`, "run", ...alone, `${wine.path}\\netdemo\\main.js`];
  return ["run", ...flags, file, ...netdemo];
}

async function testFile(wine: Wine, file: string, limit: number): Promise<Result> {
  const log = `${folder}/logs/${file.replaceAll("/", "-")}.txt`;
  // A pipe would stay open as long as anything that the tests have started, such as Wine's server.
  const child = wine.command([wine.deno, ...argsFor(wine, file)], {
    cwd: root,
    env: { DENO_DIR: windowsPath(`${folder}/cache`), NO_COLOR: "1", RUST_BACKTRACE: "0" },
    output: log,
  }).spawn();
  let hasEnded = false;
  const timer = setTimeout(() => hasEnded || child.kill("SIGKILL"), limit);
  await child.status;
  hasEnded = true;
  clearTimeout(timer);
  const output = await Deno.readTextFile(log);
  return file === SMOKE ? readTap(file, output) : readTotals(file, output);
}

function readTap(file: string, output: string): Result {
  const points = [...output.matchAll(/^(not ok|ok) /gm)];
  const failed = points.filter(([, mark]) => mark === "not ok").length;
  const [, plan] = /^1\.\.(\d+)$/m.exec(output) ?? [];
  const isWhole = points.length === Number(plan);
  return { file, passed: points.length - failed, failed, skipped: 0, isWhole, output };
}

function readTotals(file: string, output: string): Result {
  const totals = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(?: .*?\| (\d+) ignored)?/m
    .exec(output);
  const [passed, failed, skipped] = [1, 2, 3].map((group) => Number(totals?.[group] ?? 0));
  return {
    file,
    passed: passed ?? 0,
    failed: failed ?? 0,
    skipped: skipped ?? 0,
    isWhole: totals !== null,
    output,
  };
}

function isGood({ failed, isWhole }: Result): boolean {
  return isWhole && failed === 0;
}

/** The part of a runner's output that says what failed. */
function failuresOf({ output, isWhole }: Result): string {
  const start = output.indexOf(" ERRORS ");
  if (start >= 0) return output.slice(start);
  return isWhole ? output : `did not end in time, or crashed:\n${output}`;
}

function report(results: readonly Result[]): number {
  const reasons = results.flatMap(({ output }) => [
    ...output.matchAll(/^.* \(skipped: (.+?)\) \.\.\. .*ignored/gm),
  ]).map(([, reason = ""]) => reason);
  const counts = Object.entries(Object.groupBy(reasons, (reason) => reason));
  console.log("\nSkipped:");
  for (const [reason, tests = []] of counts) console.log(`  ${tests.length} ${reason}`);
  console.log(`\nNot shown:\n  ${NOT_SHOWN.replaceAll("\n", "\n  ")}`);
  const sum = (count: (result: Result) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  const broken = results.filter(({ isWhole }) => !isWhole).length;
  const failed = sum((result) => result.failed) + broken;
  console.log(
    `windows: ${sum((result) => result.passed)} passed, ${failed} failed, ${
      sum((result) => result.skipped)
    } skipped`,
  );
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) {
  const { words } = readTaskLine({ usage: "windows [FILE...]", moreWords: readName });
  Deno.exit(await main(words));
}
