// deno-lint-ignore-file no-console -- the task prints its result
/**
 * Honest and hostile clients against each service at once: `task soak [DURATION]`.
 *
 * Every honest answer is checked. Prints one line at the end; the exit code is 1
 * if an answer was wrong, a server ended, or descriptors leaked.
 */
import fc from "fast-check";
import { calculate } from "../protocol/calculator.ts";
import { readDuration } from "../cli/arguments/flags.ts";
import {
  countDescriptors,
  memoryOf,
  type Process,
  silence,
  startServer,
  TestConnection,
  until,
} from "./harness/mod.ts";
import { endless, integer, seed } from "./harness/random.ts";
import { readTaskLine } from "./harness/task_line.ts";

const HONEST = 8;
const HOSTILE = 8;

/** The counts of a soak. */
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

/** A request with the reply that it must get. */
interface Exchange {
  readonly request: string;
  readonly reply: string;
}

/** What an honest client sends over one connection, in groups of requests. */
type Talk = readonly (readonly Exchange[])[];

function talkOf(exchange: fc.Arbitrary<Exchange>): fc.Arbitrary<Talk> {
  const together = fc.array(exchange, { minLength: 1, maxLength: 16, size: "max" });
  return fc.array(together, { minLength: 1, maxLength: 10, size: "max" });
}

/** Conversations of honest clients with each service. */
const talks: Readonly<Record<string, fc.Arbitrary<Talk>>> = {
  hello: fc.constant([]),
  message: talkOf(fc.constant({ request: "Hello Server HBD", reply: "Thanks..." })),
  calc: talkOf(
    fc.tuple(integer(16), integer(16), fc.constantFrom(..."+-*/%")).map((words) => {
      const request = words.join(" ");
      return { request, reply: calculate(request) };
    }),
  ),
  lab: talkOf(fc.oneof(
    fc.string({ unit: fc.constantFrom(..."ab é€"), minLength: 2, maxLength: 20 }).chain((text) =>
      fc.constantFrom(
        ...[`echo ${text}`, `split ${text}`, `delay 5ms ${text}`, `slowly ${text.slice(0, 2)}`]
          .map((request) => ({ request, reply: request.replace(/^(?:delay )?\S+ /, "") })),
      )
    ),
    fc.nat(20_000).map((count) => ({
      request: `bytes ${count + 1}`,
      reply: "0123456789".repeat(2_001).slice(0, count + 1),
    })),
    fc.constant({ request: "hepl", reply: "Error: unknown request 'hepl': send help" }),
  )),
};

async function honest({ port }: Target, talk: Talk, result: SoakResult): Promise<void> {
  using connection = await TestConnection.open(port);
  result.connections++;
  for (const exchanges of talk) {
    await connection.send(exchanges.map(({ request }) => `${request}\n`).join(""));
    const replies = await connection.receiveLines(exchanges.length);
    result.requests += exchanges.length;
    result.wrong += exchanges.filter(({ reply }, index) => replies[index] !== reply).length;
  }
  await connection.conn.closeWrite();
  if (await connection.receiveAll() !== "") result.wrong++;
}

/** Something a client should not do. */
type Fault = (connection: TestConnection) => Promise<void>;

const longProducts = `${"9".repeat(32_000)} ${"9".repeat(32_000)} *\n`.repeat(5);
const notText = new Uint8Array(100_000).map((_, index) => index % 2 === 0 ? 0xff : 0x0a);

const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom<Fault>(
    (connection) => connection.send("10 20"), // leaves in the middle
    (connection) => connection.send("1 1 +\n".repeat(2_000)), // leaves without reading
    (connection) => connection.send("x".repeat(200_000)), // too long a request
    (connection) => connection.conn.closeWrite(), // sends nothing
    () => Promise.resolve(), // leaves at once
    (connection) => connection.send("\n".repeat(200_000)), // no request at all
    (connection) => connection.send("x\n".repeat(50_000)), // errors only
    (connection) => connection.send(longProducts), // takes as much time as possible
    (connection) => connection.send(notText),
  ),
  fc.uint8Array({ minLength: 500, maxLength: 500 }).map((bytes): Fault => async (connection) => {
    await connection.send(bytes);
    await connection.conn.closeWrite();
    await connection.receiveAll();
  }),
);

/** Makes a lab misbehave, and leaves at some moment. */
const labFaults: fc.Arbitrary<Fault> = fc.tuple(
  fc.constantFrom(
    ...["silence\n", "delay 500ms x\n", "close 70000\n", "reset\n", "reset 50000\n", "end\n"],
    ...["garbage\n".repeat(500), "bytes 1048576\n".repeat(20), `slowly ${"x".repeat(20)}\n`],
  ),
  fc.nat(30),
).map(([requests, milliseconds]): Fault => async (connection) => {
  await connection.send(requests);
  await silence(milliseconds);
});

async function hostile({ port }: Target, fault: Fault, result: SoakResult): Promise<void> {
  using connection = await TestConnection.open(port);
  result.connections++;
  result.faults++;
  await fault(connection).catch(() => {}); // the server may close it first
}

/** Soaks the services for the given time. @throws {Error} if a server does not survive. */
export async function soak(
  milliseconds: number,
): Promise<{ result: SoakResult; line: string }> {
  const targets: Target[] = [];
  const result: SoakResult = { connections: 0, requests: 0, faults: 0, wrong: 0 };
  try {
    for (const name of ["hello", "message", "calc", "lab"]) {
      targets.push({ name, ...await startServer([`${name}-server`, "--request-timeout", "2s"]) });
    }
    const pids = targets.map(({ process }) => process.pid);
    const descriptors = (): number =>
      pids.reduce((sum, pid) => sum + (countDescriptors(pid) ?? 0), 0);
    const memory = async (): Promise<number> => {
      const each = await Promise.all(pids.map((pid) => memoryOf(pid).catch(() => 0)));
      return Math.round(each.reduce((sum, kilobytes) => sum + kilobytes, 0) / 1_000);
    };
    const [descriptorsBefore, memoryBefore] = [descriptors(), await memory()];
    const end = performance.now() + milliseconds;
    const loop = async (act: () => Promise<void>): Promise<void> => {
      while (performance.now() < end) await act();
    };
    await Promise.all(targets.flatMap((target) => {
      const nextFault = endless(target.name === "lab" ? fc.oneof(faults, labFaults) : faults);
      const nextTalk = endless(talks[target.name] ?? fc.constant([]));
      return [
        ...Array.from(
          { length: HONEST },
          () => loop(() => honest(target, nextTalk.next().value, result)),
        ),
        ...Array.from(
          { length: HOSTILE },
          () => loop(() => hostile(target, nextFault.next().value, result)),
        ),
      ];
    }));
    await until(
      () => descriptors() <= descriptorsBefore,
      "descriptors are back at the initial count",
    );
    const line = `${result.connections} connections, ${result.requests} requests, ` +
      `${result.faults} faults injected, ${result.wrong} wrong answers, ` +
      `descriptors ${descriptorsBefore} to ${descriptors()}, memory ${memoryBefore} to ${await memory()} MB`;
    for (const { name, process } of targets) {
      const { code, stderr } = await process.stop();
      // This process may read output too slowly during floods, and still be connected at the stop.
      const unexpected = stderr.replaceAll(
        /^(?:netdemo: \d+ lines could not|Stopping; ).*\n/gm,
        "",
      );
      if (code !== 0 || unexpected !== "") {
        throw new Error(`${name}-server ended with ${code}: ${stderr}`);
      }
    }
    return { result, line };
  } finally {
    for (const { process } of targets) await process[Symbol.asyncDispose]();
  }
}

if (import.meta.main) {
  const { words: [duration = 60_000] } = readTaskLine({
    usage: "soak [DURATION]",
    words: [readDuration(1)],
  });
  console.log(`seed ${seed} (NETDEMO_SEED repeats it)`);
  const { result, line } = await soak(duration);
  console.log(line);
  if (result.wrong > 0) Deno.exit(1);
}
