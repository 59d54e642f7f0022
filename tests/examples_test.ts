/** The files in examples/: each is YAML, and each netdemo command in them does what it says. */
import { assert, assertEquals } from "@std/assert";
import { parseAllDocuments } from "yaml";
import { service as calc } from "../services/calc.ts";
import { serve } from "../services/server/stream_server.ts";
import { netdemoInProcess } from "./harness.ts";
import { startNobody } from "./peers.ts";

const FOLDER = new URL("../examples/", import.meta.url);

/** The netdemo commands within a value of a YAML document, each as its words. */
function commandsIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value === "string") {
    const [program, ...words] = value.replace(/ &$/, "").split(" ");
    return program === "netdemo" && words.length > 0 ? [words] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const words = value.filter((word) => typeof word === "string");
    const at = words.indexOf("netdemo");
    if (at !== -1) return [words.slice(at + 1)];
    if (/^(?:check|\w+-server)$/.test(words[0] ?? "")) return [words];
    return value.flatMap(commandsIn);
  }
  return Object.values(value).flatMap(commandsIn);
}

for (const { name, isFile } of Deno.readDirSync(FOLDER)) {
  if (!isFile) continue; // examples/grade/ has a test of its own
  Deno.test(`each command of examples/${name} does what it says`, async () => {
    const documents = parseAllDocuments(await Deno.readTextFile(new URL(name, FOLDER)));
    const errors = documents.flatMap((document) => [...document.errors, ...document.warnings]);
    assertEquals(errors, []);
    const commands = documents.flatMap((document) => commandsIn(document.toJS()));
    assert(commands.some(([command]) => command === "check"), "the file has a check");
    assert(commands.some(([command]) => command === "calc-server"), "the file has a server");

    // Here the names and ports of the examples are these.
    await using server = serve(calc, { port: 0 });
    await using nobody = await startNobody("127.0.0.1");
    const folder = await Deno.makeTempDir();
    const here = (word: string): string =>
      word.replace(/\bcalc:|\blocalhost:/, "127.0.0.1:").replace(/:4040$/, `:${server.port}`)
        .replace(/:(?:4041|9)$/, `:${nobody.port}`).replace(/^smoke\.xml$/, `${folder}/smoke.xml`)
        .replace(/^4041$|^4040$|^0\.0\.0\.0$/, (it) => it.includes(".") ? "127.0.0.1" : "0");
    try {
      for (const words of commands) {
        const limits = words[0] === "check" ? [] : ["--max-time", "1ms"];
        const { code, stderr } = await netdemoInProcess([...words.map(here), ...limits]);
        assertEquals(code, 0, `${words.join(" ")}: ${stderr}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
