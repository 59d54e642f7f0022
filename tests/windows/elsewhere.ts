import { netdemoCommand } from "../harness/process.ts";

/**
 * The command of netdemo where Deno behaves as on Windows: there and under Wine it does so by itself,
 * elsewhere `like_windows.js` imitates it.
 */
export function onWindows(...args: readonly string[]): readonly string[] {
  return Deno.build.os === "windows"
    ? [...netdemoCommand, ...args]
    : preloading("like_windows.js", args);
}

/** The command of netdemo where Deno behaves as on macOS, which `like_macos.js` imitates. */
export function onMac(...args: readonly string[]): readonly string[] {
  return preloading("like_macos.js", args);
}

function preloading(script: string, args: readonly string[]): readonly string[] {
  const [deno = "", verb = "", ...rest] = netdemoCommand;
  return [deno, verb, `--preload=${import.meta.dirname}/${script}`, ...rest, ...args];
}
