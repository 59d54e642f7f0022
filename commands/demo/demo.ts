import { formatEndpoint, type Protocol } from "../../protocol/addresses.ts";
import { misuse } from "../../cli/errors/failure.ts";
import type { SocketEvent } from "../../sockets/socket_events.ts";
import type { Program } from "../../cli/command.ts";
import { type Drawing, drawLadder } from "../../ladder/draw.ts";
import { explainOnce } from "../../ladder/explain.ts";
import { ladderSvg, type SvgTheme } from "../../ladder/svg.ts";
import { ladderOf, sideOf } from "../../ladder/ladder.ts";
import type { Lesson, SceneWords } from "../lesson.ts";
import { incidents, type Scene, talksOf } from "./scenes.ts";
import { Stage, type Transport } from "./stage.ts";
import { isTalkFile, talkScenes } from "./talk_scenes.ts";
import { type FlagValues, parseCommandLine, readName } from "../../cli/arguments/flags.ts";
import { Pager } from "../../cli/output/pager.ts";
import { asciiOnly, wrap } from "../../text/width.ts";
import { type Channels, dataFields, eventLine, rounded } from "../../cli/output/channels.ts";
import { suggest } from "../../cli/arguments/suggest.ts";
import { exitCodeOf } from "../../cli/signals.ts";
import { displayOf } from "../../cli/output/terminal.ts";
import { styled } from "../../text/display.ts";
import { chosenTransport } from "../../cli/arguments/transport.ts";
import { shellWord } from "../../text/shell.ts";
import { visible } from "../../text/visible.ts";

const flags = {
  udp: { about: "play hello, message and calc over UDP" },
  unix: {
    value: "PATH",
    about: "play hello, message and calc over a Unix socket at this path",
    read: readName,
  },
  explain: { about: "explain each call" },
  svg: {
    choices: ["light", "dark"],
    about:
      "write the ladder of a SCENE, or of a FILE's first conversation, as an SVG picture, for " +
      "slides; light by default",
  },
  json: { about: "print the socket calls of both sides as JSON, one per line" },
} as const;

/** The command that shows what passes between a server and a client. */
export function demoProgram(lesson: Lesson): Program {
  const talks = talksOf(lesson);
  const scenes = [...talks, ...incidents];
  return {
    usage: "[SCENE [COMMAND...]|FILE.talk [TITLE]]",
    about: `Runs a real server and a real client on this machine, over a real socket, and
draws what passed between them. Without a SCENE it plays hello, message and
calc; these take a COMMAND of your own, as message-client and calc-client do.
A FILE whose name ends in .talk is a conversation (see netdemo help conversations):
it plays both sides, of the conversation with that TITLE or of all.

Scenes:
${scenes.map(({ name, summary }) => `  ${name.padEnd(10)}  ${summary}`).join("\n")}`,
    examples: [
      "netdemo demo",
      'netdemo demo calc 6 7 "*" --explain',
      "netdemo demo message --udp Good morning",
      "netdemo demo refused",
      "netdemo demo calc --svg > calc.svg",
      "netdemo demo exercise.talk",
    ],
    flags,
    words: scenes.map(({ name }) => name),
    async parse(args) {
      const { flags: values, given, words } = parseCommandLine(args, flags);
      const [name, ...command] = words;
      refusePath(values, words);
      const chosen = await scenesOf(words, talks, Boolean(values.svg));
      const transport = transportOf(chosenTransport(given), values.unix, chosen);
      if (command.length > 0 && chosen.some((scene) => incidents.includes(scene))) {
        throw misuse(`the scene ${name} takes no command: received '${command[0]}'`);
      }
      if (values.svg && (name === undefined || values.json)) {
        const why = values.json
          ? "makes no sense with --json"
          : "needs a SCENE: it writes one picture";
        const hint = "for example: netdemo demo calc --svg > calc.svg";
        throw misuse(`--svg ${why}`, { hint });
      }
      for (const scene of chosen) await scene.check?.(command, transport.protocol);
      return (channels) => run(chosen, transport, command, values, channels);
    },
  };
}

/** @throws {Failure} of kind `USAGE` if --svg is followed by the name of a file to write. */
function refusePath({ svg }: FlagValues<typeof flags>, [name, ...rest]: readonly string[]): void {
  const path = rest.at(-1) ?? name;
  if (!svg || path === undefined || !/\.svg$/i.test(path)) return;
  const scene = rest.length === 0 ? ["calc"] : [name ?? "", ...rest.slice(0, -1)];
  const line = ["netdemo demo", ...scene.map(shellWord), "--svg >", shellWord(path)].join(" ");
  throw misuse(`--svg takes no file: received '${path}'`, {
    hint: `the picture goes to stdout: ${line}`,
  });
}

/** Plays the scenes, one after another, and shows each. */
async function run(
  scenes: readonly Scene[],
  transport: Transport,
  command: readonly string[],
  { json, svg, explain }: FlagValues<typeof flags>,
  channels: Channels,
): Promise<number> {
  const display = displayOf(Deno.stdout);
  const pager = new Pager(channels.stdout, display);
  const drawing = { display, explain, explanation: explainOnce() };
  for (const scene of scenes) {
    const played = await play(scene, transport, command);
    if (json) await printEvents(played, channels);
    else if (svg) channels.stdout.text(picture(played, svg === true ? "light" : svg, explain));
    else await pager.show(draw(played, drawing));
    if (pager.left !== undefined) break;
  }
  await channels.stdout.flush();
  return pager.left === "Ctrl-C" ? exitCodeOf("SIGINT") : 0;
}

/** The scenes that the words choose. @param isPicture Whether only one can be shown. */
async function scenesOf(
  [name, ...more]: readonly string[],
  talks: readonly Scene[],
  isPicture: boolean,
): Promise<readonly Scene[]> {
  if (name === undefined) return talks;
  if (!isTalkFile(name)) return [find(name, [...talks, ...incidents])];
  const scenes = await talkScenes(name, more.length > 0 ? more.join(" ") : undefined);
  return isPicture ? scenes.slice(0, 1) : scenes;
}

function find(name: string, scenes: readonly Scene[]): Scene {
  const scene = scenes.find((scene) => scene.name === name);
  if (scene !== undefined) return scene;
  const meant = suggest(name, scenes.map((scene) => scene.name));
  const hint = [meant ?? [], "netdemo help demo lists them"].flat().join(" ");
  throw misuse(`unknown scene ${name.trim() || `'${name}'`}`, { hint });
}

/** Returns the transport. @throws {Failure} of kind `USAGE` if the scene is about another. */
function transportOf(
  protocol: Protocol,
  path: string | undefined,
  chosen: readonly Scene[],
): Transport {
  const incident = chosen.find((scene) => incidents.includes(scene) || scene.udpOnly);
  if (incident === undefined) {
    if (protocol !== "unix") return { protocol };
    if (path === undefined) throw new TypeError("Cannot play over a Unix socket without a path");
    return { protocol, path };
  }
  if (protocol !== "tcp" && !(protocol === "udp" && incident.udpOnly)) {
    const own = incident.udpOnly ? "UDP" : "TCP";
    throw misuse(`the scene ${incident.name} is about ${own} alone`);
  }
  return { protocol: incident.udpOnly ? "udp" : "tcp" };
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
  // A copy: closing the stage adds events that are not part of the scene.
  return { scene, transport, events: [...stage.events], said };
}

function titleOf(played: Played): string {
  const { scene, transport: { protocol } } = played;
  return `${scene.name} over ${protocolNames[protocol]}: ${headingOf(played).summary}`;
}

function headingOf({ scene, transport: { protocol } }: Played): SceneWords {
  return protocol === "udp" ? scene.datagrams ?? scene : scene;
}

function picture(played: Played, theme: SvgTheme, explain: boolean): string {
  const results = played.said.map((line) => `client: ${line}`);
  const note = explain ? explainOnce() : undefined;
  return ladderSvg(ladderOf(played.events), { title: titleOf(played), theme, note, results });
}

function draw(played: Played, drawing: Drawing): string[] {
  const { events, said } = played;
  const { display } = drawing;
  const results = said.map((line) => {
    const text = `  client: ${visible(line)}`;
    return display.unicode ? text : asciiOnly(text);
  });
  return [
    ...wrap(titleOf(played), display.columns).map((line) => styled(line, "yellow", display)),
    ...wrap(headingOf(played).lesson, display.columns - 2).map((line) =>
      styled(line, "dim", display)
    ),
    "",
    ...drawLadder(ladderOf(events), drawing),
    ...(results.length > 0 ? ["", ...results.flatMap((line) => wrap(line, display.columns))] : []),
    "",
  ];
}

/** The events of both sides in one order, causes before effects. */
async function printEvents({ scene, events }: Played, { stdout }: Channels): Promise<void> {
  const ordered = [...events].sort((one, other) => one.time - other.time);
  const start = ordered[0]?.time ?? 0;
  for (const event of ordered) {
    const { time, who, socket, call, local, remote, data, error } = event;
    stdout.line(eventLine({
      event: "call",
      scene: scene.name,
      timeMs: rounded(time - start),
      side: sideOf(event),
      who,
      socket,
      call,
      local: local && formatEndpoint(local),
      remote: remote && formatEndpoint(remote),
      ...(data && dataFields(data)),
      error,
    }));
  }
  await stdout.flush();
}
