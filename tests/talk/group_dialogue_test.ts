import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import type { ServerSide, Turn } from "../../talk/dialogue.ts";
import { GroupDialogue } from "../../talk/group_dialogue.ts";
import type { ClientState } from "../../talk/request_matcher.ts";
import { parseTalk } from "../../talk/parse.ts";
import { processorTime, testWith, timing } from "../harness/mod.ts";
import { assertProperty } from "../harness/random.ts";
import { latin1 } from "../harness/talks.ts";

/** One of several clients of a server that plays a file. */
class TestClient {
  readonly #side: ServerSide;
  #waiting = "";
  #isGone = false;
  /** What the server has said to it; `!` if it passed something over, `.` if it ended. */
  heard = "";

  constructor(server: GroupDialogue, clients: TestClient[]) {
    this.#side = server.join();
    clients.push(this);
    this.#hear(this.#side.greet());
  }

  /** Says something; then everybody hears what there is to hear. */
  say(text: string): void {
    this.#waiting += text;
  }

  leave(): void {
    this.advance("closed");
    this.#isGone = true;
    this.#side.leave?.();
  }

  /** Whether anything was heard. */
  advance(state: ClientState): boolean {
    if (this.#isGone) return false;
    const turn = this.#side.next(latin1(this.#waiting), state);
    if (turn === undefined) return false;
    this.#waiting = this.#waiting.slice(turn.size);
    this.#hear(turn);
    return true;
  }

  #hear({ replies, about, ends }: Turn): void {
    for (const reply of replies) this.heard += new TextDecoder().decode(reply);
    if (about === "nothing known") this.heard += "!";
    if (ends) this.heard += ".";
  }
}

/** Plays what clients do, such as `0:hi`, where `0` alone comes and `0-` leaves; what each hears. */
function heardIn(file: string, ...steps: readonly string[]): readonly string[] {
  const server = new GroupDialogue(parseTalk(file), () => 0.3);
  const clients: TestClient[] = [];
  for (const step of steps) {
    const [, index = "", what = ""] = /^(\d)(.*)$/s.exec(step) ?? [];
    const client = clients[Number(index)] ?? new TestClient(server, clients);
    if (what === "-") client.leave();
    else client.say(what.slice(1));
    for (const state of ["open", "quiet"] as const) {
      while (clients.some((client) => client.advance(state))) continue;
    }
  }
  return clients.map(({ heard }) => heard);
}

const chat = "ann> {ann}\\n\nann< Hi {ann}\\n\nbob> {bob}\\n\nbob< Hi {bob}\\n\n" +
  "ann< {bob} came\\n\nann> {text}\\n\nbob< {ann}: {text}\\n\nbob> {end}\nann< {bob} left\\n\n";

Deno.test("what one client says reaches the other", () => {
  assertEquals(heardIn(chat, "0:Kim\n", "1:Lee\n", "0:hello\n", "1-"), [
    "Hi Kim\nLee came\nLee left\n",
    "Hi Lee\nKim: hello\n",
  ]);
});

Deno.test("clients get their names by what they say first, and what is early waits", () => {
  assertEquals(heardIn(chat, "0", "1:Lee\n", "1:hello\n", "0:Kim\n"), [
    "Hi Kim\nLee: hello\n",
    "Hi Lee\nKim came\n",
  ]);
  const roles = "ann> I am ann\\n\nbob> I am bob\\n\nann< bob is here\\n\n";
  assertEquals(heardIn(roles, "0:I am bob\n", "1:I am ann\n", "2:I am bob\n"), [
    "!",
    "bob is here\n",
    "",
  ]);
});

Deno.test("where the server speaks first, clients get their names in order of arrival", () => {
  const file = "ann< 1\\n\nann> {w}\\n\nbob< 2 {w}\\n\nbob> {v}\\n\nann< {v}{end}\n";
  assertEquals(heardIn(file, "0", "1", "0:x\n", "1:y\n"), ["1\ny.", "2 x\n"]);
  assertEquals(heardIn(file, "0", "0:x\n", "1", "2", "3", "2:z\n", "1:y\n", "3:t\n"), [
    "1\ny.",
    "2 x\n",
    "1\nt.",
    "2 z\n",
  ]);
});

Deno.test("more clients begin again, and one takes the place of another that has left", () => {
  assertEquals(heardIn(chat, "0:A\n", "1:B\n", "2:C\n", "3:D\n", "2:x\n"), [
    "Hi A\nB came\n",
    "Hi B\n",
    "Hi C\nD came\n",
    "Hi D\nC: x\n",
  ]);
  assertEquals(heardIn(chat, "0:A\n", "0-", "1:B\n", "2:C\n"), [
    "Hi A\n",
    "Hi B\nC came\n",
    "Hi C\n",
  ]);
});

testWith([timing], "a thousand clients come and leave in a moment", () => {
  const server = new GroupDialogue(parseTalk("ann< 1\\n\nann> {w}\\n\nbob< {w}\\n\n"), () => 0.3);
  const start = processorTime();
  const sides = Array.from({ length: 1_000 }, () => server.join());
  for (const side of sides) side.greet();
  for (const side of sides) side.leave?.();
  assertLess(processorTime() - start, 2_000);
});

Deno.test("whatever several clients say, in whatever order, everything comes to an end", () =>
  assertProperty(
    fc.property(
      fc.array(
        fc.constantFrom(
          "ann> a",
          "bob> {w}\\n",
          "ann< {w}",
          "bob< b\\n",
          "bob> {end}",
          "> x",
          "==",
        ),
        { minLength: 2, maxLength: 8 },
      ),
      fc.array(
        fc.tuple(fc.nat(3), fc.constantFrom("", "-", ":a", ":x\n", ":", ":\r\n", ":b")),
        { maxLength: 10 },
      ),
      (lines, steps) => {
        const file = `${lines.join("\n")}\n`;
        try {
          parseTalk(file);
        } catch {
          return;
        }
        heardIn(file, ...steps.map(([client, what]) => `${client}${what}`));
      },
    ),
    1_000,
  ));
