// deno-lint-ignore-file no-console -- a task prints
/**
 * Runs a part of the smoke test with Deno's build for Linux on 64-bit ARM, under QEMU: `task arm64`.
 *
 * Exits with 0 if QEMU or a library is missing, after saying so: the release runs all of the smoke
 * test on such a machine.
 */
import { bundle } from "../build/executable.ts";
import { armDeno, assertTools, downloadDeno, exists, Missing } from "./harness/foreign_deno.ts";
import { readTaskLine } from "./harness/task_line.ts";

/** Where Debian's libc6-arm64-cross and libgcc-s1-arm64-cross install their libraries. */
const LIBRARIES = "/usr/aarch64-linux-gnu";
const QEMU = "/usr/bin/qemu-aarch64-static";
/** Each start takes seconds of processor time. */
const PART = "^(?:the version|calc over|check finds|the demo|relay passes|an address)";

const folder = `${import.meta.dirname}/../dist/arm64`;

async function main(): Promise<number> {
  if (!await exists(QEMU)) throw new Missing("needs the package qemu-user-static");
  for (const library of ["libc.so.6", "libgcc_s.so.1"]) {
    if (await exists(`${LIBRARIES}/lib/${library}`)) continue;
    throw new Missing("needs the packages libc6-arm64-cross and libgcc-s1-arm64-cross");
  }
  await assertTools("npm", "tar");
  const deno = await downloadDeno(folder, armDeno);
  const flags = ["--quiet", "--no-check", "--no-config", "--no-lock", "--unstable-net", "-A"];
  const netdemo = [QEMU, "-L", LIBRARIES, deno, "run", ...flags, await bundle(folder)];
  const smoke = ["run", "--quiet", "-A", `${import.meta.dirname}/smoke.ts`, "--only", PART];
  const args = [...smoke, ...netdemo];
  return (await new Deno.Command(Deno.execPath(), { args }).spawn().status).code;
}

readTaskLine({ usage: "arm64" });
try {
  Deno.exit(await main());
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.log(`arm64: skipped, as it ${error.message}`);
}
