import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import stringWidth from "string-width";
import { commandHelp, overview } from "../cli/arguments/help.ts";
import { exitCodes } from "../cli/errors/failure.ts";
import { events } from "../cli/output/events.ts";
import { topic } from "../cli/arguments/topics.ts";
import { parseCommandLine } from "../cli/arguments/flags.ts";
import { wordsOfLine } from "./harness/shell.ts";
import { commands } from "../main.ts";
import { netdemoInProcess } from "./harness/mod.ts";

const widths = [40, 60, 80, 100];

/** Whether a line must not be wrapped: a line to copy, or a single word. */
function isWhole(line: string): boolean {
  return /^ +(?:netdemo |eval )/.test(line) || !/\S \S/.test(line.trim());
}

Deno.test("every page of the help fits the terminal", async () => {
  const version = { number: "1.0.0", runtime: "Deno 2.9.6", target: "x86_64-unknown-linux-gnu" };
  for (const columns of widths) {
    const pages = [
      overview(commands, version, columns),
      ...["exit-codes", "targets", "conversations", "json"].map((name) => topic(name, columns)),
      ...await Promise.all(
        commands.map(async (command) => commandHelp(command, await command.load(), columns)),
      ),
    ];
    for (const line of pages.flatMap((page) => page.split("\n"))) {
      assert(stringWidth(line) <= columns || isWhole(line), `${columns}: ${line}`);
    }
  }
});

Deno.test("the examples of every command use existing commands and flags", async () => {
  for (const command of commands) {
    const { examples, flags } = await command.load();
    assert(examples.length > 0, command.name);
    for (const example of examples) {
      const [, line = ""] = /netdemo ([^>|)<&]*)/.exec(example) ?? [];
      const [name, ...args] = wordsOfLine(line);
      assertEquals(name, command.name, example);
      const { words } = parseCommandLine(args, flags);
      assert(Array.isArray(words), example);
    }
  }
});

Deno.test("help exit-codes lists every kind, help json every event, help targets every form", async () => {
  const codes = (await netdemoInProcess(["help", "exit-codes"])).stdout;
  for (const [kind, code] of Object.entries(exitCodes)) {
    assertMatch(codes, new RegExp(`^ +${code}  ${kind}: `, "m"));
  }
  const json = (await netdemoInProcess(["help", "json"])).stdout;
  for (const name of Object.keys(events)) assertMatch(json, new RegExp(`^ {2}${name} `, "m"));
  const targets = (await netdemoInProcess(["help", "targets"])).stdout;
  for (const form of ["localhost:4040", ":4040", "[::1]:4040", "udp://", "unix:"]) {
    assertStringIncludes(targets, `\n  ${form}`);
  }
  assertMatch((await netdemoInProcess(["help", "exitcodes"])).stderr, /did you mean exit-codes\?/);
});
