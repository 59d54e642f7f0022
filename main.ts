import config from "./deno.json" with { type: "json" };
import type { Command } from "./cli/command.ts";
import { asksFor, dispatch } from "./cli/dispatch.ts";
import { runProcess } from "./cli/process.ts";
import type { Channels } from "./cli/output/channels.ts";
import type { Lesson, LessonRow } from "./commands/lesson.ts";
import type { BuiltInTalk } from "./talk/built_in.ts";

/** All services with their clients. Their code is loaded on first use. */
export const lesson: Lesson = [
  {
    name: "hello",
    port: 30,
    servePort: 4030,
    summary: {
      server: "accepts connections and says so",
      client: "connects to a hello-server",
    },
    scene: {
      summary: "a client connects, a server notices",
      lesson: "The least that a client and a server can do: find each other.",
      datagrams: {
        summary: "a client says hello, a server sends it back",
        lesson: "Datagrams need no connection, so a server notices a client only when it sends " +
          "one, and the client notices the server only by its reply.",
      },
    },
    service: async () => (await import("./services/hello.ts")).service,
    client: async () => (await import("./clients/hello.ts")).client,
    sample: { words: [], request: undefined, reply: undefined },
  },
  {
    name: "message",
    port: 40,
    servePort: 4041,
    summary: {
      server: "prints its clients' messages and thanks them",
      client: "sends a message and prints the reply",
    },
    scene: {
      summary: "a client sends a message and is thanked",
      lesson: "One request, one reply: the client speaks first, the server answers.",
    },
    service: async () => (await import("./services/message.ts")).service,
    client: async () => (await import("./clients/message.ts")).client,
    sample: { words: [], request: "Hello Server HBD", reply: "Thanks..." },
  },
  {
    name: "calc",
    port: 40,
    servePort: 4040,
    summary: {
      server: "answers commands: 10 20 + with Sum of 10 and 20 is 30",
      client: "sends calculator commands, checks and prints the answers",
    },
    scene: {
      summary: "a client asks a calculator",
      lesson: "The server understands the bytes that it gets; client and server share a protocol.",
    },
    service: async () => (await import("./services/calc.ts")).service,
    client: async () => (await import("./clients/calc.ts")).client,
    sample: {
      words: ["10", "20", "+"],
      request: "10 20 +",
      reply: "Sum of 10 and 20 is 30",
    },
  },
  {
    name: "lab",
    port: 50,
    servePort: 4050,
    summary: {
      server: "misbehaves on request: late, cut, reset, silent",
      client: "asks a lab-server to misbehave and reports what happened",
    },
    service: async () => (await import("./services/lab.ts")).service,
    client: async () => (await import("./clients/lab.ts")).client,
    sample: { words: ["echo", "Hello"], request: "echo Hello", reply: "Hello" },
  },
  talkRow({
    name: "echo",
    port: 7,
    servePort: 4007,
    summary: {
      server: "sends back what it gets",
      client: "sends text and prints what comes back",
    },
    sample: { words: ["Hello"], request: "Hello", reply: "Hello" },
  }),
  talkRow({
    name: "upper",
    port: 60,
    servePort: 4060,
    summary: {
      server: "sends back what it gets, in capitals",
      client: "sends text and prints it in capitals",
    },
    sample: { words: ["Hello"], request: "Hello", reply: "HELLO" },
  }),
];

/** A service that is a conversation file alone: talk/files/ has it, under the row's name. */
function talkRow(
  row: Omit<LessonRow, "name" | "service" | "client"> & { readonly name: BuiltInTalk },
): LessonRow {
  const talk = async () => (await import("./talk/built_in.ts")).builtInTalk(row.name);
  return {
    ...row,
    service: async () => (await import("./services/talk.ts")).talkService(row.name, await talk()),
    client: async () => (await import("./clients/talk.ts")).talkClient(row.name, await talk()),
  };
}

/** All commands of netdemo. Their code is loaded on first use. */
export const commands: readonly Command[] = [
  ...lesson.flatMap((row) => [server(row), client(row)]),
  {
    name: "serve",
    summary: "runs several services at once, each over TCP and UDP",
    load: async (words) => (await import("./commands/server/serve.ts")).serveProgram(lesson, words),
  },
  {
    name: "check",
    summary: "proves that a server is alive, or that the way to it is blocked",
    load: async () => (await import("./commands/check/check.ts")).checkProgram(lesson),
  },
  {
    name: "demo",
    summary: "draws what passes between a server and a client",
    load: async () => (await import("./commands/demo/demo.ts")).demoProgram(lesson),
  },
  {
    name: "path",
    summary: "finds out what a forwarder does to connections",
    load: async () => (await import("./commands/path/path.ts")).program,
  },
  {
    name: "grade",
    summary: "examines a lesson program that you wrote yourself",
    startsPrograms: true,
    load: async (words) => (await import("./commands/grade/grade.ts")).gradeProgram(words),
  },
  {
    name: "relay",
    summary: "sits between a client and a server, shows and disturbs their traffic",
    load: async () => (await import("./commands/relay/relay.ts")).program,
  },
  {
    name: "address",
    summary: "shows and explains addresses, host names and ports",
    load: async () => (await import("./commands/address/address.ts")).program,
  },
  {
    name: "completions",
    summary: "prints a completion script for bash, zsh, fish or PowerShell",
    load: async () => {
      const { completionsProgram } = await import("./commands/completions.ts");
      return completionsProgram(commands);
    },
  },
];

function server(row: LessonRow): Command {
  return {
    name: `${row.name}-server`,
    summary: row.summary.server,
    load: async (words) => {
      const { serverProgram } = await import("./commands/server/server.ts");
      return serverProgram(await row.service(), row.port, row.sample.words, words);
    },
  };
}

function client(row: LessonRow): Command {
  return {
    name: `${row.name}-client`,
    summary: row.summary.client,
    load: async () => {
      const { clientProgram } = await import("./commands/client/client.ts");
      return clientProgram(await row.client(), row.port);
    },
  };
}

/**
 * Runs netdemo with the arguments; returns its exit code.
 *
 * @param channels Where it prints. @default {this process's stdout and stderr}
 */
export function main(args: readonly string[], channels?: Channels): Promise<number> {
  const { version: number } = config;
  const version = { number, runtime: `Deno ${Deno.version.deno}`, target: Deno.build.target };
  return dispatch(args, commands, version, channels);
}

/** Drops the permission to start programs, unless the command needs it. */
function dropPermissions([name]: readonly string[]): void {
  const command = commands.find((command) => command.name === name);
  if (command?.startsPrograms !== true) Deno.permissions.revokeSync({ name: "run" });
}

if (import.meta.main) {
  dropPermissions(Deno.args);
  // Not Deno.exitCode: a read from a terminal and a write to a stalled pipe can't
  // be cancelled, and would keep the process alive for as long as they wait.
  Deno.exit(
    await runProcess((channels) => main(Deno.args, channels), asksFor(Deno.args, "--json")),
  );
}
