/** How a program behaves as a process, whichever protocol it speaks. */
import { Finding, Skipped } from "../check.ts";
import type { Starter } from "../server.ts";
import { usageOf } from "../system.ts";
import { pause } from "../waits.ts";

/** Milliseconds over which CPU time is measured. */
const WATCH_MS = 500;
/** Share of a CPU that an idle program may use. */
const MAX_SHARE = 0.1;
/** Milliseconds that a program may take to end after Ctrl-C. */
const CTRL_C_MS = 3_000;
/** Milliseconds for a program to finish its work before Ctrl-C is pressed. */
const SETTLE_MS = 50;

/** @throws {Finding} if the program uses the CPU while it has nothing to do. */
export async function restsWhenIdle(starter: Starter): Promise<void> {
  const { pid } = starter.process();
  let share = 0;
  // Runtimes tidy up for a moment after work: only load that lasts counts.
  for (const milliseconds of [WATCH_MS, 2 * WATCH_MS, 2 * WATCH_MS]) {
    share = await cpuShare(pid, milliseconds);
    if (share <= MAX_SHARE) return;
  }
  const percent = Math.round(share * 100);
  throw new Finding({
    saw: `it used ${percent}% of a CPU while it had nothing to do`,
  });
}

/** Measures the share of a CPU that a program uses. @throws {Skipped} */
async function cpuShare(pid: number, milliseconds: number): Promise<number> {
  const before = await usageOf(pid);
  const startedAt = performance.now();
  await pause(milliseconds);
  const after = await usageOf(pid);
  if (before === undefined || after === undefined) {
    throw new Skipped("no tool here shows a program's CPU time");
  }
  return (after.cpuMs - before.cpuMs) / (performance.now() - startedAt);
}

/** Presses Ctrl-C, as a terminal does; returns whether the program ends. */
async function endsOnSigint(starter: Starter): Promise<boolean> {
  const child = starter.process();
  // Python drops a Ctrl-C that arrives while it tidies up after an answer.
  await pause(SETTLE_MS);
  child.signal("SIGINT");
  return await child.endsWithin(CTRL_C_MS);
}

/**
 * Presses Ctrl-C. If the program keeps running, tries once more with a fresh one, since the signal
 * may have arrived at a bad moment.
 *
 * @param ask Starts the program if needed, and has it answer a client that then stays.
 * @throws {Finding} if the second one keeps running, too.
 */
export async function endsOnCtrlC(
  server: { readonly starter: Starter; doubt(): void },
  ask: () => Promise<Disposable>,
): Promise<void> {
  for (let times = 0; times < 2; times++) {
    using _client = await ask();
    if (await endsOnSigint(server.starter)) return;
    server.doubt();
  }
  throw new Finding({
    sent: "Ctrl-C (SIGINT)",
    saw: `it was still running ${CTRL_C_MS / 1_000} s later`,
  });
}
