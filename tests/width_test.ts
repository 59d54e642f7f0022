import { assertEquals } from "@std/assert";
import stringWidth from "string-width";
import { isUtf8 } from "../text/utf8.ts";
import { visibleBytes } from "../text/visible.ts";
import { cutTo, padTo, quoteBytes, widthOf } from "../text/width.ts";

Deno.test("text width agrees with the string-width package", () => {
  const texts = ["", "plain ASCII ~", "münchen", "mu\u0308nchen", "日本語", "한국어", "ﾊﾛｰ", "Ａ"];
  const emoji = [
    "👋",
    "👨‍👩‍👧‍👦",
    "🇩🇪",
    "1️⃣",
    "❤️",
    "☺",
    "\u200b",
    "\u00ad",
    "e\u0301\u0302",
    "→─▶",
    "½",
  ];
  for (const text of [...texts, ...emoji, [...texts, ...emoji].join(" ")]) {
    assertEquals(widthOf(text), stringWidth(text), JSON.stringify(text));
  }
});

Deno.test("text is padded and cut by columns, and no character is split", () => {
  assertEquals(padTo("日本", 6), "日本  ");
  assertEquals(cutTo("日本語日本語", 8), "日本...");
  assertEquals(cutTo("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 5), "👨‍👩‍👧‍👦...");
});

Deno.test("bytes that are not UTF-8 are shown byte by byte, and text as text", () => {
  const shown: readonly (readonly [bytes: string, text: string])[] = [
    ["04d2162f", String.raw`\x04\xd2\x16/`], // the flags of a DNS answer
    ["c3a4d2", String.raw`ä\xd2`],
    ["f09f909f", "🐟"],
    ["f09f90", String.raw`\xf0\x9f\x90`], // cut off
    ["c080", String.raw`\xc0\x80`], // overlong
    ["eda080", String.raw`\xed\xa0\x80`], // a surrogate
    ["f4908080", String.raw`\xf4\x90\x80\x80`], // beyond U+10FFFF
    ["c29b9b", String.raw`\u009b\x9b`], // a control character, and a byte
    ["efbfbdefbbbf", "\ufffd\\ufeff"],
    ["0a", String.raw`\n`],
    ["", ""],
  ];
  for (const [hex, text] of shown) assertEquals(visibleBytes(Uint8Array.fromHex(hex)), text, hex);
  const quoted = quoteBytes(Uint8Array.fromHex("225cff"), 40);
  assertEquals(quoted, String.raw`"\"\\\xff"`);
});

Deno.test("what counts as UTF-8 is what the runtime decodes", () => {
  const strict = new TextDecoder("utf-8", { fatal: true });
  const edges = [
    0x00,
    0x7f,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xed,
  ];
  const all = [...edges, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff];
  for (const first of all) {
    for (const second of all) {
      for (const third of all) {
        for (const rest of [[], [0x80], [0xbf, 0x41]]) {
          const bytes = Uint8Array.of(first, second, third, ...rest);
          let isText = true;
          try {
            strict.decode(bytes);
          } catch {
            isText = false;
          }
          assertEquals(isUtf8(bytes), isText, bytes.toHex());
        }
      }
    }
  }
});
