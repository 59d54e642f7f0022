import config from "./deno.json" with { type: "json" };
import type { Client } from "./clients/client.ts";
import type { Command } from "./cli/command.ts";
import { dispatch } from "./cli/dispatch.ts";
import type { Channels } from "./cli/report.ts";
import type { Services } from "./services/worker.ts";

/** Every service. */
const services = {
  hello: () => import("./services/hello.ts"),
  message: () => import("./services/message.ts"),
  calc: () => import("./services/calc.ts"),
} satisfies Services;

/** Every command of netdemo. Its code is loaded when it is used, not before. */
const commands: readonly Command[] = [
  server("hello", 30, "accepts connections and says so"),
  client("hello", 30, "connects to a hello-server", () => import("./clients/hello.ts")),
  server("message", 40, "prints the messages of its clients and thanks for them"),
  client(
    "message",
    40,
    "sends a message and prints the reply",
    () => import("./clients/message.ts"),
  ),
  server("calc", 40, "answers commands: 10 20 + with Sum of 10 and 20 is 30"),
  client(
    "calc",
    40,
    "sends calculator commands, checks and prints the answers",
    () => import("./clients/calc.ts"),
  ),
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

function server(name: keyof typeof services, port: number, summary: string): Command {
  return {
    name: `${name}-server`,
    summary,
    load: async () => {
      const { serverProgram } = await import("./cli/server.ts");
      return serverProgram((await services[name]()).service, port);
    },
  };
}

function client(
  name: string,
  port: number,
  summary: string,
  load: () => Promise<{ client: Client }>,
): Command {
  return {
    name: `${name}-client`,
    summary,
    load: async () => {
      const { clientProgram } = await import("./cli/client.ts");
      return clientProgram((await load()).client, port);
    },
  };
}

/**
 * Runs netdemo with the arguments; gives its exit code.
 *
 * @param channels What it prints to. @default this process's stdout and stderr
 */
export function main(args: readonly string[], channels?: Channels): Promise<number> {
  return dispatch(args, commands, config.version, channels);
}

/** Whether this is one of a server's workers, which run this module too. */
const isWorker = "DedicatedWorkerGlobalScope" in globalThis;

if (import.meta.main) {
  if (isWorker) {
    const { runWorker } = await import("./services/worker.ts");
    runWorker(services);
  } else {
    // Not Deno.exitCode: a read from a terminal and a write to a stalled pipe
    // can't be taken back, and would hold the process for as long as they wait.
    Deno.exit(await main(Deno.args));
  }
}
