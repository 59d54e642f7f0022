// deno-lint-ignore-file no-console -- it prints what it did
/**
 * Honest and hostile clients against each service at once: `task soak [DURATION]`.
 *
 * Every honest answer is checked. Prints one line at the end; the exit code is 1
 * if an answer was wrong, a server ended, or descriptors were left behind.
 */
import { calculate } from "../protocol/calculator.ts";
import { parseDuration } from "../protocol/duration.ts";
import {
  countDescriptors,
  memoryOf,
  type Process,
  seed,
  seededRandom,
  startServer,
  TestConnection,
  until,
} from "./harness.ts";

const HONEST = 8;
const HOSTILE = 8;

/** What a soak has counted. */
export interface SoakResult {
  connections: number;
  requests: number;
  faults: number;
  wrong: number;
}

interface Target {
  readonly name: string;
  readonly process: Process;
  readonly port: number;
}

/** What an honest client says, and what it must hear. */
const talks: Record<string, (random: () => number) => { request: string; reply: string }> = {
  message: () => ({ request: "Hello Server HBD", reply: "Thanks..." }),
  calc: (random) => {
    const number = (): string =>
      String(Math.floor((random() - 0.5) * 10 ** Math.floor(random() * 16)));
    const request = `${number()} ${number()} ${"+-*/%".charAt(Math.floor(random() * 5))}`;
    return { request, reply: calculate(request) };
  },
};

async function honest(
  { name, port }: Target,
  random: () => number,
  result: SoakResult,
): Promise<void> {
  using connection = await TestConnection.open(port);
  result.connections++;
  const talk = talks[name];
  if (talk === undefined) {
    if (await connection.receiveAll() !== "") result.wrong++;
    return;
  }
  for (let rounds = 1 + Math.floor(random() * 10); rounds > 0; rounds--) {
    const asked = Array.from({ length: 1 + Math.floor(random() * 16) }, () => talk(random));
    await connection.send(asked.map(({ request }) => `${request}\n`).join(""));
    const heard = await connection.receiveLines(asked.length);
    result.requests += asked.length;
    result.wrong += asked.filter(({ reply }, index) => heard[index] !== reply).length;
  }
}

/** Each does one thing that a client should not do. */
const faults: readonly ((connection: TestConnection, random: () => number) => Promise<void>)[] = [
  async (connection) => await connection.send("10 20"), // leaves in the middle
  async (connection) => await connection.send("1 1 +\n".repeat(2_000)), // leaves without reading
  async (connection) => await connection.send("x".repeat(200_000)), // asks too long
  async (connection, random) => {
    await connection.send(Uint8Array.from({ length: 500 }, () => Math.floor(random() * 256)));
    await connection.conn.closeWrite();
    await connection.receiveAll();
  },
  async (connection) => await connection.conn.closeWrite(), // says nothing
  async () => {}, // leaves at once
];

async function hostile({ port }: Target, random: () => number, result: SoakResult): Promise<void> {
  using connection = await TestConnection.open(port);
  result.connections++;
  result.faults++;
  const fault = faults[Math.floor(random() * faults.length)];
  await fault?.(connection, random).catch(() => {}); // the server may end it first
}

/** Soaks the three services for so many milliseconds. @throws {Error} if a server does not outlive it. */
export async function soak(
  milliseconds: number,
  random: () => number,
): Promise<{ result: SoakResult; line: string }> {
  const targets: Target[] = [];
  const result: SoakResult = { connections: 0, requests: 0, faults: 0, wrong: 0 };
  try {
    for (const name of ["hello", "message", "calc"]) {
      targets.push({ name, ...await startServer([`${name}-server`, "--request-timeout", "2s"]) });
    }
    const pids = targets.map(({ process }) => process.child.pid);
    const descriptors = (): number =>
      pids.reduce((sum, pid) => sum + (countDescriptors(pid) ?? 0), 0);
    const memory = async (): Promise<number> => {
      const each = await Promise.all(pids.map((pid) => memoryOf(pid).catch(() => 0)));
      return Math.round(each.reduce((sum, kilobytes) => sum + kilobytes, 0) / 1_000);
    };
    const [descriptorsBefore, memoryBefore] = [descriptors(), await memory()];
    const end = performance.now() + milliseconds;
    const loop = async (act: typeof honest, target: Target): Promise<void> => {
      while (performance.now() < end) await act(target, random, result);
    };
    await Promise.all(targets.flatMap((target) => [
      ...Array.from({ length: HONEST }, () => loop(honest, target)),
      ...Array.from({ length: HOSTILE }, () => loop(hostile, target)),
    ]));
    await until(() => descriptors() <= descriptorsBefore, "descriptors are back at the start");
    const line = `${result.connections} connections, ${result.requests} requests, ` +
      `${result.faults} faults injected, ${result.wrong} wrong answers, ` +
      `descriptors ${descriptorsBefore} to ${descriptors()}, memory ${memoryBefore} to ${await memory()} MB`;
    for (const { name, process } of targets) {
      const { code, stderr } = await process.stop();
      if (code !== 0 || stderr !== "") {
        throw new Error(`${name}-server ended with ${code}: ${stderr}`);
      }
    }
    return { result, line };
  } finally {
    for (const { process } of targets) await process[Symbol.asyncDispose]();
  }
}

if (import.meta.main) {
  const duration = parseDuration(Deno.args[0] ?? "60s");
  if (duration === undefined) {
    console.error("usage: task soak [DURATION], such as 60s or 10m");
    Deno.exit(2);
  }
  console.log(`seed ${seed} (NETDEMO_SEED repeats it)`);
  const { result, line } = await soak(duration, seededRandom(seed));
  console.log(line);
  if (result.wrong > 0) Deno.exit(1);
}
