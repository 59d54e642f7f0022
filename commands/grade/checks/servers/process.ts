/** How a server behaves as a process: what it shows its user, what it uses, and how it ends. */
import { delay } from "@std/async/delay";
import { os } from "../../../../sockets/system.ts";
import { Finding, Skipped } from "../../../../suite/test.ts";
import { namesIn } from "../../../../talk/talk.ts";
import { requestsOf } from "../../conversations.ts";
import { withEvidence } from "../../evidence.ts";
import { NO_PROCESS, type Program } from "../../program/program.ts";
import { usageOf } from "../../program/system.ts";
import { Client, exchangeAgain, sampleHolding } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Check } from "../check.ts";

/** Milliseconds within which the kernel closes the connections of a killed program. */
const END_MS = 5_000;
/** Milliseconds over which CPU time is measured. */
const WATCH_MS = 500;
/** Share of a CPU that an idle program may use. */
const MAX_SHARE = 0.1;
/** Milliseconds that a program may take to end after Ctrl-C. */
const CTRL_C_MS = 3_000;
/** Milliseconds for a program to finish its work before Ctrl-C is pressed. */
const SETTLE_MS = 50;

export const prints: Check<ServerUnderTest> = {
  id: "prints",
  level: "lesson",
  sentence: ({ prints }) =>
    prints === "requests" ? "shows the message" : "reports that a client has connected",
  how: "The program's stdout is read. Many languages buffer what they print to a pipe, so empty " +
    "output is not a failure.",
  why: "the person who runs the server wants to see what is going on",
  fix: "print a line for each client or message, and flush stdout",
  needs: ["listens", "answers"],
  isLessonOnly: true,
  lacks: ({ prints }) => prints === undefined ? "nothing says what it should print" : undefined,
  run: printsWhatHappens,
};

export const busy: Check<ServerUnderTest> = {
  id: "busy",
  level: "robust",
  sentence: "is idle when there is nothing to do",
  how: "The program's CPU time is measured over 0.5 s, after clients have come and gone.",
  why: "a busy loop heats the machine and slows down everything else",
  fix: "leave the loop when recv() returns nothing: that is the end, not an empty message",
  needs: ["next-client", "hangs-up"],
  async run(server) {
    await exchangeAgain(server);
    await restsWhenIdle(server.program);
  },
};

export const ctrlC: Check<ServerUnderTest> = {
  id: "ctrl-c",
  level: "robust",
  sentence: "ends on Ctrl-C",
  how: "SIGINT is sent as by a terminal, while a client is connected; the program has 3 s to end.",
  why: "a program that can't be stopped must be killed, and loses what it was doing",
  fix: "make threads daemons, or close the listener and the clients on SIGINT",
  needs: ["listens", "answers"],
  run: endsOnCtrlC,
};

export const processChecks: readonly Check<ServerUnderTest>[] = [
  {
    id: "restart",
    level: "robust",
    sentence: "can be restarted on its port at once",
    how:
      "The program is killed while a client that was answered is connected, then started again " +
      "on the same port.",
    why: "otherwise you wait a minute after each change: the port counts as in use that long",
    fix: "set SO_REUSEADDR on the socket before bind()",
    needs: ["next-client"],
    async run(server) {
      server.markSuspect();
      server.clients.leavesTrace = true;
      using client = await answeredClient(server);
      const { port } = server.program;
      server.program.process().signal("SIGKILL");
      // The server's side closes first; if the client closes cleanly, that side lingers.
      await Promise.all(client.peers.map((peer) => "untilEnd" in peer && peer.untilEnd(END_MS)));
      client[Symbol.dispose]();
      await withEvidence(
        server.start(port),
        ({ saw }) => ({ saw: `started again on port ${port}: ${saw}` }),
      ).finally(() => server.clients.leavesTrace = false);
      server.program.listenToStderr();
      await exchangeAgain(server);
    },
  },
  ctrlC,
];

async function printsWhatHappens(server: ServerUnderTest): Promise<void> {
  const { subject, target } = server.settings;
  if (target !== undefined) throw new Skipped(NO_PROCESS);
  let request: string | undefined;
  {
    using client = new Client(server);
    const [said] = requestsOf(client.conversation);
    if (said === undefined) await client.begin();
    else await client.hold();
    const value = client.values.get(namesIn(said?.tokens ?? [])[0] ?? "");
    if (value?.kind === "word") request = new TextDecoder().decode(value.bytes);
  }
  const child = server.program.process();
  const shows = (text: string): boolean =>
    subject.prints === "clients" || request === undefined
      ? /connect|client|accept/i.test(text)
      : text.includes(request);
  if (await child.stdout.shows(shows, 300)) return;
  const endedByItself = await child.endsWithin(200) && child.ended?.signal === null;
  // Buffered output appears when the program ends by itself.
  child.signal("SIGINT");
  await child.endsWithin(1_000);
  if (await child.stdout.shows(shows, 300)) return;
  const { text } = child.stdout;
  if (text === "" || !endedByItself) {
    throw new Skipped("nothing appeared on stdout: it may be buffered until it is flushed");
  }
  throw new Finding({
    sent: request,
    saw: `only this on stdout: ${text.trim().split("\n").at(-1) ?? ""}`,
  });
}

/** @throws {Finding} if the program uses the CPU while it has nothing to do. */
async function restsWhenIdle(program: Program): Promise<void> {
  const { pid } = program.process();
  let share = 0;
  // Runtimes tidy up for a moment after work: only load that lasts counts.
  for (const milliseconds of [WATCH_MS, 2 * WATCH_MS, 2 * WATCH_MS]) {
    share = await cpuShare(pid, milliseconds);
    if (share <= MAX_SHARE) return;
  }
  const percent = Math.round(share * 100);
  throw new Finding({ saw: `it used ${percent}% of a CPU while it had nothing to do` });
}

/** Measures the share of a CPU that a program uses. @throws {Skipped} */
async function cpuShare(pid: number, milliseconds: number): Promise<number> {
  const before = await usageOf(pid);
  const startedAt = performance.now();
  await delay(milliseconds);
  const after = await usageOf(pid);
  if (before === undefined || after === undefined) {
    throw new Skipped("no tool here shows a program's CPU time");
  }
  return (after.cpuMs - before.cpuMs) / (performance.now() - startedAt);
}

/**
 * Presses Ctrl-C, as a terminal does. If the program keeps running, tries once more with a fresh one, since the signal
 * may have arrived at a bad moment.
 *
 * @throws {Finding} if the second one keeps running, too.
 */
async function endsOnCtrlC(server: ServerUnderTest): Promise<void> {
  if (os === "windows") throw new Skipped("Windows lets no other program press Ctrl-C");
  for (let times = 0; times < 2; times++) {
    using _client = await answeredClient(server);
    const child = server.program.process();
    // Python drops a Ctrl-C that arrives while it tidies up after an answer.
    await delay(SETTLE_MS);
    child.signal("SIGINT");
    if (await child.endsWithin(CTRL_C_MS)) return;
    server.markSuspect();
  }
  throw new Finding({
    sent: "Ctrl-C (SIGINT)",
    saw: `it was still running ${CTRL_C_MS / 1_000} s later`,
  });
}

/** A client that was answered and stays connected. @throws {Finding} */
async function answeredClient(server: ServerUnderTest): Promise<Client> {
  const client = new Client(server, sampleHolding(server));
  await client.hold();
  return client;
}
