import { assertEquals, assertMatch } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { labForms } from "../protocol/lab.ts";
import { netdemoCommand, run, testWith, tool, unix } from "./harness.ts";

const docs = `${import.meta.dirname}/../docs`;

Deno.test("docs/lab.md has every request of lab, with its limit, and no other", async () => {
  const page = await Deno.readTextFile(`${docs}/lab.md`);
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| ([A-Z, ]+?) +\| (.*?) +\|$/gm)];
  assertEquals(
    rows.map(([, form, over]) => ({ form, over })),
    labForms.map(({ form, carriers }) => ({
      form,
      over: carriers.map((carrier) => carrier === "stream" ? "TCP" : "UDP").join(", "),
    })),
  );
  for (const [index, { limit = "" }] of labForms.entries()) {
    assertMatch(rows[index]?.[3] ?? "", new RegExp(`${limit}$`));
  }
});

/** The code blocks of a section, by their language. */
async function blocksOf(title: string): Promise<Map<string, string>> {
  const page = await Deno.readTextFile(`${docs}/recipes.md`);
  const section = page.split(/^(?=## )/m).find((part) => part.startsWith(`## ${title}\n`)) ?? "";
  const blocks = new Map<string, string>();
  for (const [, language = "", code = ""] of section.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    if (!blocks.has(language)) blocks.set(language, code);
  }
  return blocks;
}

/** Runs a script in a folder of its own, where `netdemo` is this one; gives what it prints. */
async function runScript(script: string, files: Readonly<Record<string, string>>) {
  const folder = await Deno.makeTempDir();
  try {
    const command = netdemoCommand.map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(`${folder}/netdemo`, `#!/bin/sh\nexec ${command} "$@"\n`);
    await Deno.chmod(`${folder}/netdemo`, 0o755);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const path = `${folder}:${Deno.env.get("PATH")}`;
    return await run(["sh", "-e", "-c", script], { cwd: folder, env: { PATH: path } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testWith([unix, tool("haproxy")], "the recipe shows which replica answered", async () => {
  const blocks = await blocksOf("Which replica answered?");
  const ports = new Map(["4050", "4051", "4052"].map((port) => [port, getAvailablePort()]));
  const renumber = (text = ""): string =>
    text.replaceAll(/\b405\d\b/g, (port) => String(ports.get(port)));
  const { stdout, stderr, code } = await runScript(renumber(blocks.get("sh")), {
    "haproxy.cfg": renumber(blocks.get("haproxy")),
  });
  const unpadded = (text = ""): string => text.replaceAll(/^ +/gm, ""); // not every uniq pads alike
  assertEquals(unpadded(stdout), unpadded(blocks.get("")), stderr);
  assertEquals(code, 0);
});
