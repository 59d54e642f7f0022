import { assertEquals } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { netdemoInProcess, Process, pythonTest } from "./harness/mod.ts";

const folder = `${import.meta.dirname}/../examples/exercises`;
const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".talk")).map((name) => name.replace(".talk", "")).sort();

pythonTest(
  "each exercise has a solution, which does what its conversation file shows",
  async (python) => {
    assertEquals(names, ["calculator", "chat", "echo", "guess", "mailbox", "pinger", "upper"]);
    for (const name of names) {
      const port = getAvailablePort();
      await using _server = new Process([python, `${folder}/${name}.py`, String(port)]);
      for (let round = 0; round < 2; round++) {
        const { code, stderr } = await netdemoInProcess([
          "check",
          ...["--talk", `${folder}/${name}.talk`],
          ...["--for", "10s"],
          `127.0.0.1:${port}`,
        ]);
        assertEquals([code, stderr], [0, ""], name);
      }
    }
  },
);

Deno.test("netdemo plays both sides of the exercises, but for the chat of two", async () => {
  for (const name of names.filter((name) => name !== "chat")) {
    const { code, stderr } = await netdemoInProcess(["demo", `${folder}/${name}.talk`]);
    assertEquals([code, stderr], [0, ""], name);
  }
});
