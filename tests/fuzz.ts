// deno-lint-ignore-file no-console -- the task prints its result
/**
 * Random inputs against a calculator: `task fuzz [COUNT]`.
 *
 * Byte soup and mutated commands, cut at random into several writes. Every
 * complete line must get exactly the calculator's answer.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readNumber } from "../cli/arguments/flags.ts";
import { calculate } from "../protocol/calculator.ts";
import { foreignStart } from "../protocol/first_bytes.ts";
import { service } from "../services/calc.ts";
import { serve } from "../services/server/stream_server.ts";
import { isUtf8 } from "../text/utf8.ts";
import { probe, TestConnection } from "./harness/mod.ts";
import { assertProperty, seed } from "./harness/random.ts";
import { readTaskLine } from "./harness/task_line.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Concurrent connections. */
const CONCURRENT = 32;

const commands = ["10 20 +", "6 7 *", "-5 3 -", "10 4 /", "5 0 /", "1_000 007 *", "ü € 😀", ""];
const spices = [0x00, 0x0a, 0x0d, 0x1b, 0x20, 0x2d, 0x5f, 0x80, 0xc3, 0xff];

/** A byte to change, remove or insert. */
const change = fc.record({
  at: fc.nat(200),
  remove: fc.constantFrom(0, 0, 1, 1),
  insert: fc.option(fc.constantFrom(...spices), { nil: undefined }),
});

/** Some commands with bytes changed. */
const mutated = fc.tuple(
  fc.array(fc.tuple(fc.constantFrom(...commands), fc.constantFrom("\n", "\n", "\r\n")), {
    minLength: 1,
    maxLength: 8,
  }),
  fc.array(change, { maxLength: 5 }),
).map(([lines, changes]) => {
  const bytes = [...new TextEncoder().encode(lines.flat().join(""))];
  for (const { at, remove, insert } of changes) {
    bytes.splice(at % bytes.length, remove, ...(insert === undefined ? [] : [insert]));
  }
  return Uint8Array.from(bytes);
});

/** Random bytes. */
const soup = fc.uint8Array({ minLength: 1, maxLength: 300, size: "max" });

const inputs = fc.array(
  fc.record({
    input: fc.oneof({ weight: 7, arbitrary: mutated }, { weight: 3, arbitrary: soup })
      .filter((input) => !isForeign(input)),
    /** Where the input is cut into two writes. */
    cut: fc.nat(300),
  }),
  { minLength: 1, maxLength: CONCURRENT, size: "max" },
);

/** Whether an input may begin as another protocol does, where its first lines are empty. */
function isForeign(input: Uint8Array): boolean {
  const first = input.findIndex((byte) => byte !== 0x0a && byte !== 0x0d);
  const starts = Array.from({ length: first + 1 }, (_, start) => input.subarray(start));
  return starts.some((bytes) => bytes[0] === 0xff || foreignStart(bytes) !== undefined);
}

/** The answers that an input must get: one per line, with its line end. */
function answersTo(input: Uint8Array): string {
  if (isTyped(input)) {
    const lines = String.fromCharCode(...input).replaceAll(/\r\0?/g, "\n");
    return answersTo(Uint8Array.from(lines, (unit) => unit.charCodeAt(0)));
  }
  let answers = "";
  let start = 0;
  while (start < input.length) {
    const found = input.indexOf(0x0a, start);
    const end = found === -1 ? input.length : found;
    const hasCr = found !== -1 && end > start && input[end - 1] === 0x0d;
    const line = input.subarray(start, hasCr ? end - 1 : end);
    if (line.length > 0) answers += answerTo(line) + (found === -1 ? "" : "\n");
    start = end + 1;
  }
  return answers;
}

/** Whether the input is text without LF that ends in CR or CR NUL. */
function isTyped(input: Uint8Array): boolean {
  const end = input.at(-1) === 0 ? input.at(-2) : input.at(-1);
  return end === 0x0d && !input.includes(0x0a) && isUtf8(input);
}

function answerTo(line: Uint8Array): string {
  try {
    return calculate(utf8.decode(line));
  } catch {
    return "Error: the request is not UTF-8 text";
  }
}

/** Sends about `count` random inputs to a server. @throws {Error} with the smallest that gets a wrong answer. */
export async function fuzz(count: number): Promise<void> {
  await using server = await serve(service, { port: 0 });
  const port = server.port ?? 0;
  const property = fc.asyncProperty(inputs, async (inputs) => {
    await Promise.all(inputs.map(async ({ input, cut }) => {
      using connection = await TestConnection.open(port);
      await connection.send(input.subarray(0, cut));
      await connection.send(input.subarray(cut));
      await connection.conn.closeWrite();
      assertEquals(await connection.receiveAll(), answersTo(input));
    }));
  });
  await assertProperty(property, Math.ceil(count / (CONCURRENT / 2)));
  await probe(port);
}

if (import.meta.main) {
  const { words: [count = 100_000] } = readTaskLine({
    usage: "fuzz [COUNT]",
    words: [readNumber(1, 1_000_000_000)],
  });
  const start = performance.now();
  console.log(`seed ${seed} (NETDEMO_SEED repeats it)`);
  await fuzz(count);
  console.log(
    `some ${count} inputs, every line answered, in ${
      ((performance.now() - start) / 1_000).toFixed(1)
    } s`,
  );
}
