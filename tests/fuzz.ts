// deno-lint-ignore-file no-console -- as a task it prints what it did
/**
 * Random inputs against a calculator: `task fuzz [COUNT]`.
 *
 * Byte soup and mutated commands, cut at random into several writes. Every
 * complete line must get exactly the answer that the calculator gives to it.
 */
import { assertEquals } from "@std/assert";
import { calculate } from "../protocol/calculator.ts";
import { service } from "../services/calc.ts";
import { serve } from "../services/stream_server.ts";
import {
  backAtBaseline,
  countDescriptors,
  probe,
  seed,
  seededRandom,
  TestConnection,
} from "./harness.ts";

const CONCURRENT = 32;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const commands = ["10 20 +", "6 7 *", "-5 3 -", "10 4 /", "5 0 /", "1_000 007 *", "ü € 😀", ""];
const spices = [0x00, 0x0a, 0x0d, 0x1b, 0x20, 0x2d, 0x5f, 0x80, 0xc3, 0xff];

/** One input: some commands with bytes changed, or bytes that nobody meant. */
function inputOf(random: () => number): Uint8Array {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  if (random() < 0.3) {
    return Uint8Array.from(
      { length: 1 + Math.floor(random() * 300) },
      () => Math.floor(random() * 256),
    );
  }
  const lines = Array.from(
    { length: 1 + Math.floor(random() * 8) },
    () => pick(commands) + pick(["\n", "\n", "\r\n"]),
  );
  const bytes = [...new TextEncoder().encode(lines.join(""))];
  for (let changes = Math.floor(random() * 6); changes > 0; changes--) {
    const at = Math.floor(random() * bytes.length);
    if (random() < 0.4) bytes[at] = pick(spices);
    else if (random() < 0.5) bytes.splice(at, 1);
    else bytes.splice(at, 0, pick(spices));
  }
  return Uint8Array.from(bytes);
}

/** The answers that an input must get: one to each line, in kind. */
function answersTo(input: Uint8Array): string {
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

function answerTo(line: Uint8Array): string {
  try {
    return calculate(utf8.decode(line));
  } catch {
    return "Error: the request is not UTF-8 text";
  }
}

/** Gives so many random inputs to a server. @throws {AssertionError} at the first wrong answer. */
export async function fuzz(count: number, random: () => number): Promise<void> {
  await using server = serve(service, { port: 0 });
  const descriptors = countDescriptors();
  let left = count;
  await Promise.all(Array.from({ length: CONCURRENT }, async () => {
    while (left-- > 0) {
      const input = inputOf(random);
      const cut = Math.floor(random() * (input.length + 1));
      using connection = await TestConnection.open(server.port ?? 0);
      await connection.send(input.subarray(0, cut));
      await connection.send(input.subarray(cut));
      await connection.conn.closeWrite();
      const answers = await connection.receiveAll();
      assertEquals(answers, answersTo(input), `${input}`);
    }
  }));
  await probe(server.port ?? 0);
  await backAtBaseline(descriptors);
}

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 100_000);
  const start = performance.now();
  console.log(`seed ${seed} (NETDEMO_SEED repeats it)`);
  await fuzz(count, seededRandom(seed));
  console.log(
    `${count} inputs, every line answered, in ${
      ((performance.now() - start) / 1_000).toFixed(1)
    } s`,
  );
}
