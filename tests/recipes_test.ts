/** docs/recipes.md: each recipe runs as written, and prints what the page says. */
import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { freePort } from "./harness/free_port.ts";
import { type Need, netdemo, startServer, testWith, tool, unix } from "./harness/mod.ts";
import { masked } from "./harness/masked.ts";
import { type Host, hostNeeds, runScript } from "./harness/script.ts";

const page = await Deno.readTextFile(`${import.meta.dirname}/../docs/recipes.md`);

/** The code blocks of each recipe by language, those of one language joined. */
const recipes = new Map(
  page.split(/^## /m).slice(1).map((section) => {
    const blocks = new Map<string, string>();
    for (const [, language = "", code = ""] of section.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
      blocks.set(language, (blocks.get(language) ?? "") + code);
    }
    return [section.split("\n", 1)[0] ?? "", blocks] as const;
  }),
);

/** Replaces the page's ports by free ones, consistently. */
function freePorts(): (text: string) => string {
  const ports = new Map<string, string>();
  return (text) =>
    text.replaceAll(/\b40\d\d\b/g, (port) => {
      if (!ports.has(port)) ports.set(port, String(freePort()));
      return ports.get(port) ?? "";
    });
}

/** A script's output, with runs of spaces collapsed: column widths vary with the ports. */
const comparable = (text: string): string =>
  masked(text.replaceAll(/^ +/gm, "")).replaceAll(/ +/g, " ");

/** The recipes that are scripts, with the host to run them on, if not this one. */
const scripts: readonly { title: string; needs?: readonly Need[]; host?: Host }[] = [
  { title: "Wait until a service is up" },
  {
    title: "Is the firewall right?",
    host: { firewall: "add rule inet t in tcp dport 4041 drop" },
  },
  { title: "Which replica answered?", needs: [tool("haproxy")] },
  {
    title: "Do large packets get through?",
    host: { firewall: "add rule inet t in meta length > 1400 drop" },
  },
  { title: "Any TCP port" },
  { title: "A whole conversation" },
  { title: "A CI job with a server and a client" },
  { title: "What consumes `--once`" },
];

for (const { title, needs = [], host: on } of scripts) {
  testWith(
    [unix, ...needs, ...(on === undefined ? [] : hostNeeds)],
    `recipe works: ${title}`,
    async () => {
      const blocks = recipes.get(title) ?? new Map<string, string>();
      assert(blocks.has("sh"), "the page has its script");
      const renumber = on === undefined ? freePorts() : (text: string) => text;
      const files = { "haproxy.cfg": renumber(blocks.get("haproxy") ?? "") };
      const printed = await runScript(renumber(blocks.get("sh") ?? ""), files, on);
      assertEquals(comparable(printed), comparable(renumber(blocks.get("") ?? "")));
    },
  );
}

testWith(
  [unix, ...hostNeeds],
  "the firewall recipe fails if the port is not closed",
  async () => {
    const script = recipes.get("Is the firewall right?")?.get("sh") ?? "";
    const printed = await runScript(`${script.trimEnd()} || echo "exit code $?"`, {}, {
      firewall: "",
    });
    assert(/^NOT +blocked=192\.0\.2\.7:4041/m.test(printed), printed);
    assert(/^exit code 1$/m.test(printed), printed);
  },
);

testWith([unix], "recipe works: An exec probe without a shell", async () => {
  const blocks = recipes.get("An exec probe without a shell");
  const probes: { exec: { command: string[] } }[] = Object.values(parse(blocks?.get("yaml") ?? ""));
  assertEquals(probes.length, 2);
  const { process, port } = await startServer(["calc-server"]);
  await using _ = process;
  for (const { exec: { command: [program, ...words] } } of probes) {
    assertEquals(program, "netdemo");
    const { code, stdout } = await netdemo(words.map((word) => word.replace("4040", `${port}`)));
    assertEquals(code, 0, stdout);
  }
});

Deno.test("every recipe of the page has a test", () => {
  const tried = [...scripts.map(({ title }) => title), "An exec probe without a shell"];
  assertEquals([...recipes.keys()].toSorted(), tried.toSorted());
});

Deno.test("a connection without a request consumes --once", async () => {
  const { process, port } = await startServer(["calc-server", "--once"]);
  await using _ = process;
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  assertEquals((await process.ended()).code, 0);
});

Deno.test("a datagram that looks like a reply does not consume --once, but a request does", async () => {
  const { process, port } = await startServer(["calc-server", "--udp", "--once", "--json"]);
  await using _ = process;
  using open = new DisposableStack();
  const socket = open.adopt(
    Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
    (it) => it.close(),
  );
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  await socket.send(new TextEncoder().encode("Sum of 1 and 2 is 3"), to);
  await process.printed(/"event":"ignored"/);
  await socket.send(new TextEncoder().encode("1 2 +"), to);
  await socket.receive();
  assertEquals((await process.ended()).code, 0);
});
