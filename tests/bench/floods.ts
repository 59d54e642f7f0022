// deno-lint-ignore-file no-console -- it prints what it measured
/**
 * How long a client waits while others flood the server:
 * `task bench-floods [CONNECTIONS] [SECONDS]`.
 */
import { readNumber } from "../../cli/arguments/flags.ts";
import { readTaskLine } from "../harness/task_line.ts";
import { Flooded, floods } from "../harness/floods.ts";

const { words: [connections = 1, seconds = 2] } = readTaskLine({
  usage: "bench-floods [CONNECTIONS] [SECONDS]",
  words: [readNumber(1, 10_000), readNumber(1, 3_600)],
});
console.log(`${connections} flooding connections, milliseconds that an answer took`);
for (const flood of floods) {
  await using flooded = await Flooded.start(flood, connections);
  const waits = await flooded.waits(seconds * 1_000);
  const [worst = NaN] = waits;
  const median = waits[Math.floor(waits.length / 2)] ?? NaN;
  console.log(
    `${flood.name.padEnd(36)} worst ${worst.toFixed(1).padStart(7)}, ` +
      `median ${median.toFixed(1).padStart(6)}, ${waits.length} answers`,
  );
}
