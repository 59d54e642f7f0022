/** Open descriptors of a process: Linux only, `undefined` elsewhere. */
export function countDescriptors(pid: number | "self" = "self"): number | undefined {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
  } catch {
    return undefined;
  }
}

/** Milliseconds that {@linkcode until} waits. */
const UNTIL_TIMEOUT_MS = 30_000;

/** Polls for a condition that has no event, such as a count in /proc. @throws {Error} after half a minute. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`not within ${UNTIL_TIMEOUT_MS} ms: ${what}`)),
    UNTIL_TIMEOUT_MS,
  );
  try {
    while (!(await Promise.race([late.promise, holds()]))) await silence(10);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until no more descriptors are open than before, where they can be counted. */
export async function backAtBaseline(
  before: number | undefined,
  pid: number | "self" = "self",
): Promise<void> {
  if (before === undefined) return;
  // The runtime opens one or two caches when it first needs them.
  await until(() => (countDescriptors(pid) ?? 0) <= before + 2, `descriptors back at ${before}`);
}

/** Lets time pass without traffic, for tests about silence itself. */
export function silence(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Memory that a process holds, in kB: Linux only. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
}

/** CPU milliseconds of this thread where the system counts them, so that a busy machine adds none. */
export function processorTime(): number {
  if (Deno.build.os !== "linux") return performance.now();
  return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
}
