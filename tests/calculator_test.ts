import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { calculate, MAX_DIGITS } from "../protocol/calculator.ts";
import { commandMeant } from "../protocol/notation.ts";
import {
  Process,
  processorTime,
  pythonTest,
  TestConnection,
  testWith,
  timing,
} from "./harness/mod.ts";
import { assertProperty, command } from "./harness/random.ts";

const answers: Record<string, string> = {
  "10 20 +": "Sum of 10 and 20 is 30",
  "10 5 -": "Diff of 10 and 5 is 5",
  "6 7 *": "Product of 6 and 7 is 42",
  "10 4 /": "Div of 10 and 4 is 2.5",
  "10 5 /": "Div of 10 and 5 is 2.0",
  " 10\t20   + ": "Sum of 10 and 20 is 30",
  "+1_0 -0020 +": "Sum of +1_0 and -0020 is -10",
  "-0 -0 +": "Sum of -0 and -0 is 0",
  "0 -5 *": "Product of 0 and -5 is 0",
  "0 -5 /": "Div of 0 and -5 is -0.0",
  "-0 5 /": "Div of -0 and 5 is 0.0",
  "9007199254740991 1 +": "Sum of 9007199254740991 and 1 is 9007199254740992",
  "999999999999999 999999999999999 *":
    "Product of 999999999999999 and 999999999999999 is 999999999999998000000000000001",
  "1 3 /": "Div of 1 and 3 is 0.3333333333333333",
  "10000000000000000 1 /": "Div of 10000000000000000 and 1 is 1e+16",
  "1 100000 /": "Div of 1 and 100000 is 1e-05",
  "5 0 /": "Error: division by zero",
  "1 2 %": "Error: unknown operator '%'",
  "1 2 constructor": "Error: unknown operator 'constructor'",
  "x 2 +": "Error: 'x' is not an integer",
  "1 2.5 +": "Error: '2.5' is not an integer",
  "1__0 2 +": "Error: '1__0' is not an integer",
  "_1 2 +": "Error: '_1' is not an integer",
  "1_ 2 +": "Error: '1_' is not an integer",
  "0x10 2 +": "Error: '0x10' is not an integer",
  "1e3 2 +": "Error: '1e3' is not an integer",
  "\u0661 2 +": "Error: '\u0661' is not an integer",
  "": "Error: expected O1 O2 OP",
  "1 2": "Error: expected O1 O2 OP",
  "1 2 + 3": "Error: expected O1 O2 OP",
  " 1 2 + 3": "Error: expected O1 O2 OP",
  " 1 2 + 3 4 5": "Error: expected O1 O2 OP",
  "1+2": "Error: expected O1 O2 OP",
};

Deno.test("the calculator answers as the lesson says", () => {
  for (const [command, answer] of Object.entries(answers)) assertEquals(calculate(command), answer);
});

Deno.test("a quotient beyond the largest double is an error, one below the smallest is zero", () => {
  const huge = `1${"0".repeat(400)}`;
  assertEquals(calculate(`${huge} 1 /`), "Error: quotient too large for a float");
  assertEquals(calculate(`-1 ${huge} /`), `Div of -1 and ${huge} is -0.0`);
});

Deno.test("an error reply is at most 64 bytes, whatever it quotes", () => {
  for (const text of ["x".repeat(60_000), "ü".repeat(30), "😀".repeat(20), "😀".repeat(8)]) {
    for (const command of [`${text} 1 +`, `1 ${text} +`, `1 2 ${text}`]) {
      const reply = calculate(command);
      assert(reply.startsWith("Error: "), reply);
      assert(new TextEncoder().encode(reply).length <= 64, reply);
      assert(reply.isWellFormed(), reply);
    }
  }
});

testWith(
  [timing],
  "no command takes longer than 50 ms, and one with too many digits gets an error",
  () => {
    const half = "7".repeat(MAX_DIGITS / 2);
    const million = "9".repeat(1_000_000);
    const slowest: string[] = [
      ...["+", "-", "*", "/"].map((operator) => `${half} ${half} ${operator}`),
      ...["+", "-", "*", "/"].map((operator) => `${"7".repeat(MAX_DIGITS - 1)} 3 ${operator}`),
      ...["+", "-", "*", "/"].map((operator) => `1 ${"3".repeat(MAX_DIGITS - 1)} ${operator}`),
      `${million} ${million} *`,
      `1 ${million} /`,
      `1 2 ${million}`,
      `${"1_".repeat(MAX_DIGITS / 2 - 1)}1 1 +`,
      `${million}x 1 +`,
      "1 ".repeat(2_000_000),
      " ".repeat(4_000_000),
    ];
    for (const command of slowest) {
      const start = processorTime();
      calculate(command);
      assertLess(processorTime() - start, 50, command.slice(-60));
    }
    assertEquals(calculate(`${million} ${million} *`), `Error: more than ${MAX_DIGITS} digits`);
    assert(calculate(`${half} ${half} *`).startsWith("Product of 777"));
  },
);

/** Answers commands as the lesson's Python server does, except for errors. */
const pythonCalculator = `
import socket, sys
if hasattr(sys, "set_int_max_str_digits"): sys.set_int_max_str_digits(0)
server = socket.create_server(("127.0.0.1", 0))
print("port", server.getsockname()[1], flush=True)
peer = server.accept()[0]; peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for line in peer.makefile():
    o1, o2, op = line.split()
    a, b = int(o1), int(o2)
    try:
        r = {"+": ("Sum", lambda: a + b), "-": ("Diff", lambda: a - b),
             "*": ("Product", lambda: a * b), "/": ("Div", lambda: a / b)}[op]
        answer = f"{r[0]} of {o1} and {o2} is {r[1]()}"
    except ZeroDivisionError: answer = "Error: division by zero"
    except OverflowError: answer = "Error: quotient too large for a float"
    peer.sendall(answer.encode() + b"\\n")
`;

/** Runs a test with a connection to a calculator in Python. */
function comparisonTest(name: string, fn: (peer: TestConnection) => Promise<void>): void {
  pythonTest(name, async (python) => {
    await using server = new Process([python, "-c", pythonCalculator]);
    const [, port] = await server.printed(/port (\d+)\n/);
    using peer = await TestConnection.open(Number(port));
    await fn(peer);
  });
}

async function assertSameAnswers(peer: TestConnection, commands: readonly string[]): Promise<void> {
  const sending = peer.send(commands.map((command) => `${command}\n`).join(""));
  const answers = await peer.receiveLines(commands.length);
  await sending;
  assertEquals(answers.length, commands.length);
  for (const [index, command] of commands.entries()) {
    assertEquals(calculate(command), answers[index], command);
  }
}

comparisonTest("the calculator agrees with Python on some 24,000 random commands", async (peer) => {
  const commands = fc.array(command, { minLength: 1, maxLength: 200, size: "max" });
  await assertProperty(
    fc.asyncProperty(commands, (commands) => assertSameAnswers(peer, commands)),
    240,
  );
});

comparisonTest("the calculator agrees with Python at the limits of doubles", async (peer) => {
  const commands: string[] = [];
  const around = (a: bigint, b: bigint): void => {
    for (const nudge of [-1n, 0n, 1n]) {
      commands.push(`${a + nudge} ${b} /`, `${-(a + nudge)} ${b} /`, `${a} ${b + nudge} /`);
    }
  };
  for (const bit of [52n, 53n, 54n, 55n, 60n, 100n, 1000n]) {
    const odd = (1n << 53n) + 1n; // halfway between two doubles
    around(odd << bit, 1n << bit);
    around((odd + 2n) << bit, 1n << bit);
    around(((1n << 53n) - 1n) << bit, 1n << bit);
  }
  const largest = ((1n << 53n) - 1n) << 971n;
  const beyond = largest + (1n << 970n); // halfway to 2^1024: rounds to infinity
  around(largest, 1n);
  around(beyond, 1n);
  around(largest * 3n, 3n);
  for (const exponent of [1021n, 1022n, 1023n, 1073n, 1074n, 1075n, 1076n, 1080n]) {
    for (const a of [1n, 2n, 3n, 5n, (1n << 53n) - 1n, (1n << 52n) + 1n]) around(a, 1n << exponent);
  }
  for (let exponent = 0; exponent < 25; exponent++) {
    const power = 10n ** BigInt(exponent);
    around(power, 1n);
    around(1n, power + 1n);
    around(123_456_789n, power + 2n);
  }
  const usable = commands.filter((command) => !/ 0 \/$/.test(command));
  await assertSameAnswers(peer, usable);
});

Deno.test("a command in another notation is understood, and nothing else is", () => {
  const meant = {
    "10 + 20": "10 20 +",
    "10+20=": "10 20 +",
    " 6  x  7 ": "6 7 *",
    "6 · 7": "6 7 *",
    "- 10 5": "10 5 -",
    "10 -5": "10 5 -",
    "10 20+": "10 20 +",
    "8 ÷ 2": "8 2 /",
    "8 2 –": "8 2 -",
    "10 20 +": undefined,
    "1 0 /": undefined,
    "1 ÷ 0": undefined,
    "10 20": undefined,
    "10 20 30": undefined,
    "x": undefined,
    "hello": undefined,
    "": undefined,
  };
  for (const [typed, request] of Object.entries(meant)) {
    assertEquals(commandMeant(typed)?.request, request, typed);
  }
});
