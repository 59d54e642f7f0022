import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Dialogue, type Turn } from "../../talk/dialogue.ts";
import { parseTalk } from "../../talk/parse.ts";
import { assertProperty } from "../harness/random.ts";
import { latin1 } from "../harness/talks.ts";

/** What a server says to input that comes in pieces, each after a silence if `quiet`. */
function turnsOf(file: string, pieces: readonly string[], quiet = false): readonly Turn[] {
  const dialogue = new Dialogue(parseTalk(file), () => 0.3);
  const turns = [dialogue.greet()];
  let waiting = "";
  const advance = (state: "open" | "quiet" | "closed"): void => {
    for (let limit = 0; limit < 1_000; limit++) {
      const turn = dialogue.next(latin1(waiting), state);
      if (turn === undefined) return;
      assert(turn.size <= waiting.length);
      waiting = waiting.slice(turn.size);
      turns.push(turn);
    }
    assert(false, "it never ends");
  };
  for (const piece of pieces) {
    waiting += piece;
    advance("open");
    if (quiet) advance("quiet");
  }
  advance("quiet");
  advance("closed");
  assertEquals(waiting, "", "all that has come is answered or passed over");
  return turns;
}

const said = (turns: readonly Turn[]): string =>
  turns.flatMap(({ replies }) => replies).map((bytes) => new TextDecoder().decode(bytes)).join("|");

Deno.test("a request that comes slowly is waited for", () => {
  const file = "> {a} + {b}\\n\n< {a + b}\\n\n";
  assertEquals(said(turnsOf(file, ["1", "2 + ", "3", "\n"], true)), "15\n");
  assertEquals(said(turnsOf(file, ["1 + 2\n3 + 4\n5", " + 6\n"])), "3\n|7\n|11\n");
});

Deno.test("a line end that comes late belongs to the request before it", () => {
  const turns = turnsOf("> {a 1..9} +\n< {a + 1}\n", ["7 +", "\r\n", "8 +"]);
  assertEquals(said(turns), "8|9");
  assertEquals(turns.map(({ about }) => about).slice(1), ["request", "late line end", "request"]);
});

Deno.test("the next line comes first, then the one with the most fixed text", () => {
  const file =
    "== one\n> {text}\\n\n< any\\n\n> {text}\\n\n< again\\n\n\n== two\n> STOP\\n\n< end\\n\n";
  assertEquals(said(turnsOf(file, ["a\n", "a\n", "STOP\n", "b\n"])), "any\n|again\n|end\n|any\n");
  assertEquals(said(turnsOf(file, ["a\n", "b\n"])), "any\n|any\n");
});

Deno.test("any input, cut anywhere, is answered or passed over", () =>
  assertProperty(
    fc.property(
      fc.array(
        fc.constantFrom(
          "> a",
          "> {w}",
          "> {w}\\n",
          "> {n} {m}\\n",
          "> {...}x",
          "> {length as u8}{v}",
          "> {end}",
          "< b",
          "< {n + 1}\\n",
          "< {w}",
          "< c{end}",
          "==",
          "! oops",
        ),
        { minLength: 1, maxLength: 8 },
      ),
      fc.array(fc.string({ unit: fc.constantFrom(..."ax1 \n\r\x02"), maxLength: 6 }), {
        maxLength: 6,
      }),
      fc.boolean(),
      (lines, pieces, quiet) => {
        const file = `${lines.join("\n")}\n`;
        try {
          parseTalk(file);
        } catch {
          return;
        }
        turnsOf(file, pieces, quiet);
      },
    ),
    3_000,
  ));
