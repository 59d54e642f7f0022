/**
 * Says what `sockets/runtime.ts` detects: what the runtime that the build falls back to lacks.
 *
 * @param runtime Such as `Deno 2.5.7`.
 */
export function cannotReset(runtime = "this runtime"): string {
  return `${runtime} can't reset connections`;
}
