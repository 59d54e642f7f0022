import { assertEquals } from "@std/assert";
import { bundle } from "../build/executable.ts";
import { notUnderWine, testWith } from "./harness/needs.ts";

const ROOT = `${import.meta.dirname}/..`;

/** What is not part of the executable. */
const OUTSIDE = new Set(["build", "dist", "docs", "examples", "tests"]);

async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory) yield path;
    else if (!name.startsWith(".") && !OUTSIDE.has(name)) yield* filesIn(path);
  }
}

/** What `using` declares in a folder's files, sorted; a namesake's number is left out. */
async function declaredIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const path of filesIn(folder)) {
    if (!/\.(?:ts|js)$/.test(path)) continue;
    const code = await Deno.readTextFile(path);
    const found = code.matchAll(/^ *(?:await )?using (\w+?)\d* =/gm);
    names.push(...found.map(([, name = ""]) => name));
  }
  return names.sort();
}

testWith(
  [notUnderWine("no bundler")],
  "the executable closes whatever the source declares with using",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      await bundle(folder);
      assertEquals(await declaredIn(folder), await declaredIn(ROOT));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
