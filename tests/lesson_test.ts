/** The lesson's six programs as teachers get them: they work with netdemo's, and the docs show them. */
import { assert, assertEquals } from "@std/assert";
import { freePort } from "./harness/free_port.ts";
import { netdemo, Process, pythonTest, startServer } from "./harness/mod.ts";

const root = `${import.meta.dirname}/..`;
const folder = `${root}/examples/lesson`;

/** Starts one of the lesson's programs at a port. */
function program(python: string, name: string, port: number, stdin?: "piped"): Process {
  return new Process([python, `${folder}/${name}.py`, String(port)], { stdin: stdin ?? "null" });
}

const talks = [
  { name: "hello", words: [], reply: "", shows: /Connection is established\.\.\./ },
  { name: "message", words: [], reply: "Thanks...\n", shows: /Hello Server HBD/ },
  { name: "calc", words: ["10", "4", "/"], reply: "Div of 10 and 4 is 2.5\n", shows: /running/ },
];

for (const { name, words, reply, shows } of talks) {
  pythonTest(`the lesson's ${name} server answers netdemo's client`, async (python) => {
    const port = freePort();
    await using server = program(python, `${name}_server`, port);
    await server.printed(/running|Running/);
    const args = [`${name}-client`, "--host=127.0.0.1", `--port=${port}`, ...words];
    assertEquals(await netdemo(args), { code: 0, stdout: reply, stderr: "" });
    await server.printed(shows);
  });

  pythonTest(`netdemo's ${name} server answers the lesson's client`, async (python) => {
    const { process, port } = await startServer([`${name}-server`, "--host=127.0.0.1"]);
    await using _process = process;
    await using client = program(python, `${name}_client`, port, "piped");
    await client.input(words.length > 0 ? `${words.join(" ")}\n` : "");
    const { code, stdout, stderr } = await client.ended();
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(stdout.replaceAll("Enter Command ", ""), reply);
    if (name === "message") await process.printed(shows);
  });
}

pythonTest("the lesson's calculator serves one client after another", async (python) => {
  const port = freePort();
  await using server = program(python, "calc_server", port);
  await server.printed(/running/);
  for (let client = 0; client < 3; client++) {
    const args = ["calc-client", "--host=127.0.0.1", `--port=${port}`, "10", "20", "+"];
    assertEquals((await netdemo(args)).stdout, "Sum of 10 and 20 is 30\n");
  }
});

Deno.test("docs/lesson.md shows the six programs exactly", async () => {
  const doc = await Deno.readTextFile(`${root}/docs/lesson.md`);
  let shown = 0;
  for await (const { name } of Deno.readDir(folder)) {
    assert(
      doc.includes(`\`\`\`python\n${await Deno.readTextFile(`${folder}/${name}`)}\`\`\``),
      name,
    );
    shown++;
  }
  assertEquals(shown, 6);
});
