// deno-lint-ignore-file no-console -- it prints what it measured
/**
 * A closed loop of clients: load.ts PORT CONNECTIONS SECONDS
 *
 * Each connection asks the calculator, waits for the whole answer, and asks
 * again. Prints the answers per second. A process of its own, so that it does
 * not share an event loop with what it measures.
 */
const [port, connections, seconds] = Deno.args.map(Number);
const request = new TextEncoder().encode("10 20 +\n");
const reply = new TextEncoder().encode("Sum of 10 and 20 is 30\n");

async function ask(end: number): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: port ?? 0 });
  conn.setNoDelay();
  const buffer = new Uint8Array(1_024);
  let answers = 0;
  while (performance.now() < end) {
    await conn.write(request);
    for (let received = 0; received < reply.length;) {
      received += await conn.read(buffer) ?? Infinity;
    }
    answers++;
  }
  return answers;
}

const start = performance.now();
const end = start + (seconds ?? 1) * 1_000;
const answers = await Promise.all(Array.from({ length: connections ?? 1 }, () => ask(end)));
const total = answers.reduce((sum, count) => sum + count, 0);
console.log(Math.round(total / (performance.now() - start) * 1_000));
