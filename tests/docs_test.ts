import { assertEquals, assertMatch } from "@std/assert";
import { labForms } from "../protocol/lab.ts";

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
