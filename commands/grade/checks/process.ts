/** What a program does as a process of the system, over whichever protocol it talks. */
import { Finding, Skipped } from "../check.ts";
import type { Starter } from "../server.ts";
import { usageOf } from "../system.ts";
import { pause } from "../waits.ts";

/** Milliseconds for which the processor time is watched. */
const WATCH_MS = 500;
/** Share of the time that a program at rest may use the processor. */
const MAX_SHARE = 0.1;
/** Milliseconds that a program may take to end after Ctrl-C. */
const CTRL_C_MS = 3_000;
/** Milliseconds for which a program may finish what it did before Ctrl-C is pressed. */
const SETTLE_MS = 50;

/** @throws {Finding} if the program uses the processor with nothing to do. */
export async function restsWhenIdle(starter: Starter): Promise<void> {
  const { pid } = starter.process();
  let share = 0;
  // Runtimes tidy up for a moment after work: only what goes on counts.
  for (const milliseconds of [WATCH_MS, 2 * WATCH_MS, 2 * WATCH_MS]) {
    share = await processorShare(pid, milliseconds);
    if (share <= MAX_SHARE) return;
  }
  const percent = Math.round(share * 100);
  throw new Finding({
    saw: `it used the processor for ${percent}% of the time with no client there`,
  });
}

/** Share of a time for which a program used the processor. @throws {Skipped} */
async function processorShare(pid: number, milliseconds: number): Promise<number> {
  const before = await usageOf(pid);
  const startedAt = performance.now();
  await pause(milliseconds);
  const after = await usageOf(pid);
  if (before === undefined || after === undefined) {
    throw new Skipped("no tool here shows the processor time of a program");
  }
  return (after.cpuMs - before.cpuMs) / (performance.now() - startedAt);
}

/** Presses Ctrl-C, as a terminal does; whether the program ends. */
async function endsOnSigint(starter: Starter): Promise<boolean> {
  const child = starter.process();
  // Python drops a Ctrl-C that comes while it tidies up after an answer.
  await pause(SETTLE_MS);
  child.signal("SIGINT");
  return await child.endsWithin(CTRL_C_MS);
}

/**
 * Presses Ctrl-C; if the program goes on, once more in a fresh one, since the signal may have met
 * it at a bad moment.
 *
 * @param ask Starts the program if it does not run, and has it answer somebody who then stays.
 * @throws {Finding} if it goes on again.
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
    saw: `it still ran ${CTRL_C_MS / 1_000} s later`,
  });
}
