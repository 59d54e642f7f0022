// deno-lint-ignore-file no-console -- a task prints
/**
 * Runs the tests with Deno's Windows build, under Wine, in a network namespace of their own:
 * `task windows [FILE...]`. Prints each failure, what was skipped and why, and a line of totals.
 *
 * Exits with 0 if Wine or another tool is missing, after saying so: a real Windows runs the tests
 * in the workflow.
 */
import { pooledMap as untypedPooledMap } from "@std/async/pool";
import { run } from "../harness/process.ts";
import { Missing } from "../harness/foreign_deno.ts";
import { prepareWine, windowsPath, type Wine } from "./wine.ts";

/** `pooledMap` as it is used here, since the package has no types. */
const pooledMap = untypedPooledMap as unknown as <T, R>(
  limit: number,
  items: readonly T[],
  map: (item: T) => Promise<R>,
) => AsyncIterable<R>;

/** Milliseconds that the tests of one file may take. */
const LIMIT_MS = 150_000;
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
  await Deno.mkdir(`${folder}/logs`, { recursive: true });
  const results: Result[] = [];
  for await (const result of pooledMap(AT_ONCE, files, (file) => testFile(wine, file))) {
    results.push(result);
    if (!isGood(result)) console.log(`\n${result.file}:\n${failuresOf(result)}`);
  }
  return report(results);
}

/** Prepares with the network that there is, then starts this task again without any. */
async function inNamespace(files: readonly string[]): Promise<number> {
  try {
    await using _wine = await prepareWine(folder);
    await copyCache();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    console.log(`windows: skipped, as it ${error.message}`);
    return 0;
  }
  const unshare = Deno.uid() === 0 ? "-n" : "-rn";
  if ((await run(["unshare", unshare, "true"])).code !== 0) {
    console.log("windows: skipped, as it needs network namespaces");
    return 0;
  }
  const chosen = files.length > 0 ? files : await testFiles("tests");
  const { code } = await new Deno.Command("unshare", {
    args: [unshare, Deno.execPath(), "run", "-A", import.meta.filename ?? "", ...chosen],
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
  return files.sort();
}

async function testFile(wine: Wine, file: string): Promise<Result> {
  const flags = ["--no-check", "--cached-only", "--quiet", "-A"];
  const log = `${folder}/logs/${file.replaceAll("/", "-")}.txt`;
  // A pipe would stay open as long as anything that the tests have started, such as Wine's server.
  const child = wine.command([wine.deno, "test", ...flags, file], {
    cwd: root,
    env: { DENO_DIR: windowsPath(`${folder}/cache`), NO_COLOR: "1", RUST_BACKTRACE: "0" },
    output: log,
  }).spawn();
  let hasEnded = false;
  const timer = setTimeout(() => hasEnded || child.kill("SIGKILL"), LIMIT_MS);
  await child.status;
  hasEnded = true;
  clearTimeout(timer);
  const output = await Deno.readTextFile(log);
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
  return isWhole ? output : `did not end within ${LIMIT_MS / 1_000} s, or crashed:\n${output}`;
}

function report(results: readonly Result[]): number {
  const reasons = results.flatMap(({ output }) => [
    ...output.matchAll(/^.* \(skipped: (.+?)\) \.\.\. .*ignored/gm),
  ]).map(([, reason = ""]) => reason);
  const counts = Object.entries(Object.groupBy(reasons, (reason) => reason));
  console.log("\nSkipped:");
  for (const [reason, tests = []] of counts) console.log(`  ${tests.length} ${reason}`);
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

if (import.meta.main) Deno.exit(await main(Deno.args));
