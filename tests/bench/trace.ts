// deno-lint-ignore-file no-console -- it prints what it measured
/**
 * What the events cost when nobody listens: `task bench-trace [ROUNDS]`.
 *
 * Loads two calc-servers in turn with 64 connections: this one, and the same
 * source with the events taken out. Prints the ratio of their answers per
 * second, the median of the rounds and the spread. Needs a C compiler.
 */
import { buildLoad, runLoad, start } from "./load.ts";

const ROUNDS = Number(Deno.args[0] ?? 11);
const CONNECTIONS = 64;
const SECONDS = 2;

const root = `${import.meta.dirname}/../..`;

/** A copy of the source whose server has no events in it. */
async function withoutEvents(folder: string): Promise<void> {
  const parts = ["main.ts", "deno.json", "deno.lock", "cli", "clients", "services", "protocol"];
  const { success } = await new Deno.Command("cp", {
    args: ["-r", ...parts.map((part) => `${root}/${part}`), folder],
  }).output();
  if (!success) throw new Error("Cannot copy the source");
  const path = `${folder}/services/stream_server.ts`;
  const source = await Deno.readTextFile(path);
  const without = source.replaceAll("traced(listeners, service, options.trace)", "listeners")
    .replace(/function traced\([^]*?\n\}\n/, "")
    .replace(/^import .*traceListener.*\n/m, 'import type { Listening } from "./listening.ts";\n')
    .replace(
      /^import \{ SocketTrace, .*\n/m,
      'import type { StreamSocket } from "../protocol/socket_events.ts";\n',
    );
  if (without === source || without.includes("traceListener")) {
    throw new Error("Cannot take the events out");
  }
  await Deno.writeTextFile(path, without);
}

/** Answers per second of a server that is started for this alone. */
async function measure(load: string, source: string): Promise<number> {
  const main = `${source}/main.ts`;
  await using target = await start(
    [Deno.execPath(), "run", "--quiet", "--allow-net", main, "calc-server", "--port", "0"],
  );
  await runLoad(load, target, ["tcp", "-c", String(CONNECTIONS), "-s", "1"]); // warms it up
  const { perSecond } = await runLoad(load, target, [
    "tcp",
    "-c",
    String(CONNECTIONS),
    "-s",
    String(SECONDS),
  ]);
  return perSecond;
}

const folder = await Deno.makeTempDir();
try {
  const load = await buildLoad(folder);
  await withoutEvents(folder);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Every other round the other one goes first, so that neither has the better place.
    const order = round % 2 === 0 ? [root, folder] : [folder, root];
    const answers = new Map<string, number>();
    for (const source of order) answers.set(source, await measure(load, source));
    const [own = 0, without = 0] = [answers.get(root), answers.get(folder)];
    ratios.push(own / without);
    console.log(`with events ${own}/s  without ${without}/s  ratio ${(own / without).toFixed(3)}`);
  }
  ratios.sort((one, other) => one - other);
  const [least, median, most] = [ratios[0], ratios[Math.floor(ROUNDS / 2)], ratios.at(-1)];
  console.log(
    `ratio: median ${median?.toFixed(3)}, from ${least?.toFixed(3)} to ${most?.toFixed(3)}`,
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}
