import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { SaxesParser } from "saxes";
import { ladderSvg } from "../ladder/svg.ts";
import type { Rung } from "../ladder/rung.ts";
import { testWith, tool } from "./harness/needs.ts";
import { readPng } from "./harness/png.ts";
import { netdemoInProcess } from "./harness/mod.ts";

interface Drawn {
  readonly elements: ReadonlySet<string>;
  readonly texts: readonly string[];
  readonly attributes: readonly string[];
}

/** Reads a drawing as a browser would. @throws {Error} if it is not well-formed. */
function read(svg: string): Drawn {
  const elements = new Set<string>();
  const texts: string[] = [];
  const attributes: string[] = [];
  let open: string | undefined;
  const parser = new SaxesParser();
  parser.on("opentag", (tag) => {
    elements.add(tag.name);
    attributes.push(...Object.values(tag.attributes as Record<string, string>));
    open = tag.name;
    if (open === "text") texts.push("");
  });
  parser.on("text", (text) => {
    if (open === "text") texts[texts.length - 1] += text;
  });
  parser.on("closetag", () => open = undefined);
  parser.write(svg).close();
  return { elements, texts, attributes };
}

async function demo(...args: string[]): Promise<Drawn> {
  const { code, stdout, stderr } = await netdemoInProcess(["demo", ...args, "--svg"]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return read(stdout);
}

Deno.test("demo SCENE --svg draws the same rungs as the terminal, with text as text", async () => {
  const { elements, texts } = await demo("calc");
  assertEquals([...elements].sort(), ["g", "path", "rect", "svg", "text", "title"]);
  for (
    const text of [
      "calc over TCP: a client asks a calculator",
      "socket() bind() listen()",
      "connect()",
      "handshake",
      "accept()",
      '"10 20 +\\n"',
      "recv(8)",
      '"Sum of 10 and 20 is 30\\n"',
      "send(23)",
      "end of stream",
      "client: Sum of 10 and 20 is 30",
    ]
  ) assert(texts.includes(text), `${text} in ${texts.join("|")}`);
  assert(texts.some((text) => /^calc-server 127\.0\.0\.1:\d+$/.test(text)));
});

Deno.test("markup and control characters in the data stay text", async () => {
  const { elements, texts } = await demo("message", "</text><script>alert(1)</script>&\u202e");
  assert(!elements.has("script"));
  assert(texts.some((text) => text.includes("</text><script>alert(1)</script>&\\u202e")));
  const data = new Uint8Array([0x00, 0xff, 0xef, 0xbf, 0xbf, 0x3c]); // U+FFFF is not XML
  const rung: Rung = {
    time: 0,
    client: [],
    server: [],
    crossing: { from: "client", what: "data", data },
  };
  const drawn = read(ladderSvg([rung], { title: "\x1b<", results: ["\x07"] }));
  assert(
    drawn.texts.some((text) => text.startsWith(`"\\x00`) && text.endsWith(`<"`)),
    drawn.texts.join("|"),
  );
});

Deno.test("--svg --explain keeps each line between the rails, and loads nothing", async () => {
  const { stdout } = await netdemoInProcess(["demo", "reset", "--svg", "--explain"]);
  const notes = [...stdout.matchAll(/<text x="236"[^>]*>([^<]*)</g)].map(([, note = ""]) => note);
  assert(notes.length > 5);
  for (const note of notes) assert(note.length <= 57, note);
  assert(!/url\(|href|@import/.test(stdout), "no external resource is loaded");
});

Deno.test("--svg without a scene, or with --json, is a usage error", async () => {
  for (const args of [[], ["calc", "--json"]]) {
    const { code, stdout, stderr } = await netdemoInProcess(["demo", "--svg", ...args]);
    assertEquals({ code, picture: stdout.includes("<svg") }, { code: 2, picture: false });
    assertMatch(stderr, /USAGE: --svg .*\nhint: for example: netdemo demo calc --svg > calc\.svg/);
  }
});

/** Renders a picture as the programs that slides are made with do: without media queries. */
async function render(svg: string) {
  const child = new Deno.Command("rsvg-convert", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(svg));
  await writer.close();
  const { stdout, success } = await child.output();
  assert(success);
  return await readPng(stdout);
}

testWith(
  [tool("rsvg-convert")],
  "a slide shows the colours: light, and dark if asked for",
  async () => {
    const themes = {
      light: { flags: ["--svg"], paper: "#ffffff", colors: ["#18794e", "#9a6700", "#0a6e8a"] },
      dark: {
        flags: ["--svg", "dark"],
        paper: "#11151d",
        colors: ["#5fd39b", "#e9b44c", "#5cc8e6"],
      },
    };
    for (const { flags, paper, colors } of Object.values(themes)) {
      const { code, stdout } = await netdemoInProcess(["demo", "calc", ...flags]);
      assertEquals(code, 0);
      const picture = await render(stdout);
      assertEquals([picture.width, picture.at(picture.width / 2, 20)], [960, paper]);
      assertGreater(picture.colors.get(paper) ?? 0, 0.9 * picture.width * picture.height);
      for (const color of colors) assertGreater(picture.colors.get(color) ?? 0, 50, color);
      // The rounded corners, which have no colour.
      assert((picture.colors.get("#000000") ?? 0) < 100);
    }
  },
);

Deno.test("--svg takes light or dark", async () => {
  const { code, stderr } = await netdemoInProcess(["demo", "calc", "--svg=pink"]);
  assertEquals(code, 2);
  assertMatch(stderr, /USAGE: --svg takes light or dark: received 'pink'/);
});
