import { assertEquals } from "@std/assert";
import stringWidth from "string-width";
import { cutTo, padTo, widthOf } from "../text/width.ts";

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
