// deno-lint-ignore-file no-console -- it prints what it found
/**
 * Has every kind of server run out of descriptors, at many limits, and asks it once its clients
 * have left: `task descriptors [--only NAME] [--limit N]`. Exits with 1 if one took more than a
 * second to answer, or ended.
 */
import { readId } from "../cli/arguments/ids.ts";
import { type Arrival, crowded, crowdOut } from "./harness/crowds.ts";
import { readTaskLine } from "./harness/task_line.ts";

/** Open files that the server may have, and the clients that come; none for this host's own. */
const limits: readonly (readonly [number | undefined, number])[] = [
  [64, 200],
  [128, 300],
  [256, 400],
  [1_024, 1_300],
  [4_096, 5_000],
  [undefined, 11_500],
];
const arrivals: readonly Arrival[] = [
  "in a burst",
  "one after another",
  "half each",
  "at once",
];
/** Milliseconds within which all must answer, once their clients have left. */
const LIMIT_MS = 1_000;

const oneOf = (known: readonly string[], what: string) => (text: string, flag: string) =>
  readId(text, flag, { known, what });
const { flags: { only, limit: chosen } } = readTaskLine({
  usage: "descriptors [--only NAME] [--limit N]",
  flags: {
    only: {
      value: "NAME",
      about: "only this server",
      read: oneOf(crowded.map(({ name }) => name), "servers"),
    },
    limit: {
      value: "N",
      about: "only this limit, or default",
      read: oneOf(limits.map(([limit]) => String(limit ?? "default")), "limits"),
    },
  },
});
let failed = 0;
for (const server of crowded) {
  if (only !== undefined && only !== server.name) continue;
  for (const [limit, count] of limits) {
    if (chosen !== undefined && chosen !== String(limit ?? "default")) continue;
    for (const arrival of arrivals) {
      const what = `${server.name}, ${limit ?? "default"} descriptors, ${count} clients ${arrival}`;
      try {
        const { answeredMs, notices, code, stderr } = await crowdOut(server, limit, count, arrival);
        const isGood = answeredMs < LIMIT_MS && code === 0;
        if (!isGood) failed++;
        const [full, free] = notices;
        console.log(
          `${isGood ? "ok" : "FAILED"}: ${what}: ${answeredMs.toFixed(0)} ms, full ${full}, ` +
            `free ${free}${code === 0 ? "" : `, exit code ${code}: ${stderr}`}`,
        );
      } catch (error) {
        failed++;
        console.log(`FAILED: ${what}: ${error}`);
      }
    }
  }
}
Deno.exit(failed > 0 ? 1 : 0);
