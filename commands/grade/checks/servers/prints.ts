/** Whether a server shows its user what is going on. */
import { Finding, Skipped } from "../../../../suite/test.ts";
import { namesIn } from "../../../../talk/talk.ts";
import { requestsOf } from "../../conversations.ts";
import { Client } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import { type Check, NO_PROCESS } from "../check.ts";

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
