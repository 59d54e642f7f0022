import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { type Line, LineBuffer } from "../protocol/line_buffer.ts";
import { assertProperty } from "./harness/random.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Feeds the bytes to the buffer, in pieces of the sizes that `next` returns. */
function feed(buffer: LineBuffer, bytes: Uint8Array, next: () => number): Line[] {
  const lines: Line[] = [];
  while (bytes.length > 0 && !buffer.tooLong) {
    const space = buffer.space();
    const count = Math.min(next(), space.length, bytes.length);
    space.set(bytes.subarray(0, count));
    bytes = bytes.subarray(count);
    lines.push(...buffer.take(count));
  }
  return lines;
}

const invalid = new Uint8Array([0x31, 0xff, 0x32]);
const table: { name: string; bytes: Uint8Array; lines: Line[]; rest?: Line }[] = [
  { name: "lines end in LF", bytes: encode("a\nb\n"), lines: ["a", "b"] },
  { name: "a CR before LF is dropped", bytes: encode("a\r\nb\r\n"), lines: ["a", "b"] },
  { name: "one CR is dropped, not two", bytes: encode("a\r\r\n"), lines: ["a\r"] },
  { name: "a lone CR is text", bytes: encode("a\rb\n"), lines: ["a\rb"] },
  { name: "empty lines are skipped", bytes: encode("\n\r\na\n\n\nb\n"), lines: ["a", "b"] },
  { name: "NUL is text", bytes: encode("a\0b\n"), lines: ["a\0b"] },
  {
    name: "a byte order mark is passed over before the first line, and text after it",
    bytes: encode("\ufeffa\n\ufeffb\n"),
    lines: ["a", "\ufeffb"],
  },
  { name: "a byte order mark before a rest", bytes: encode("\ufeffa"), lines: [], rest: "a" },
  { name: "a byte order mark alone", bytes: encode("\ufeff"), lines: [] },
  { name: "characters of 2, 3 and 4 bytes", bytes: encode("ü€😀\nü\n"), lines: ["ü€😀", "ü"] },
  {
    name: "an invalid UTF-8 line affects no other",
    bytes: new Uint8Array([...encode("a\n"), ...invalid, ...encode("\nb\n")]),
    lines: ["a", null, "b"],
  },
  { name: "bytes without LF are the rest", bytes: encode("a\nb"), lines: ["a"], rest: "b" },
  { name: "an invalid UTF-8 rest", bytes: invalid, lines: [], rest: null },
];

Deno.test("lines are the same wherever the stream is cut", () => {
  for (const { name, bytes, lines, rest } of table) {
    for (let cut = 1; cut <= bytes.length; cut++) {
      const buffer = new LineBuffer(100);
      const pieces = [cut, bytes.length];
      assertEquals(feed(buffer, bytes, () => pieces.shift() ?? 1), lines, `${name}, cut at ${cut}`);
      assertEquals(buffer.takeRest().lines, rest === undefined ? [] : [rest], name);
      assertEquals(buffer.pending, 0);
    }
    assertEquals(feed(new LineBuffer(100), bytes, () => 1), lines, `${name}, byte by byte`);
  }
});

Deno.test("lines are whole up to the maximum length, and too long beyond it", () => {
  for (const max of [1, 2, 10, 1_023, 1_024, 1_025, 65_536, 100_000]) {
    for (const end of ["\n", "\r\n"]) {
      for (const piece of [1_000, 70_000]) {
        const buffer = new LineBuffer(max);
        const longest = "x".repeat(max);
        assertEquals(feed(buffer, encode(longest + end + longest + end), () => piece), [
          longest,
          longest,
        ]);
        assertEquals(buffer.tooLong, false);
        assertEquals(feed(buffer, encode(`a${end}${longest}x${end}b${end}`), () => piece), ["a"]);
        assertEquals(buffer.tooLong, true, `${max}`);
      }
    }
  }
});

Deno.test("a stream without a line end is refused at the maximum, not buffered", () => {
  const buffer = new LineBuffer(65_536);
  const megabyte = new Uint8Array(1_000_000).fill(0x41);
  assertEquals(feed(buffer, megabyte, () => 10_000), []);
  assertEquals(buffer.tooLong, true);
});

Deno.test("silence ends a line only before the first LF, and only a short line", () => {
  const buffer = new LineBuffer(65_536);
  assertEquals(buffer.quietEndsLine, false);
  feed(buffer, encode("x".repeat(1_024)), () => 2_000);
  assertEquals(buffer.quietEndsLine, true);
  feed(buffer, encode("x"), () => 1);
  assertEquals(buffer.quietEndsLine, false, "1,025 bytes may be several segments");
  feed(buffer, encode("\nabc"), () => 4);
  assertEquals(buffer.quietEndsLine, false, "a connection that has sent LF");
  assertEquals(buffer.takeRest().lines, ["abc"]);
});

Deno.test("random lines come out unchanged, however they are cut", async () => {
  const unit = fc.constantFrom("a", "1", " ", "ü", "€", "😀", "\0", "\t");
  const text = fc.oneof(
    { weight: 9, arbitrary: fc.string({ unit, minLength: 1, maxLength: 20 }) },
    { weight: 1, arbitrary: fc.string({ unit, minLength: 1, maxLength: 3_000, size: "max" }) },
  );
  const lines = fc.array(
    fc.record({ text, end: fc.constantFrom("\n", "\r\n", "\r\n\n") }),
    { maxLength: 50, size: "max" },
  );
  const pieces = fc.oneof(
    ...[3, 50, 5_000].map((max) =>
      fc.array(fc.integer({ min: 1, max }), { minLength: 1, maxLength: 20, size: "max" })
    ),
  );
  await assertProperty(
    fc.property(lines, pieces, (lines, pieces) => {
      const sent = encode(lines.map(({ text, end }) => text + end).join(""));
      let turn = 0;
      const got = feed(new LineBuffer(20_000), sent, () => pieces[turn++ % pieces.length] ?? 1);
      assertEquals(got, lines.map(({ text }) => text));
    }),
    200,
  );
});

Deno.test("lines of invalid UTF-8 cost no exception each", () => {
  const time = (line: readonly number[]): number => {
    const bytes = new Uint8Array(Array.from({ length: 5_000 }, () => line).flat());
    const started = performance.now();
    const lines = feed(new LineBuffer(65_536), bytes, () => 16_384);
    const elapsed = performance.now() - started;
    assertEquals(lines.length, 5_000);
    return elapsed;
  };
  // The best of many rounds: another program may be using the machine in some.
  let [valid, invalid] = [Infinity, Infinity];
  for (let round = 0; round < 30; round++) {
    valid = Math.min(valid, time([0xc3, 0xbc, 0x0a]));
    invalid = Math.min(invalid, time([0xc3, 0xff, 0x0a]));
  }
  assertLess(invalid, valid * 100); // with exceptions it would be 900 times as long, without it is 12
});
