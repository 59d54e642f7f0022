import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bundle } from "../build/executable.ts";
import config from "../deno.json" with { type: "json" };
import { netdemoInProcess } from "./harness/in_process.ts";
import { notUnderWine, testWith } from "./harness/needs.ts";
import { run } from "./harness/process.ts";

/** Tries to start a program when netdemo ends, and reports on stderr whether it could. */
const PROBE = `
addEventListener("unload", () => {
  let outcome = "started a program";
  try {
    new Deno.Command(Deno.build.os === "windows" ? "cmd" : "true").outputSync();
  } catch (error) {
    outcome = error instanceof Deno.errors.NotCapable ? "may start no program" : String(error);
  }
  Deno.stderr.writeSync(new TextEncoder().encode(outcome + "\\n"));
});
`;

/** Every command in the overview. */
async function commands(): Promise<string[]> {
  const { stdout } = await netdemoInProcess([]);
  const [, table = ""] = /\nCommands:\n([^]*?)\n\n/.exec(stdout) ?? [];
  return [...table.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name = ""]) => name);
}

testWith(
  [notUnderWine("no bundler")],
  "every command but grade gives up the permission to start programs",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      // The executable's script, with the executable's permissions.
      const script = await bundle(`${folder}/bundle`);
      await Deno.writeTextFile(`${folder}/probe.js`, PROBE);
      const flags = config.tasks.netdemo.command.split(" ").filter((word) => word.startsWith("--"));
      const outcome = async (...args: string[]): Promise<string> => {
        const { stderr } = await run([
          ...[Deno.execPath(), "run", ...flags, "--no-config", "--unstable-net"],
          ...["--preload", `${folder}/probe.js`, script, ...args],
        ]);
        return stderr;
      };
      const names = await commands();
      assert(names.includes("grade") && names.includes("calc-server") && names.includes("help"));
      const lines = [["--version"], ["no-such-command"], ...names.map((name) => [name, "--help"])];
      await Promise.all(lines.map(async (line) => {
        const expected = line[0] === "grade" ? "started a program" : "may start no program";
        assertStringIncludes(await outcome(...line), expected, line.join(" "));
      }));
      assertEquals((await outcome("address", "127.0.0.1")).trim(), "may start no program");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
