import { delay } from "@std/async/delay";
import { asFailure, misuse } from "../../cli/errors/failure.ts";
import { type Answer, ask } from "../../clients/call/pipeline.ts";
import { type Client, RequestError, requestsOver } from "../../clients/client.ts";
import type { Protocol } from "../../protocol/addresses.ts";
import { service as calc } from "../../services/calc.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import type { Stream } from "../../sockets/stream.ts";
import { system } from "../../sockets/system.ts";
import type { Lesson, LessonRow, SceneWords } from "../lesson.ts";
import { type Stage, STAGE_TIMEOUT_MS } from "./stage.ts";

/** Milliseconds between sends, so that each is a separate segment. */
const SEGMENT_PAUSE_MS = 20;

/** A scene to play on a stage and then draw. */
export interface Scene extends SceneWords {
  readonly name: string;
  /** How it is headed over UDP. @default {as over anything else} */
  readonly datagrams?: SceneWords;
  /** Whether it is about datagrams alone. */
  readonly udpOnly?: boolean;
  /** @throws {Failure} of kind `USAGE` if it can't be played with these words. */
  check?(words: readonly string[], protocol: Protocol): Promise<void>;
  /**
   * Plays it with the words of the command line.
   *
   * @returns what the client printed at the end, line by line.
   */
  play(stage: Stage, words: readonly string[]): Promise<readonly string[]>;
}

/** Scenes in which a client has a conversation with its server. */
export function talksOf(lesson: Lesson): readonly Scene[] {
  return lesson.flatMap(({ scene, ...row }) => scene === undefined ? [] : [talk(row, scene)]);
}

function talk({ name, sample, ...row }: LessonRow, scene: Required<LessonRow>["scene"]): Scene {
  const requestsFor = async (words: readonly string[], protocol: Protocol) =>
    requestsOf(await row.client(), words.length > 0 ? words : sample.words, protocol);
  return {
    name,
    ...scene,
    async check(words, protocol) {
      await requestsFor(words, protocol);
    },
    async play(stage, words) {
      const requests = await requestsFor(words, stage.transport.protocol);
      const service = await row.service();
      const server = await stage.serve(service);
      const answers: Answer[] = [];
      {
        using call = await stage.dial(`${name}-client`, server);
        for (const request of requests) answers.push(await ask(call, request));
      }
      await stage.served();
      return answers.map(({ reply }) => reply);
    },
  };
}

/** @throws {Failure} of kind `USAGE` if the words make no request. */
function requestsOf(
  client: Client,
  words: readonly string[],
  protocol: Protocol,
): readonly string[] {
  try {
    return requestsOver(protocol, client, words) ?? [];
  } catch (cause) {
    if (!(cause instanceof RequestError)) throw cause;
    throw misuse(`demo ${client.name}: ${cause.message}`, { cause });
  }
}

/** Failures and surprises of a network. */
export const incidents: readonly Scene[] = [
  {
    name: "refused",
    summary: "no program listens at the port",
    lesson: "The host is there, but no program has the port. Its system says so at once" +
      (system.refusalMs > 0 ? ", and Windows asks twice more, which takes 2 s" : "") +
      ": refused means that the network works and the server is not running.",
    play: (stage) =>
      failing(async () => {
        const timeout = Math.max(STAGE_TIMEOUT_MS, 2 * system.refusalMs);
        using _call = await stage.dial("calc-client", stage.emptyPlace(), timeout);
      }),
  },
  {
    name: "timeout",
    summary: "a server accepts and never answers",
    lesson: "A silent peer looks like a slow one. Only its own time limit keeps a client from " +
      "waiting forever.",
    async play(stage) {
      const listener = stage.listen("silent-server");
      const served = readSilently(listener.accept());
      const lines = await failing(async () => {
        using call = await stage.dial("calc-client", listener.addr);
        await ask(call, "10 20 +");
      });
      await served;
      return lines;
    },
  },
  {
    name: "reset",
    summary: "the server goes away with a connection open",
    lesson: "The client has connected, but the server is gone before it accepts. Its system " +
      "resets the connection: what was sent is lost, and recv() fails.",
    play: (stage) =>
      failing(async () => {
        const listener = stage.listen("dying-server");
        using call = await stage.dial("calc-client", listener.addr);
        const answer = ask(call, "10 20 +");
        await delay(SEGMENT_PAUSE_MS); // the request waits in the server's system
        listener.close();
        await answer;
      }),
  },
  {
    name: "half-close",
    summary: "a client stops sending and still gets its reply",
    lesson: "A connection has two directions, and each ends on its own. shutdown() says that " +
      "nothing more will be sent; the reply still arrives.",
    play: (stage) =>
      byHand(stage, async (socket) => {
        await sendText(socket, "10 20 +\n");
        await socket.closeWrite();
        const replies = [await receiveText(socket)];
        await receiveText(socket); // the end of the stream
        return replies;
      }),
  },
  {
    name: "split",
    summary: "one request in several segments",
    lesson: "A stream has no message boundaries: what one end sends at once may arrive in " +
      "parts. The server reads on until the line end; only then does it have a request.",
    play: (stage) =>
      byHand(stage, async (socket) => {
        for (const part of ["10 2", "0 ", "+\n"]) {
          await sendText(socket, part);
          await delay(SEGMENT_PAUSE_MS);
        }
        return [await receiveText(socket)];
      }),
  },
  {
    name: "glued",
    summary: "several requests in one segment",
    lesson: "Three requests may arrive as one piece. The server splits it at the line ends and " +
      "answers each request, in order, all in one send.",
    play: (stage) =>
      byHand(stage, async (socket) => {
        await sendText(socket, "1 2 +\n3 4 *\n9 2 /\n");
        return (await receiveText(socket)).split("\n");
      }),
  },
  {
    name: "lost",
    summary: "a datagram that nobody answers",
    lesson: "UDP has no connection to refuse. The client can't know whether no server was there, " +
      "its datagram was lost, or the reply was: it can only wait, and then give up.",
    udpOnly: true,
    play: (stage) =>
      failing(async () => {
        using call = await stage.dial("calc-client", stage.emptyPlace());
        await ask(call, "10 20 +");
      }),
  },
];

/** Runs a real calculator with a client whose calls are made one by one. */
async function byHand(
  stage: Stage,
  act: (socket: Stream) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const socket = await stage.connect("calc-client", await stage.serve(calc));
  const replies = await act(socket);
  socket.close();
  await stage.served();
  return replies;
}

/** Reads to the end of the stream and never answers. */
async function readSilently(accepting: Promise<Stream>): Promise<void> {
  using socket = await accepting;
  const buffer = new Uint8Array(1_024);
  while (await socket.read(buffer) !== null);
}

async function sendText(socket: Stream, text: string): Promise<void> {
  await socket.write(new TextEncoder().encode(text));
}

async function receiveText(socket: Stream): Promise<string> {
  const buffer = new Uint8Array(1_024);
  const count = await socket.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0)).trimEnd();
}

/** Plays a client that fails; returns the failure as a client prints it. Rethrows other errors. */
async function failing(play: () => Promise<void>): Promise<readonly string[]> {
  try {
    await play();
    return [];
  } catch (error) {
    if (!(error instanceof SocketFailure)) throw error;
    return [`${error.kind}: ${asFailure(error).message}`];
  }
}
