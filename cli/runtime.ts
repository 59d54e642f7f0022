/** What the runtime lacks that the build falls back to, Deno 2.5 (`sockets/runtime.ts`). */
const lacking = {
  reset: "reset connections",
  tls: "look at certificates",
  zone: "use addresses with a zone",
} as const;

/**
 * Says what a runtime lacks.
 *
 * @param runtime Such as `Deno 2.5.7`.
 */
export function cannot(what: keyof typeof lacking, runtime = "this runtime"): string {
  return `${runtime} can't ${lacking[what]}`;
}

/** What to do about it. */
export const NEWER_RUNTIME =
  "run netdemo from source, or build it where Deno's download server can be reached";
