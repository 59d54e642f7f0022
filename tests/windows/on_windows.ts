import { netdemoCommand } from "../harness/process.ts";

const isWindows = Deno.build.os === "windows";

/**
 * The command of netdemo where Deno behaves as on Windows: there and under Wine it does so by itself,
 * elsewhere `like_windows.js` imitates it.
 */
export function onWindows(...args: readonly string[]): readonly string[] {
  const [deno = "", verb = "", ...rest] = netdemoCommand;
  const preloaded = isWindows ? [] : [`--preload=${import.meta.dirname}/like_windows.js`];
  return [deno, verb, ...preloaded, ...rest, ...args];
}
