// deno-lint-ignore-file no-control-regex -- the tests are about escape sequences
import { assert, assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import stringWidth from "string-width";
import { drawLadder } from "../ladder/draw.ts";
import { ladderOf } from "../ladder/ladder.ts";
import { incidents, talksOf } from "../commands/demo/scenes.ts";
import { lesson } from "../main.ts";
import { Stage } from "../commands/demo/stage.ts";
import type { Display } from "../text/display.ts";
import type { SocketCall, SocketEvent } from "../sockets/socket_events.ts";
import {
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Process,
  python3,
  pythonTest,
  testWith,
} from "./harness/mod.ts";
import { terminal } from "./harness/terminal.ts";
import { session, type Step } from "./harness/terminal_session.ts";

const plain: Display = { columns: 80, color: false, unicode: true };

/** Plays a scene and returns its events. */
async function play(name: string, words: string[] = []): Promise<SocketEvent[]> {
  const scene = [...talksOf(lesson), ...incidents].find((scene) => scene.name === name);
  await using stage = new Stage({ protocol: scene?.udpOnly ? "udp" : "tcp" });
  await scene?.play(stage, words);
  return [...stage.events];
}

/** A drawing with times and ports masked at the same width. */
function masked(lines: readonly string[]): string {
  return lines.join("\n")
    .replaceAll(/ +\d+\.\d ms/g, (time) => "0.0 ms".padStart(time.length))
    .replaceAll(/127\.0\.0\.1:\d{5}/g, "127.0.0.1:PPPPP");
}

const drawn = async (name: string, display: Display, words: string[] = []): Promise<string> =>
  masked(drawLadder(ladderOf(await play(name, words)), { display, explain: false }));

Deno.test("demo draws the ladder of calc in 80 columns", async () => {
  assertEquals(
    await drawn("calc", plain),
    `\
  calc-client 127.0.0.1:PPPPP                        calc-server 127.0.0.1:PPPPP
                                              socket() bind() listen()    0.0 ms
  socket()                                                                0.0 ms
  connect()     ── handshake ────────────────────────▶ accept()           0.0 ms
  send(8)       ── "10 20 +\\n" ──────────────────────▶ recv(8)            0.0 ms
  recv(23)      ◀── "Sum of 10 and 20 is 30\\n" ─────── send(23)           0.0 ms
  close()       ── end of stream ────────────────────▶ recv(0)            0.0 ms
                                                       close()            0.0 ms`,
  );
});

Deno.test("demo draws the ladder of calc in ASCII", async () => {
  assertEquals(
    await drawn("calc", { ...plain, unicode: false }),
    `\
  calc-client 127.0.0.1:PPPPP                        calc-server 127.0.0.1:PPPPP
                                              socket() bind() listen()    0.0 ms
  socket()                                                                0.0 ms
  connect()     -- handshake ------------------------> accept()           0.0 ms
  send(8)       -- "10 20 +\\n" ----------------------> recv(8)            0.0 ms
  recv(23)      <-- "Sum of 10 and 20 is 30\\n" ------- send(23)           0.0 ms
  close()       -- end of stream --------------------> recv(0)            0.0 ms
                                                       close()            0.0 ms`,
  );
});

Deno.test("demo draws the ladder of message in 120 columns, with a text that 80 would cut", async () => {
  const words = ["What", "a", "lovely", "long", "message,", "all", "of", "it"];
  assertEquals(
    await drawn("message", { ...plain, columns: 120 }, words),
    `\
  message-client 127.0.0.1:PPPPP                                                    message-server 127.0.0.1:PPPPP
                                                                                socket() bind() listen()    0.0 ms
  socket()                                                                                                  0.0 ms
  connect()     ── handshake ──────────────────────────────────────────────────────────▶ accept()           0.0 ms
  send(38)      ── "What a lovely long message, all of it\\n" ──────────────────────────▶ recv(38)           0.0 ms
  recv(10)      ◀── "Thanks...\\n" ────────────────────────────────────────────────────── send(10)           0.0 ms
  close()       ── end of stream ──────────────────────────────────────────────────────▶ recv(0)            0.0 ms
                                                                                         close()            0.0 ms`,
  );
});

Deno.test("the times of a ladder never run backwards", () => {
  const at = (time: number, who: string, call: SocketCall): SocketEvent => ({
    ...{ time, who: `calc-${who}`, socket: who === "client" ? 1 : 2, call },
    ...(call === "send" || call === "recv") && { data: new Uint8Array(8) },
  });
  // The server takes the request only after its client has given up.
  const rungs = ladderOf([
    at(0, "client", "connect"),
    at(1, "client", "send"),
    at(2, "client", "close"),
    at(3, "server", "recv"),
    at(4, "server", "close"),
  ]);
  assertEquals(rungs.map(({ time }) => time), [0, 1, 2, 4]);
});

Deno.test("colour changes no character of the ladder", async () => {
  const rungs = ladderOf(await play("calc"));
  for (const columns of [80, 120]) {
    for (const unicode of [true, false]) {
      const display = { columns, unicode, color: false };
      const without = drawLadder(rungs, { display, explain: true });
      const colored = drawLadder(rungs, { display: { ...display, color: true }, explain: true });
      assert(colored.every((line) => /^\s*(?:\x1b\[|$)/.test(line)), "each line has a colour");
      assertEquals(
        colored.map((line) => line.replaceAll(/\x1b\[\d+m/g, "").trimEnd()),
        without.map((line) => line.trimEnd()),
      );
    }
  }
});

Deno.test("no line is wider than the terminal, whatever the text", async () => {
  const texts = [
    "日本語のメッセージ".repeat(10),
    "e\u0301".repeat(60), // combining
    "👩‍👩‍👧‍👦".repeat(20), // joined
    "\x1b[31m\u202e\u2028\x9b".repeat(10),
    '"quoted\\"'.repeat(10),
    "x".repeat(5_000),
    "日",
  ];
  for (const text of texts) {
    const rungs = ladderOf(await play("message", [text]));
    for (const columns of [80, 100, 120, 300]) {
      for (const unicode of [true, false]) {
        const lines = drawLadder(rungs, {
          display: { columns, unicode, color: false },
          explain: true,
        });
        for (const line of lines) assert(stringWidth(line) <= columns, `${columns}: ${line}`);
        if (!unicode) assert(lines.every((line) => /^[\x20-\x7e]*$/.test(line)));
        assert(!/[\x00-\x1f\x7f-\x9f\u2028\u202e]/.test(lines.join("")));
        const arrows = lines.filter((line) => /[▶>] recv/.test(line)).map((line) =>
          stringWidth(line.split(/ recv/)[0] ?? "")
        );
        assertEquals(
          new Set(arrows).size,
          1,
          `arrowheads are in one column:\n${lines.join("\n")}`,
        );
      }
    }
  }
});

Deno.test("in 200 runs no cause comes after its effect", async () => {
  for (let run = 0; run < 200; run++) {
    const name = ["hello", "message", "calc", "glued", "half-close"][run % 5] ?? "calc";
    const events = (await play(name)).sort((one, other) => one.time - other.time);
    const indexOf = (who: string, call: string): number =>
      events.findIndex((event) => event.who.endsWith(who) && event.call === call);
    assert(indexOf("server", "listen") < indexOf("server", "accept"));
    assert(indexOf("client", "connect") < indexOf("server", "accept"));
    for (const [from, to] of [["client", "server"], ["server", "client"]]) {
      let sent = 0;
      let received = 0;
      let ended = false;
      for (const { who, call, data } of events) {
        if (who.endsWith(from ?? "") && call === "send") sent += data?.length ?? 0;
        if (who.endsWith(from ?? "") && (call === "shutdown" || call === "close")) ended = true;
        if (!who.endsWith(to ?? "") || call !== "recv") continue;
        received += data?.length ?? 0;
        assertGreaterOrEqual(sent, received, `run ${run}: received before it was sent`);
        if (data?.length === 0) assert(ended, `run ${run}: ended before its end`);
      }
    }
  }
});

/** What each scene must show, and what its client must print. */
const shown: Record<string, RegExp[]> = {
  refused: [/connect\(\) +── handshake/, /◀── refused/, /client: REFUSED: cannot connect/],
  timeout: [
    /send\(8\).*recv\(8\)[^]*· \d{3} ms of silence ·[^]*close\(\)/,
    /client: TIMEOUT: no reply .* within 500ms/,
  ],
  reset: [/ECONNRESET +◀── reset ─+ close\(\)/, /client: RESET: /],
  "half-close": [
    /shutdown\(\) +── end of stream ─+▶ recv\(0\)/,
    /recv\(23\) +◀──.* send\(23\)/,
    /client: Sum of 10 and 20 is 30/,
  ],
  split: [
    /send\(4\).*recv\(4\)[^]*send\(2\).*recv\(2\)[^]*send\(2\).*recv\(2\)[^]*recv\(23\).*send\(23\)/,
  ],
  glued: [/send\(18\).*recv\(18\)/, /recv\(67\).*send\(67\)/, /client: Div of 9 and 2 is 4\.5/],
  lost: [
    /calc-client 127\.0\.0\.1:\d+\n/,
    /sendto\(8\) +── "10 20 \+\\n" ─+▶ +\d[^]*· \d{3} ms of silence ·[^]*close\(\)/,
    /client: TIMEOUT: no reply from .* \(udp\)/,
  ],
};

Deno.test("every scene shows its events in 80 columns, is explained, and is named in the help", async () => {
  const help = await netdemo(["demo", "--help"]);
  assertEquals(Object.keys(shown).sort(), incidents.map(({ name }) => name).sort());
  for (const [name, patterns] of Object.entries(shown)) {
    assert(help.stdout.includes(`\n  ${name} `), name);
    await using process = new Process([...netdemoCommand, "demo", name, "--explain"], {
      env: { LC_ALL: "C.UTF-8" },
    });
    const { code, stdout, stderr } = await process.ended();
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    for (const pattern of patterns) assertMatch(stdout, pattern);
    assertMatch(stdout, /\n {4}[A-Za-z]\w+.* /, "an explanation");
    for (const line of stdout.split("\n")) assert(stringWidth(line) <= 80, line);
  }
});

Deno.test("without a scene, demo plays the three programs, over any transport", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const overUnix = Deno.build.os === "windows" ? [] : [["--unix", `${folder}/socket`]];
    for (const flags of [[], ["--udp"], ...overUnix]) {
      const { code, stdout, stderr } = await netdemo(["demo", ...flags]);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      for (const name of ["hello", "message", "calc"]) {
        assertMatch(stdout, new RegExp(`^${name} over `, "m"));
      }
      assertMatch(stdout, /client: Sum of 10 and 20 is 30/);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("demo plays a command that the user gives, and shows an error reply", async () => {
  const { stdout } = await netdemo(["demo", "calc", "5", "0", "/"]);
  assertMatch(stdout, /client: Error: division by zero/);
  const { code, stderr } = await netdemo(["demo", "calc", "1", "2"]);
  assertEquals(code, 1 + 1, stderr);
});

Deno.test("--json prints the events of both sides in one order", async () => {
  const { stdout } = await netdemo(["demo", "calc", "--json"]);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ side, call }) => `${side} ${call}`), [
    "server socket",
    "server bind",
    "server listen",
    "client socket",
    "client connect",
    "server accept",
    "client send",
    "server recv",
    "server send",
    "client recv",
    "client close",
    "server recv",
    "server close",
  ]);
  const times: number[] = events.map(({ timeMs }) => timeMs);
  assertEquals(times, times.toSorted((one, other) => one - other));
  assertEquals(events[6].data, "10 20 +\n");
});

Deno.test("over UDP no scene is headed as if there were a connection", async () => {
  for (const name of ["hello", "message", "calc", "lost"]) {
    const flags = name === "lost" ? [] : ["--udp"];
    const { stdout } = await netdemo(["demo", name, ...flags]);
    const [heading = ""] = stdout.split(/\n\n/);
    assertMatch(heading, / over UDP: /);
    assert(!/\bconnects\b|\baccepts?\b/.test(heading), heading);
  }
});

Deno.test("an unknown scene, or one that does not fit the flags, is a usage error", async () => {
  const table = [
    { args: ["refsed"], message: /unknown scene refsed\nhint: did you mean refused\?/ },
    { args: ["timeout", "--udp"], message: /the scene timeout is about TCP alone/ },
    { args: ["lost", "--unix", "x"], message: /the scene lost is about UDP alone/ },
    { args: ["refused", "x"], message: /the scene refused takes no command: received 'x'/ },
    { args: ["--udp", "--unix", "x"], message: /--udp makes no sense with --unix/ },
  ];
  for (const { args, message } of table) {
    const { code, stderr } = await netdemo(["demo", ...args]);
    assertEquals(code, 2);
    const isUnix = args.includes("--unix") && Deno.build.os === "windows";
    assertMatch(stderr, isUnix ? /--unix is not available on Windows/ : message);
  }
});

pythonTest(
  "at a terminal of 80 by 24 demo pages its output, in colour unless NO_COLOR is set",
  async () => {
    const prompt = "-- space or Enter: more, q: quit --";
    const env = { LC_ALL: "C.UTF-8", NO_COLOR: "" };
    const screen = await terminal(["demo", "--explain"], ["", "", "", "", ""], { prompt, env });
    const pages = screen.replaceAll(/\x1b\[\d+m/g, "").split(prompt);
    assertGreaterOrEqual(pages.length, 3);
    for (const page of pages) assert(page.trimStart().split("\n").length <= 24, page);
    assertMatch(screen, /\x1b\[36m/);
    const gray = await terminal(["demo", "hello"], [], { prompt, env: { ...env, NO_COLOR: "1" } });
    assert(!gray.includes("\x1b["));
    const dumb = await terminal(["demo", "hello"], [], { prompt, env: { ...env, TERM: "dumb" } });
    assert(!dumb.includes("\x1b["));
  },
);

testWith([python3], "the pager continues on space or Enter, and quits on q", async () => {
  const question: Step = ["see", "-- space or Enter: more, q: quit --"];
  const command = [...netdemoCommand, "demo", "--explain"];
  const all = await session(command, [
    question,
    ["type", "x "], // other keys are ignored
    question,
    ["type", "\r"],
    ["see", "client: Sum of 10 and 20 is 30"],
    // Services after calc have scenes of their own.
    ...talksOf(lesson).slice(3).flatMap((): Step[] => [question, ["type", " "]]),
  ]);
  assertMatch(all, /exit code 0\n$/);
  const left = await session(command, [question, ["type", "q"]]);
  assertMatch(left, /exit code 0\n$/);
  assert(!left.includes("Thanks..."), left);
  const interrupted = await session(command, [question, ["type", "\x03"]]);
  assertMatch(interrupted, /exit code 130\n$/);
});

Deno.test("every scene fits 40 to 200 columns, and no explanation appears twice", async () => {
  for (const { name } of [...talksOf(lesson), ...incidents]) {
    const rungs = ladderOf(await play(name));
    for (const columns of [40, 41, 50, 63, 64, 72, 80, 120, 200]) {
      const drawing = { display: { ...plain, columns }, explain: true };
      const lines = drawLadder(rungs, drawing);
      for (const line of lines) assert(stringWidth(line) <= columns, `${columns}: ${line}`);
      for (const line of lines) assertMatch(line, /\S/);
      for (const line of lines) assert(!/[^\s\d]\d+\.\d ms$/.test(line), line);
      const drawn = lines.join(" ").replaceAll(/ +/g, " ");
      assert(drawn.split("send() hands the bytes to the system").length <= 2, drawn);
    }
  }
  await using process = new Process([...netdemoCommand, "demo", "--explain"], {
    env: { COLUMNS: "40", LC_ALL: "C.UTF-8" },
  });
  const { stdout } = await process.ended();
  for (const line of stdout.split("\n")) assert(stringWidth(line) <= 40, line);
  assertEquals(stdout.split("The server makes a socket, bind()").length, 2, stdout);
});

Deno.test("a scene's heading says what it plays, and its columns name the programs and addresses", async () => {
  const calc = await netdemo(["demo", "calc", "6", "7", "*"]);
  assertMatch(calc.stdout, /^calc over TCP: a client asks a calculator\n/);
  assertMatch(calc.stdout, /client: Product of 6 and 7 is 42/);
  const hello = await netdemo(["demo", "hello", "--udp"]);
  assertMatch(hello.stdout, /\n {2}hello-client 127\.0\.0\.1:\d+ +hello-server 127\.0\.0\.1:\d+\n/);
  const surplus = await netdemo(["demo", "hello", "world"]);
  assertEquals(surplus.code, 2);
  assertMatch(surplus.stderr, /^netdemo: USAGE: demo hello: hello-client takes no arguments/);
});

Deno.test("demo plays both sides of a conversation file", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/sum.talk`;
  const chat = `${folder}/chat.talk`;
  await Deno.writeTextFile(chat, "ann> hi\\n\nbob> ho\\n\nann< ho\\n\nbob< hi\\n\n");
  await Deno.writeTextFile(
    path,
    "== adds\n> {a 3..3} + {b 4..4}\\n\n< {a + b}\\n\n\n== leaves\n> bye\\n\n< {end}\n",
  );
  try {
    const { code, stdout, stderr } = await netdemo(["demo", path]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^sum over TCP: adds$[^]*"3 \+ 4\\n"[^]*"7\\n"[^]*^sum over TCP: leaves$/m);
    const one = await netdemo(["demo", path, "leaves"]);
    assert(!one.stdout.includes("adds") && one.stdout.includes('"bye\\n"'), one.stdout);
    const two = await netdemo(["demo", chat]);
    assertMatch(two.stdout, /^ann +send\(3\) .*"hi\\n"[^]*^bob +recv\(3\) .*"hi\\n"/m);
    await Deno.writeTextFile(chat, "> hi{end}\n< ho\\n\n");
    const ended = await netdemo(["demo", chat]);
    assertEquals(ended.stdout.match(/shutdown\(\)/g)?.length, 1, "a side ends once");
    await Deno.writeTextFile(chat, "> hi\n< ho{end}\n\n");
    const left = await netdemo(["demo", chat]);
    assertEquals(left.stdout.match(/recv\(0\)/g)?.length, 2, "each side reads the end once");
    const picture = await netdemo(["demo", path, "--svg"]);
    assertMatch(picture.stdout, /^<svg [^]*sum over TCP: adds[^]*<\/svg>\n$/);
    const wrong = await netdemo(["demo", path, "leafs"]);
    assertEquals(wrong.code, 2);
    assertMatch(wrong.stderr, /has no conversation 'leafs'\nhint: did you mean leaves\?/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a file after --svg is refused, with the line that writes it", async () => {
  const table: readonly (readonly [words: readonly string[], line: string])[] = [
    [["calc", "--svg", "out.svg"], "demo calc --svg > out.svg"],
    [["message", "Good morning", "--svg", "a.svg"], 'demo message "Good morning" --svg > a.svg'],
    [["sum.talk", "--svg", "dark", "a.SVG"], "demo sum.talk --svg > a.SVG"],
    [["--svg", "out.svg"], "demo calc --svg > out.svg"],
  ];
  for (const [words, line] of table) {
    const { code, stderr } = await netdemoInProcess(["demo", ...words]);
    assertEquals(code, 2);
    assert(stderr.endsWith(`\nhint: the picture goes to stdout: netdemo ${line}\n`), stderr);
  }
});
