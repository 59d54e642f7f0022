import { assertEquals, assertMatch } from "@std/assert";
import { netdemoCommand, run, signalTest } from "./harness/mod.ts";

/** Runs the smoke test on a script that stands in for the executable. */
async function smoke(script: string): Promise<{ code: number; output: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/netdemo`;
    const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    const command = netdemoCommand.map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(
      path,
      `#!/bin/sh\nexport DENO_DIR='${cache}'\n${script}\nexec ${command} "$@"\n`,
    );
    await Deno.chmod(path, 0o755);
    const { code, stdout } = await run([
      ...[Deno.execPath(), "run", "--quiet", "-A"],
      ...[`${import.meta.dirname}/smoke.ts`, path],
    ]);
    return { code, output: stdout };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

signalTest("the smoke test fails for the commands that are broken, and for no other", async () => {
  const { code, output } = await smoke(
    'if [ "$1" = calc-client ]; then echo "Sum is 30"; exit 0; fi',
  );
  const points = [...output.matchAll(/^(not ok|ok) \d+ - (.*)$/gm)];
  const [, plan] = /^TAP version 13\n1\.\.(\d+)\n/.exec(output) ?? [];
  assertEquals(points.length, Number(plan), output);
  assertMatch(output, /\n# start-up: \d+ ms/);
  const failed = points.filter(([, mark]) => mark === "not ok").map(([, , name]) => name);
  const broken = ["tcp", "udp", "unix"].map((transport) => `calc over ${transport}`);
  assertEquals([code, failed], [1, [...broken, "relay passes on what both sides send"]], output);
});
