import { assertEquals } from "@std/assert";
import { openTalk } from "../../clients/call/talk_peer.ts";
import { TalkPlayer } from "../../clients/call/talk_player.ts";
import { service as calc } from "../../services/calc.ts";
import { service as hello } from "../../services/hello.ts";
import { service as message } from "../../services/message.ts";
import { startServer } from "../../services/server/start.ts";
import type { Service } from "../../services/service.ts";
import { talkService } from "../../services/talk.ts";
import { type BuiltInTalk, builtInTalk } from "../../talk/built_in.ts";
import { parseTalk } from "../../talk/parse.ts";
import type { Talk } from "../../talk/talk.ts";
import { netdemoInProcess } from "../harness/mod.ts";

/** The lesson's programs, and the conversation that each should hold. */
const programs: readonly (readonly [Service, BuiltInTalk, "tcp" | "udp"])[] = [
  [hello, "hello", "tcp"],
  [hello, "hello-udp", "udp"],
  [message, "message", "tcp"],
  [calc, "calc", "tcp"],
];

function start(service: Service, protocol: "tcp" | "udp") {
  return startServer(service, { protocol, port: 0, addresses: ["127.0.0.1"] }, {});
}

async function play(talk: Talk, port: number): Promise<void> {
  const place = { protocol: talk.udp ? "udp" : "tcp", addresses: ["127.0.0.1"], port } as const;
  for (const conversation of talk.conversations) {
    using player = new TalkPlayer(conversation, {
      talk,
      random: Math.random,
      timeout: 5_000,
      open: () => openTalk(place, { timeout: 5_000 }),
    });
    await player.play();
    await player.leave();
  }
}

Deno.test("the lesson's servers hold the conversations that are built in", async () => {
  for (const [service, name, protocol] of programs) {
    await using server = await start(service, protocol);
    await play(builtInTalk(name), server.port ?? 0);
  }
});

Deno.test("the lesson's clients hold them too", async () => {
  const lines: readonly (readonly [BuiltInTalk, "tcp" | "udp", readonly string[], string])[] = [
    ["hello", "tcp", ["hello-client"], ""],
    ["hello-udp", "udp", ["hello-client"], "Hello\n"],
    ["message", "tcp", ["message-client"], "Thanks...\n"],
    ["calc", "tcp", ["calc-client", "10", "20", "+"], "Sum of 10 and 20 is 30\n"],
    ["calc", "tcp", ["calc-client", "7", "2", "/"], "Div of 7 and 2 is 3.5\n"],
    ["echo", "tcp", ["echo-client", "Hi", "there"], "Hi there\n"],
    ["upper", "udp", ["upper-client", "straße"], "STRASSE\n"],
  ];
  for (const [name, protocol, [client = "", ...words], printed] of lines) {
    await using server = await start(talkService(name, builtInTalk(name)), protocol);
    const target = `${protocol}://127.0.0.1:${server.port}`;
    const { code, stdout, stderr } = await netdemoInProcess([client, target, ...words]);
    assertEquals([code, stdout, stderr], [0, printed, ""], name);
  }
});

Deno.test("an echo over UDP answers as often as it is asked", async () => {
  await using server = await start(talkService("echo", builtInTalk("echo")), "udp");
  const lines = Array.from({ length: 30 }, (_, index) => `> a${index}\n< a${index}\n`);
  await play(parseTalk(`udp\n${lines.join("")}`), server.port ?? 0);
});
