import config from "./deno.json" with { type: "json" };
import type { Client } from "./clients/client.ts";
import type { Command, Program } from "./cli/command.ts";
import { dispatch } from "./cli/dispatch.ts";
import type { Service } from "./services/service.ts";

/** Every command of netdemo. Its code is loaded when it is used, not before. */
const commands: readonly Command[] = [
  {
    name: "hello-server",
    summary: "accepts connections and says so",
    load: () => server(import("./services/hello.ts"), 30),
  },
  {
    name: "hello-client",
    summary: "connects to a hello-server",
    load: () => client(import("./clients/hello.ts"), 30),
  },
  {
    name: "message-server",
    summary: "prints the messages of its clients and thanks for them",
    load: () => server(import("./services/message.ts"), 40),
  },
  {
    name: "message-client",
    summary: "sends a message and prints the reply",
    load: () => client(import("./clients/message.ts"), 40),
  },
  {
    name: "calc-server",
    summary: "answers commands: 10 20 + with Sum of 10 and 20 is 30",
    load: () => server(import("./services/calc.ts"), 40),
  },
  {
    name: "calc-client",
    summary: "sends calculator commands, checks and prints the answers",
    load: () => client(import("./clients/calc.ts"), 40),
  },
  {
    name: "demo",
    summary: "draws what passes between a server and a client",
    load: async () => (await import("./cli/demo.ts")).program,
  },
  {
    name: "address",
    summary: "shows and explains addresses, host names and ports",
    load: async () => (await import("./cli/address.ts")).program,
  },
];

async function server(module: Promise<{ service: Service }>, port: number): Promise<Program> {
  const { serverProgram } = await import("./cli/server.ts");
  return serverProgram((await module).service, port);
}

async function client(module: Promise<{ client: Client }>, port: number): Promise<Program> {
  const { clientProgram } = await import("./cli/client.ts");
  return clientProgram((await module).client, port);
}

/** Runs netdemo with the arguments; gives its exit code. */
export function main(args: readonly string[]): Promise<number> {
  return dispatch(args, commands, config.version);
}

if (import.meta.main) {
  // Not Deno.exitCode: a read from a terminal and a write to a stalled pipe
  // can't be taken back, and would hold the process for as long as they wait.
  Deno.exit(await main(Deno.args));
}
