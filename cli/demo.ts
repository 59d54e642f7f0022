import { formatEndpoint, type Protocol } from "../protocol/addresses.ts";
import { Failure } from "../protocol/failure.ts";
import type { SocketEvent } from "../protocol/socket_events.ts";
import type { Program } from "./command.ts";
import { drawLadder, wrap } from "./demo/draw.ts";
import { ladderOf, sideOf } from "./demo/ladder.ts";
import { lessons, type Scene, talks } from "./demo/scenes.ts";
import { Stage, type Transport } from "./demo/stage.ts";
import { parseCommandLine, readName } from "./flags.ts";
import { Pager } from "./pager.ts";
import { asciiOnly } from "./quote.ts";
import { type Channels, reportFailure } from "./report.ts";
import { suggest } from "./suggest.ts";
import { type Look, lookOf, styled } from "./terminal.ts";
import { chosenTransport } from "./transport.ts";
import { jsonLine, visible } from "./visible.ts";

const scenes = [...talks, ...lessons];

const flags = {
  udp: { about: "play the talks over UDP" },
  unix: {
    value: "PATH",
    about: "play the talks over a Unix socket at this path",
    read: readName,
  },
  explain: { about: "say at each step what the call does" },
  json: { about: "print the socket calls of both sides as JSON, one a line" },
};

/** The command that shows what passes between a server and a client. */
export const program: Program = {
  usage: "[SCENE] [COMMAND...]",
  about: `Runs a real server and a real client on this machine, over a real socket, and
draws what passed between them. Without a SCENE it plays hello, message and
calc; these take a COMMAND of your own, as message-client and calc-client do.

Scenes:
${scenes.map(({ name, summary }) => `  ${name.padEnd(10)}  ${summary}`).join("\n")}`,
  examples: [
    "netdemo demo",
    "netdemo demo calc 6 7 '*' --explain",
    "netdemo demo message --udp Good morning",
    "netdemo demo refused",
  ],
  flags,
  async run(args, channels) {
    const { flags: values, words } = parseCommandLine(args, flags);
    const [name, ...command] = words;
    const chosen = name === undefined ? talks : [find(name)];
    const transport = transportOf(values, chosen);
    if (command.length > 0 && !chosen.every((scene) => talks.includes(scene))) {
      throw new Failure("USAGE", `the scene ${name} takes no command: received '${command[0]}'`);
    }
    const look = lookOf(Deno.stdout);
    const pager = new Pager(channels.stdout, look);
    try {
      for (const scene of chosen) {
        const played = await play(scene, transport, command);
        if (values.json) await printEvents(played, channels);
        else await pager.show(draw(played, { look, explain: values.explain }));
      }
      return 0;
    } catch (error) {
      return reportFailure(error, channels, values.json);
    }
  },
};

function find(name: string): Scene {
  const scene = scenes.find((scene) => scene.name === name);
  if (scene !== undefined) return scene;
  const hint = suggest(name, scenes.map((scene) => scene.name)) ?? "netdemo help demo lists them";
  throw new Failure("USAGE", `unknown scene ${name}`, { hint });
}

/** @throws {Failure} of kind `USAGE` if the scene is about another transport. */
function transportOf(
  given: { readonly udp: boolean; readonly unix: string | undefined },
  chosen: readonly Scene[],
): Transport {
  const protocol = chosenTransport(given);
  const lesson = chosen.find((scene) => lessons.includes(scene));
  if (lesson === undefined) return { protocol, path: given.unix };
  if (protocol !== "tcp") {
    const own = lesson.udpOnly ? "UDP" : "TCP";
    throw new Failure("USAGE", `the scene ${lesson.name} is about ${own} alone`);
  }
  return { protocol: lesson.udpOnly ? "udp" : "tcp" };
}

const protocolNames: Record<Protocol, string> = { tcp: "TCP", udp: "UDP", unix: "a Unix socket" };

/** A scene with what happened in it. */
interface Played {
  readonly scene: Scene;
  readonly transport: Transport;
  readonly events: readonly SocketEvent[];
  /** What the client said at the end. */
  readonly said: readonly string[];
}

async function play(
  scene: Scene,
  transport: Transport,
  command: readonly string[],
): Promise<Played> {
  await using stage = new Stage(transport);
  const said = await scene.play(stage, command);
  // What follows is only the stage being cleared.
  return { scene, transport, events: [...stage.events], said };
}

function draw(
  { scene, transport, events, said }: Played,
  drawing: { readonly look: Look; readonly explain: boolean },
): string[] {
  const { look } = drawing;
  const title = `${scene.name} over ${protocolNames[transport.protocol]}: ${scene.summary}`;
  const results = said.map((line) => {
    const text = `  client: ${visible(line)}`;
    return look.unicode ? text : asciiOnly(text);
  });
  return [
    styled(title, "yellow", look),
    ...wrap(scene.lesson, look.columns - 2).map((line) => styled(line, "dim", look)),
    "",
    ...drawLadder(ladderOf(events), drawing),
    ...(results.length > 0 ? ["", ...results.flatMap((line) => wrap(line, look.columns))] : []),
    "",
  ];
}

/** The events of both sides in one order, causes before effects. */
async function printEvents({ scene, events }: Played, { stdout }: Channels): Promise<void> {
  const ordered = [...events].sort((one, other) => one.time - other.time);
  const start = ordered[0]?.time ?? 0;
  for (const event of ordered) {
    const { time, who, socket, call, local, remote, data, error } = event;
    stdout.line(jsonLine({
      scene: scene.name,
      timeMs: Math.round((time - start) * 1_000) / 1_000,
      side: sideOf(event),
      who,
      socket,
      call,
      local: local && formatEndpoint(local),
      remote: remote && formatEndpoint(remote),
      bytes: data?.length,
      data: data && new TextDecoder().decode(data),
      error,
    }));
  }
  await stdout.flush();
}
