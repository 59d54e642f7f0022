import { assertEquals, assertMatch } from "@std/assert";
import { netdemoCommand, run, signalTest } from "./harness/mod.ts";

/** Runs the smoke test on a script that stands in for the executable. */
async function smoke(folder: string, script: string): Promise<{ code: number; output: string }> {
  const path = `${folder}/netdemo`;
  await Deno.mkdir(folder);
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
}

signalTest(
  "the smoke test passes for netdemo, and fails if a command is broken",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const [whole, broken] = await Promise.all([
        smoke(`${folder}/whole`, ""),
        smoke(`${folder}/broken`, 'if [ "$1" = calc-client ]; then echo "Sum is 30"; exit 0; fi'),
      ]);
      assertEquals(whole.code, 0, whole.output);
      assertMatch(
        whole.output,
        /^TAP version 13\n1\.\.(\d+)\n(ok \d+ - .*\n)+# start-up: \d+ ms/,
      );
      assertEquals(broken.code, 1);
      const failed = [...broken.output.matchAll(/^not ok \d+ - (.*)$/gm)].map(([, name]) => name);
      assertEquals(
        failed.filter((name) => name?.startsWith("calc over ")).length,
        3,
        broken.output,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
