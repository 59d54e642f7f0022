import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { decodeText, readingUtf8 } from "../text/encoding.ts";
import { netdemo, startServer } from "./harness/mod.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const utf16 = (text: string): Uint8Array =>
  new Uint8Array(Uint16Array.from(text.split(""), (unit) => unit.charCodeAt(0)).buffer);

/** A text as editors and shells write it. */
const encodings: readonly { name: string; encode: (text: string) => Uint8Array }[] = [
  { name: "UTF-8", encode: utf8 },
  { name: "UTF-8 with a byte order mark", encode: (text) => utf8(`\ufeff${text}`) },
  { name: "UTF-16 as Windows PowerShell writes it", encode: (text) => utf16(`\ufeff${text}`) },
  { name: "UTF-16 without a byte order mark", encode: utf16 },
  {
    name: "UTF-16 with its bytes swapped",
    encode: (text) => utf16(swapped(`\ufeff${text}`)),
  },
];

function swapped(text: string): string {
  return text.replaceAll(/[^]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode((code & 255) << 8 | code >> 8);
  });
}

for (const { name, encode } of encodings) {
  Deno.test(`a file in ${name} is read as text`, () => {
    assertEquals(decodeText(encode("> ü€😀\r\n")), "> ü€😀\r\n");
  });

  Deno.test(`a stream of ${name} is read as UTF-8, wherever it is cut`, async () => {
    const text = "10 20 +\nü€😀\n";
    const bytes = encode(text);
    for (let cut = 1; cut <= bytes.length; cut++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length);
      const read = readingUtf8((buffer) => {
        const piece = pieces.shift();
        if (piece !== undefined) buffer.set(piece);
        return Promise.resolve(piece?.length ?? null);
      });
      const got: Uint8Array[] = [];
      const buffer = new Uint8Array(100);
      for (let count = await read(buffer); count !== null; count = await read(buffer)) {
        got.push(buffer.slice(0, count));
      }
      assertEquals(new TextDecoder().decode(concat(got)), text, `cut at ${cut}`);
    }
  });

  Deno.test(`stdin, targets and conversations may be in ${name}`, async () => {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    const server = `localhost:${port}`;
    const asked = await netdemo(["calc-client", server, "-"], encode("10 20 +\r\n6 7 *\r\n"));
    assertEquals([asked.code, asked.stdout], [
      0,
      "Sum of 10 and 20 is 30\nProduct of 6 and 7 is 42\n",
    ], asked.stderr);
    assertEquals((await netdemo(["check", "--targets", "-"], encode(`${server}\r\n`))).code, 0);
    const file = await Deno.makeTempFile({ suffix: ".talk" });
    try {
      await Deno.writeFile(file, encode("> 10 20 +\r\n< Sum of 10 and 20 is 30\r\n"));
      const { code, stderr } = await netdemo(["check", "--talk", file, server]);
      assertEquals(code, 0, stderr);
    } finally {
      await Deno.remove(file);
    }
  });
}

Deno.test("a key at a time reaches the reader as soon as it is pressed", async () => {
  const pressed = ["1", "\n", "2", "\n"];
  const read = readingUtf8((buffer) => {
    buffer.set(utf8(pressed.shift() ?? ""));
    return Promise.resolve(1);
  });
  await read(new Uint8Array(100));
  assertEquals(pressed, ["2", "\n"], "no line takes less than two bytes");
});

Deno.test("what is neither UTF-8 nor UTF-16 is refused", async () => {
  for (const bytes of [Uint8Array.of(0x31, 0xff), Uint8Array.of(0xff, 0xfe, 0x31)]) {
    assertThrows(() => decodeText(bytes), TypeError);
    const { code, stderr } = await netdemo(["check", "--targets", "-"], bytes);
    assertEquals(code, 2);
    assertMatch(stderr, /^netdemo: USAGE: cannot read the targets: it is not UTF-8 text\nhint: /);
  }
});
