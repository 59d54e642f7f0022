/** A check whose parent process is gone: the shell around a probe that took too long. */
import { assertMatch } from "@std/assert";
import { shellWord } from "../text/shell.ts";
import { netdemoCommand, Process, testWith, unix, until } from "./harness/mod.ts";
import { type RunningPeer, startNobody } from "./harness/peers.ts";

const HOST = "127.0.0.1";

/** A check that fails for a long time, as a command of a shell's script. */
function failing({ port }: RunningPeer, ...args: readonly string[]): string {
  const command = [...netdemoCommand, "check", `${HOST}:${port}`, "--json", ...args];
  return command.map(shellWord).join(" ");
}

testWith([unix], "a check ends once the shell that waits for it was killed", async () => {
  await using nobody = await startNobody(HOST);
  await using shell = new Process(["sh", "-c", `${failing(nobody, "--for", "60s")}; exit $?`]);
  await shell.printed(/"try":2,/);
  shell.kill("SIGKILL");
  const { stderr } = await shell.ended(); // and of all that print to its pipes
  assertMatch(stderr, /^netdemo: ERROR: the process that started this check is gone\nhint: /);
});

/** Checks that were left running on purpose; PIPE is one that ends in FILE. */
const kept: readonly (readonly [string, string, ...string[]])[] = [
  ["prints to a file", "CHECK > FILE &", "--for", "60s"],
  ["writes a report", "CHECK > PIPE &", "--for", "60s", "--junit", "FILE.xml"],
  ["counts", "CHECK > PIPE &", "--count", "240", "--every", "250ms"],
];

for (const [what, script, ...args] of kept) {
  testWith([unix], `a check that ${what} outlives the shell that started it`, async () => {
    await using nobody = await startNobody(HOST);
    const file = await Deno.makeTempFile();
    const tries = (): number => Deno.readTextFileSync(file).split('"try"').length - 1;
    const line = script.replace("PIPE", ">(cat > FILE)")
      .replace("CHECK", failing(nobody, ...args)).replaceAll("FILE", file);
    await using shell = new Process(["bash", "-c", `${line} echo pid $!; wait`]);
    const [, pid] = await shell.printed(/^pid (\d+)\n/);
    await until(() => tries() >= 2, "two tries");
    shell.kill("SIGKILL");
    await shell.child.status;
    const before = tries();
    await until(() => tries() >= before + 6, "six more tries, of which each takes 250 ms");
    Deno.kill(Number(pid), "SIGKILL");
    await Deno.remove(file);
  });
}
