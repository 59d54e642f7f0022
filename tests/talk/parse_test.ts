import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { wordsOfTalk } from "../../cli/errors/talk_words.ts";
import { readTalkText } from "../../cli/arguments/talk_file.ts";
import { Failure } from "../../cli/errors/failure.ts";
import { escapeBytes } from "../../talk/escape.ts";
import { MAX_FILE, parseTalk } from "../../talk/parse.ts";
import { TalkError } from "../../talk/problem.ts";
import { render } from "../../talk/render.ts";
import { writeTalk } from "../../talk/write.ts";
import { processorTime, testWith, timing } from "../harness/mod.ts";
import { assertProperty } from "../harness/random.ts";

/** A file, where it is wrong, and some words of what would be right. */
const mistakes: readonly (readonly [string, string, string])[] = [
  ["10 + 20\n< 30\n", "1:1", "(the client sends it), < (the server sends it)"],
  ["10 + 20\n< 30\n", "1:1", "write > 10 + 20"],
  ["UDP\n> a\n< b\n", "1:1", "write udp"],
  ["Udp:\n> a\n< b\n", "1:1", "write udp"],
  ["  > a\n< b\n", "1:1", "write > a"],
  ["// note\n> a\n< b\n", "1:1", "write # note"],
  ["> a\n< b\\q\n", "2:4", "'\\q' is not an escape"],
  ["> a \n< b\n", "1:4", "\\x20"],
  ["> a\n< b\t\n", "2:4", "\\x20"],
  ["> {a\n< b\n", "1:3", "no } closes this brace; for the character itself write \\{"],
  ["> { a }\n< b\n", "1:3", "for a value write {a}, for the characters write \\{ a }"],
  ["> {a}\n< {a + b}\n", "2:8", "nobody has said 'b' yet: write {b}"],
  ["! {b}\n> {a}\n< {a + b}\n", "3:8", "nobody has said 'b'"],
  ["< {upper(w)}\n", "1:10", "nobody has said 'w'"],
  ["> {name}\n< {upper(nam)}\n", "2:10", "nobody has said 'nam' yet: did you mean {name}?"],
  ["> {name}\n< Hi {nam}\n", "2:7", "did you mean {name}, as in line 1?"],
  ["< {token}\n> {tokne}\n< ok\n", "2:4", "did you mean {token}"],
  ["> {Name}\n< {name}\n", "2:4", "did you mean {Name}"],
  ["> a{END}\n< b\n", "1:5", "'end' has a meaning of its own"],
  ["> a\n< {…}\n", "2:3", "for a value write {...}, for the characters write \\{…}"],
  ["> {a}\n< {a + 1}\n> {w}\n< {upper(w)} {upper(a)}\n", "4:21", "number in line 2"],
  ["> {a 9..1}\n< b\n", "1:6", "no number is in the range 9..1"],
  ["> {a + 1 1..9}\n< b\n", "1:10", "only a name has a range"],
  ["> {a 0..256 as u8}\n< b\n", "1:6", "can be written as u8"],
  ["> a\n< b{end}c\n", "2:9", "nothing can follow {end}"],
  ["> a\n< {end}\n< b\n", "3:1", "the server has ended its side in line 2"],
  ["> a{end}\n> b\n< c\n", "2:1", "the client has ended its side in line 1"],
  ["> a\n< {end}\n! b\n", "3:1", "the client has ended its side in line 2"],
  ["udp\n< a\n", "2:1", "put what the client sends above"],
  ["udp\nann> a\nbob< a\n", "3:1", "put what the client sends above"],
  ["udp\n> a\n< a{end}\n", "3:4", "leave out {end}"],
  ["> a\nudp\n< b\n", "2:1", "above the first conversation"],
  ["> a\n", "1:1", "no line begins with <"],
  ["", "1:1", "no line begins with <"],
  ["== one\n== two\n< a\n", "1:1", "this conversation has no lines"],
  ["ann! x\n< a\n", "1:1", "write ! alone"],
  [">a\n< b\n", "1:2", "a space is missing; write: > a"],
  ["> {a as u9}\n< b\n", "1:9", "u8, u16, u32, u16le and u32le"],
  ["> {length}\n< b\n", "1:4", "{length as u16}"],
  ["> {a +}\n< b\n", "1:7", "a name or a number is missing"],
  ["> {a + *}\n< b\n", "1:8", "'*' is not a name or a number"],
  ["> {(a}\n< b\n", "1:6", "a ) is missing"],
  ["> {abs(a)}\n< b\n", "1:4", "upper, lower, reverse, length"],
  ["> {upper}\n< b\n", "1:4", "'upper' has a meaning of its own"],
  ["> {a b}\n< b\n", "1:6", "'b' is too much"],
  [`> {a${" + a".repeat(400)}}\n< b\n`, "1:4", "at most 1000 characters"],
  [`> ${"a".repeat(MAX_FILE)}\n< b\n`, "1:1", "at most 1048576 characters"],
];

/** What is wrong with a file. */
function errorOf(text: string): TalkError | undefined {
  try {
    parseTalk(text);
    return undefined;
  } catch (error) {
    if (error instanceof TalkError) return error;
    throw error;
  }
}

Deno.test("a wrong file is told where it is wrong and what would be right", () => {
  for (const [text, place, words] of mistakes) {
    const shown = JSON.stringify(text.slice(0, 60));
    const error = errorOf(text);
    assertEquals(`${error?.line}:${error?.column}`, place, shown);
    const said = error === undefined ? "" : wordsOfTalk(error.problem);
    assert(said.includes(words), `${shown}: ${said}`);
  }
});

Deno.test("a failure shows the wrong line with a caret", () => {
  let failure: unknown;
  try {
    readTalkText("class.talk", "> {a}\n< {a + b}\n");
  } catch (error) {
    failure = error;
  }
  if (!(failure instanceof Failure)) throw failure;
  assertEquals([failure.kind, failure.message.split(" ")[0]], ["USAGE", "class.talk:2:8:"]);
  assertEquals(failure.excerpt, ["< {a + b}", "       ^"]);
  assertEquals(failure.hint, "netdemo help conversations explains every sign");
});

Deno.test("a file holds conversations, clients, mistakes, comments and what is typed", () => {
  const talk = parseTalk(
    "# All of it.\r\n== adds\r\ntype 1 2\r\n# Two numbers.\r\n# In one line.\r\n> {a 1..9} {b}\\n\r\n" +
      '< {"a": {a + b}}\r\n! ten\r\n\r\n== chat ==\nann> hi\nbob< hi\n',
  );
  assertEquals(talk.conversations.map(({ title }) => title), ["adds", "chat"]);
  const lines = talk.conversations.flatMap(({ lines }) => lines);
  assertEquals(lines.map(({ says, client }) => `${client}${says}`), [
    "typed",
    "client",
    "server",
    "mistake",
    "annclient",
    "bobserver",
  ]);
  assertEquals(lines[1]?.comment, "Two numbers. In one line.");
  assertEquals([...talk.numbers.keys()].sort(), ["a", "b"]);
  // A brace that no name follows stands for itself.
  assertEquals(lines[2]?.tokens.map(({ kind }) => kind), [
    "bytes",
    "value",
    "bytes",
    "optional newline",
  ]);
});

const anyByte = fc.uint8Array({ maxLength: 40 });
const textual = fc.string({ unit: "binary", maxLength: 40 }).map((text) =>
  new TextEncoder().encode(text)
);
const bracy = fc.string({ unit: fc.constantFrom(..."{}.ae \\\r\n\t\0é"), maxLength: 20 })
  .map((text) => new TextEncoder().encode(text));

Deno.test("what is written reads back as the same bytes", () =>
  assertProperty(
    fc.property(
      fc.array(fc.oneof(anyByte, textual, bracy), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      (messages, udp) => {
        const lines = messages.flatMap((bytes) => [
          { says: "client", text: escapeBytes(bytes), comments: ["sent"] } as const,
          { says: "server", client: "", text: escapeBytes(bytes) } as const,
        ]);
        const text = writeTalk({ udp, conversations: [{ title: "", lines }] });
        const talk = parseTalk(text);
        const read = talk.conversations[0]?.lines ?? [];
        const options = { talk, random: () => 0 };
        assertEquals(
          read.map(({ tokens }) => [...render(tokens, new Map(), options)]),
          messages.flatMap((bytes) => [[...bytes], [...bytes]]),
        );
        // What was read is written the same way.
        const again = read.map(({ says, source, comment }) => ({
          says,
          text: source.slice(2),
          comments: comment === undefined ? [] : [comment],
        }));
        assertEquals(
          writeTalk({ udp: talk.udp, conversations: [{ title: "", lines: again }] }),
          text,
        );
      },
    ),
    500,
  ));

Deno.test("any text is a file or is told why not, in linear time", () =>
  assertProperty(
    fc.property(
      fc.array(
        fc.constantFrom(
          "> ",
          "< ",
          "! ",
          "== ",
          "udp",
          "\n",
          "{",
          "}",
          "a",
          "...",
          "end",
          " as u8",
          "length",
          "(",
          "+",
          "\\",
          "x4",
          "1..9",
          "type ",
          "#",
        ),
        { maxLength: 60 },
      ),
      (pieces) => {
        const error = errorOf(pieces.join(""));
        if (error === undefined) return;
        assert(wordsOfTalk(error.problem).length > 10);
        assert(error.line > 0 && error.column > 0);
      },
    ),
    2_000,
  ));

/** Milliseconds of processor time that reading takes. */
function cpuTime(text: string): number {
  const start = processorTime();
  errorOf(text);
  return processorTime() - start;
}

testWith([timing], "a megabyte of any sign is read in less than 100 ms", () => {
  for (const sign of ["{", "}", "(", "\\", "{(", "{ a", "{...}", "\\n", "<", "=", "!", " a", "é"]) {
    const text = `< ${sign.repeat((MAX_FILE - 10) / sign.length)}b\n`;
    const ms = Math.min(...[1, 2, 3].map(() => cpuTime(text)));
    assert(ms < 100, `${sign}: ${ms} ms`);
  }
});

testWith([timing], "nothing in a file takes more than linear time", () => {
  const spaces = " ".repeat(MAX_FILE - 100);
  const values = [
    `{a${" ".repeat(990)}}`,
    `{a${" as".repeat(320)}}`,
    `{a${" 1..1".repeat(190)}}`,
    `{${"(".repeat(400)}a${")".repeat(400)}}`,
    `{a${" + a".repeat(240)}}`,
    "{a}",
    "\\x41",
  ];
  const files = [
    `== a${spaces}b\n< b\n`,
    `== ${"a ".repeat(MAX_FILE / 2 - 10)}\n< b\n`,
    `< {${spaces}a\n`,
    `< {${"(".repeat(MAX_FILE - 10)}\n`,
    `${"> a\n< b\n".repeat(MAX_FILE / 8)}`,
    ...values.map((value) => `> {a}\n< ${value.repeat((MAX_FILE - 20) / value.length)}\n`),
  ];
  for (const file of files) {
    const ms = cpuTime(file);
    assert(ms < 4_000, `${file.slice(0, 40)}: ${ms} ms`);
  }
});
