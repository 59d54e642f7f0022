// deno-lint-ignore-file no-console -- it prints what it measured
/**
 * How much netdemo adds to the start of its runtime: `task bench-startup`.
 *
 * Runs `netdemo --version` and an empty script on the same runtime in turn, 20
 * times each, and prints the medians of the whole process and the sizes.
 */
import { bundle, compile } from "../../build/executable.ts";
import { readTaskLine } from "../harness/task_line.ts";

readTaskLine({ usage: "bench-startup" });
const ROUNDS = 20;

const folder = await Deno.makeTempDir();
try {
  const target = Deno.build.target;
  await Deno.writeTextFile(`${folder}/empty.js`, "");
  const script = await bundle(`${folder}/bundle`);
  await compile({ script: `${folder}/empty.js`, target, output: `${folder}/empty` });
  await compile({ script, target, output: `${folder}/netdemo` });

  const times: Record<string, number[]> = { netdemo: [], empty: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, list] of Object.entries(times)) {
      const start = performance.now();
      await new Deno.Command(`${folder}/${name}`, { args: ["--version"] }).output();
      if (round > 0) list.push(performance.now() - start); // the first only warms up
    }
  }
  for (const [name, list] of Object.entries(times)) {
    const median = list.sort((one, other) => one - other)[ROUNDS / 2] ?? 0;
    const { size } = await Deno.stat(`${folder}/${name}`);
    console.log(`${name.padEnd(8)} ${median.toFixed(1)} ms  ${(size / 1e6).toFixed(2)} MB`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
