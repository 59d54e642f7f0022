import { assert, assertEquals, assertMatch } from "@std/assert";
import { shown, wrongBytes } from "../../commands/grade/evidence.ts";
import { firstRequest, saidIn } from "../../commands/grade/conversations.ts";
import { parseTalk } from "../../talk/parse.ts";
import { describe } from "../../talk/render.ts";
import type { Line } from "../../talk/talk.ts";
import { lastWords, ownLine } from "../../commands/grade/program/last_words.ts";

const encoder = new TextEncoder();
const SUM = "Sum of 10 and 20 is 30";

/** What is said of an answer to `10 20 +`. @param wanted As a conversation shows it. */
function wrong(came: Uint8Array, wanted: string) {
  const shouldBe = encoder.encode(wanted);
  let right = 0;
  while (right < came.length && came[right] === shouldBe[right]) right++;
  return wrongBytes({ came, right, wanted, sent: encoder.encode("10 20 +") });
}

Deno.test("the mistakes that learners make are named, with a caret under the first wrong byte", () => {
  const utf16 = new Uint8Array([...encoder.encode(SUM)].flatMap((byte) => [byte, 0]));
  const table: readonly (readonly [answer: string | Uint8Array, caret: number, name: RegExp])[] = [
    ["Sum of 10 and 20 is 30\0", 22, /NUL byte/],
    ["Sum of 10 and 20 is 30\0\0", 22, /NUL byte/],
    ["b'Sum of 10 and 20 is 30'", 0, /b'\.\.\.'/],
    ['"Sum of 10 and 20 is 30"', 0, /quotes/],
    ["10 20 +", 0, /the request itself came back/],
    ["Sum of 10 and 20 is 30\\n", 22, /backslash and an n/],
    ["SUM of 10 and 20 is 30", 1, /upper and lower case/],
    ["SUM of 10 and 20 is 30 ", 1, /byte 2 differs/],
    ["Sum of 10 and 20 is 30 ", 22, /white space after the text/],
    ["Sum of 10 and 20 is 30\t\r\n", 22, /white space after the text/],
    [" Sum of 10 and 20 is 30", 0, /white space before the text/],
    ["\ufeffSum of 10 and 20 is 30", 0, /byte 1 differs/],
    ["Sum of 10 and 20 = 30", 17, /byte 18 differs/],
    ["Sum\x1b[1m", 3, /byte 4 differs/],
    ["Thanks...", 0, /what the lesson's message-server says/],
    [utf16, 1, /UTF-16/],
  ];
  for (const [answer, column, name] of table) {
    const bytes = typeof answer === "string" ? encoder.encode(answer) : answer;
    const { saw, want } = wrong(bytes, SUM);
    const [, below = ""] = saw.split("\n");
    assertEquals(below.indexOf("^"), column, saw);
    assertMatch(below, name);
    assertEquals(want, SUM);
  }
});

Deno.test("a line end that is missing, or should be, is named as such", () => {
  const table: readonly (readonly [after: string, end: string, name: RegExp])[] = [
    ["", "\\n", /the line end is missing/],
    ["\n\n", "\\n", /more than one line end/],
    [" \n", "\\n", /white space after the text/],
    ["", "\\r\\n", /the line end is missing/],
    ["\n", "\\r\\n", /the line end is \\n, not \\r\\n/],
    ["\r\n\r\n", "\\r\\n", /more than one line end/],
  ];
  for (const [after, end, name] of table) {
    const { saw, fix = "" } = wrong(encoder.encode(SUM + after), SUM + end);
    assertMatch(saw.split("\n")[1] ?? "", name);
    assertMatch(fix, /after the last word/); // it may be a client's request: no "answer"
    assert(fix.includes(end) || after.startsWith(" "), fix);
  }
});

Deno.test("lines that came without their line ends are named as such", () => {
  assertMatch(
    wrong(encoder.encode("720+"), "7\\n20\\n+\\n").saw,
    /\n \^ the line ends are missing/,
  );
});

Deno.test("what is missing around a text that a program chose itself is named", () => {
  const table: readonly (readonly [line: string, came: string, name: RegExp])[] = [
    ["SAY {word}\\n", "SAY hello", /the line end is missing/],
    ["SAY {word}\\r\\n", "SAY hello", /the line end is missing/],
    ["SAY {word}\\r\\n", "SAY hello\n", /the line end is \\n, not \\r\\n/],
    ["{a} + {b}\\n", "1 + 2", /the line end is missing/],
    ["{length as u16}{word}", "hello", /the length in front is missing/],
    ["{length as u32}{word}", "hello\r\n", /the length in front is missing/],
    ["{length as u16}{word}", "\x05\0hello", /in reverse order/],
    ["{length as u16}{word}", "\0\x07hello", /the length in front is wrong/],
    ["{length as u8}{word}\\n", "\x05hello\n", /the length in front is wrong/],
  ];
  for (const [shown, text, name] of table) {
    const talk = parseTalk(`> ${shown}\n< ok\n`);
    const line = firstRequest(talk) as Line;
    const came = encoder.encode(text);
    const said = saidIn(line, came, { talk });
    assert(said, text);
    assertMatch(wrong(came, describe([line], said ?? new Map())).saw, name);
    assertEquals(saidIn(line, encoder.encode("\0"), { talk }), undefined);
  }
});

Deno.test("a NUL is no mistake of its own in a message in binary", () => {
  assertMatch(wrong(Uint8Array.of(0, 0, 0), "\\0\\x01\\0").saw, /\^ byte 1 differs/);
});

Deno.test("a number that was worked out wrongly is named for how it looks", () => {
  const table: readonly (readonly [answer: string, wanted: string, name: RegExp])[] = [
    ["Sum of 10 and 20 is 1020", SUM, /joined as text/],
    ["1020", "30", /joined as text/],
    ["Div of 10 and 4 is 2", "Div of 10 and 4 is 2.5", /cut to a whole number/],
    ["37 F\r\n", "37.8 F\\r\\n", /cut to a whole number/],
    ["Sum of 10 and 20 is 31", SUM, /the number is wrong, and the text around it is right/],
    ["160.6 C\n", "142.777778 C\\n", /the number is wrong/],
    ["Sum of 10 and 21 is 31", SUM, /byte 16 differs/],
  ];
  for (const [answer, wanted, name] of table) {
    assertMatch(wrong(encoder.encode(answer), wanted).saw, name);
  }
});

Deno.test("what a program sends is shown on one line, however long it is and whatever is in it", () => {
  assertEquals(shown("a\nb\x1b[31m\u202e"), "a\\nb\\x1b[31m\\u202e");
  assertEquals(shown(new Uint8Array([0xff, 0xfe, 0x41])), "\\xff\\xfeA");
  const long = shown("7".repeat(60_000));
  assertEquals(long.length < 100, true);
  assertMatch(long, /^7+\.\.\.7+ \(60000 bytes\)$/);
});

Deno.test("the line quoted from a stack trace is the one that says what went wrong", () => {
  const table: Readonly<Record<string, string>> = {
    'Traceback (most recent call last):\n  File "s.py", line 3, in <module>\n    1 / 0\nZeroDivisionError: division by zero\n':
      "ZeroDivisionError: division by zero",
    "node:events:497\n      throw er; // Unhandled 'error' event\n      ^\n\nError: read ECONNRESET\n    at TCP.onStreamRead (node:internal)\nEmitted 'error' event on Socket instance at:\n    at x\n\nNode.js v20.1\n":
      "Error: read ECONNRESET",
    "panic: runtime error: integer divide by zero\n\ngoroutine 6 [running]:\nmain.serve(0xc)\n\t/x.go:3 +0x1d\nexit status 2\n":
      "panic: runtime error: integer divide by zero",
    "s.rb:5:in `/': divided by 0 (ZeroDivisionError)\n\tfrom s.rb:9:in `block'\n":
      "s.rb:5:in `/': divided by 0 (ZeroDivisionError)",
    'Exception in thread "main" java.net.BindException: Address already in use\n\tat java.base/x\n':
      'Exception in thread "main" java.net.BindException: Address already in use',
    "bind: Address already in use\n": "bind: Address already in use",
    "Server is running\n": "Server is running",
  };
  for (const [stderr, words] of Object.entries(table)) assertEquals(lastWords(stderr), words);
  assertEquals(lastWords(" \n"), undefined);
});

Deno.test("the learner's own line is the innermost place in a file of theirs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = (name: string): string => `${folder}/${name}`;
    for (const name of ["s.py", "s.mjs", "s.go", "s.rb", "s.pl", "s.c"]) {
      await Deno.writeTextFile(path(name), "first\n  second one\nthird\n");
    }
    const table: readonly (readonly [stderr: string, line: string | undefined])[] = [
      [
        `Traceback:\n  File "${
          path("s.py")
        }", line 2, in main\n  File "/usr/lib/python3.11/socket.py", line 9, in send\nTypeError: x\n`,
        "s.py, line 2: second one",
      ],
      [
        `${path("s.mjs")}:3\n^\nTypeError: x\n    at node:net:1:2\n    at f (file://${
          path("s.mjs")
        }:2:5)\n`,
        "s.mjs, line 3: third",
      ],
      [
        `Exception in thread "main" java.lang.NumberFormatException: x\n\tat java.base/java.lang.Integer.parseInt(Integer.java:652)\n\tat Server.main(Server.java:12)\n`,
        "Server.java, line 12",
      ],
      [
        `panic: x\n\ngoroutine 1 [running]:\nmain.f()\n\t/usr/local/go/src/net/net.go:4 +0x1\nmain.main()\n\t${
          path("s.go")
        }:2 +0x1d\n`,
        "s.go, line 2: second one",
      ],
      [`${path("s.rb")}:2:in 'f': divided by 0 (ZeroDivisionError)\n`, "s.rb, line 2: second one"],
      [`Illegal division by zero at ${path("s.pl")} line 2.\n`, "s.pl, line 2: second one"],
      [
        `==1==ERROR: AddressSanitizer: stack-buffer-overflow\n    #0 0x1 in strcpy /usr/src/x.c:1\n    #1 0x55 in main ${
          path("s.c")
        }:2:5\n`,
        "s.c, line 2: second one",
      ],
      [
        `file:///C:/Program Files/nodejs/x.mjs:1\nTypeError: x\n    at f (file:///C:/me/s.mjs:2:5)\n`,
        "s.mjs, line 2",
      ],
      [
        `  File "C:\\me\\s.py", line 2, in f\n  File "C:\\Python311\\Lib\\socket.py", line 9, in g\n`,
        "s.py, line 2",
      ],
      [`C:/me/s.rb:2:in 'f': divided by 0 (ZeroDivisionError)\n`, "s.rb, line 2"],
      ["Segmentation fault\n", undefined],
    ];
    for (const [stderr, line] of table) assertEquals(ownLine(stderr), line);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
