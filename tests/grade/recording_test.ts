/** What passes between a right program and its client, recorded, is proof against that program. */
import { assertEquals } from "@std/assert";
import { conversationFile } from "../../commands/relay/record/conversation_file.ts";
import { Recording } from "../../commands/relay/record/recording.ts";
import { fileSubject } from "../../commands/grade/subjects.ts";
import { Ports } from "../../commands/grade/program/ports.ts";
import { parseTalk } from "../../talk/parse.ts";
import { netdemoInProcess } from "../harness/in_process.ts";
import { testWith, unix } from "../harness/needs.ts";
import { Process, run } from "../harness/process.ts";
import { TestRelay } from "../harness/relay.ts";
import { until } from "../harness/system.ts";
import { gradeSubject, inParallel, missingTool, shareOf, Workshop } from "./examine_programs.ts";
import { rightClients } from "./talk_clients.ts";
import { rightTalks, type TalkProgram } from "./talk_programs.ts";

/** What a user types to each client. The time of day and what is lost are others at each replay. */
const typed: Readonly<Record<string, string>> = {
  "infix": "10 + 20\n",
  "operator first": "ADD 10 20\n",
  "greeting": "6 * 7\nbye\n",
  "JSON": "10 20\n",
  "length prefix": "hello\n",
  "binary": "10 20\n",
  "several lines for a request": "10\n20\n+\n",
  "state": "0\n101\n",
  "fixed size": "hello\n",
  "one request for each connection": "6 * 7",
};

const isRunnable = ({ language }: TalkProgram): boolean =>
  missingTool({ file: `Program.${language}` }) === undefined;

/** Whether something listens at a TCP port of this host. */
async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Records what a client and its server say to each other; returns the file's text. */
async function recorded(client: readonly string[], stdin: string, port: number, udp: boolean) {
  const recording = new Recording(udp ? "udp" : "tcp");
  await using relay = await TestRelay.start({ target: port, udp, see: recording.see });
  const { code, stderr } = await run(withPort(client, relay.port), { stdin });
  assertEquals(code, 0, stderr);
  const isOver = () => relay.events.some(({ what }) => what === "closed");
  if (!udp) await until(isOver, "the connection is closed");
  return conversationFile(recording.conversations(), {
    protocol: udp ? "udp" : "tcp",
    fresh: false,
  });
}

const withPort = (command: readonly string[], port: number): string[] =>
  command.map((word) => word.replace("{port}", String(port)));

testWith([unix], "a recording of each right program and its client replays unedited", async () => {
  await using workshop = new Workshop();
  using ports = await Ports.reserve();
  const programs = rightTalks.filter((program) => isRunnable(program) && program.kind in typed);
  await inParallel(shareOf(programs), 3, async (program) => {
    const own = rightClients.find(({ kind }) => kind === program.kind);
    if (own === undefined || !isRunnable(own)) return;
    const command = await workshop.commandFor(program.language, program.source);
    const client = await workshop.commandFor(own.language, own.source);
    const { udp } = parseTalk(program.talk);
    const port = ports.take();
    let text: string;
    {
      await using _server = new Process(withPort(command, port));
      // Over UDP its client asks again until the server is there.
      if (!udp) await until(() => listens(port), "the program listens");
      text = await recorded(client, typed[program.kind] ?? "", port, udp);
      const path = await Deno.makeTempFile({ suffix: ".talk" });
      await Deno.writeTextFile(path, text);
      const target = `${udp ? "udp://" : ""}127.0.0.1:${port}`;
      const { code, stdout, stderr } = await netdemoInProcess(["check", "--talk", path, target]);
      await Deno.remove(path);
      assertEquals(code, 0, `${program.kind}\n${text}\n${stdout}${stderr}`);
    }
    const graded = await gradeSubject(fileSubject("server", parseTalk(text)), command, {
      level: "stream",
    });
    assertEquals(graded.failed, [], `${program.kind}\n${text}\n${graded.text}`);
  });
});
