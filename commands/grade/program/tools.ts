import { os } from "../../../sockets/system.ts";

/** Where tools run: a program may delete the folder in which it and netdemo were started. */
export const TOOLS_CWD = os === "windows" ? {} : { cwd: "/" };

/** The resources that a program and all that it started use together. */
export interface Usage {
  readonly pids: readonly number[];
  /** CPU time since they started, in milliseconds. */
  readonly cpuMs: number;
  /** Memory that they hold, in bytes. */
  readonly memory: number;
}

/** An address that a program listens on, as the tools write it: `*` for all. */
export interface Listening {
  readonly hostname: string;
  readonly port: number;
}

/** Runs a tool; returns what it printed, or `undefined` if it is missing or failed. */
export async function output(command: string, ...args: string[]): Promise<string | undefined> {
  const ran = await runTool(command, args, { env: { LC_ALL: "C" }, ...TOOLS_CWD });
  return ran?.success || ran?.text !== "" ? ran?.text : undefined;
}

/** Runs a tool; returns what it printed, and `undefined` if it is missing. */
export async function runTool(command: string, args: string[], options: Deno.CommandOptions = {}) {
  try {
    const tool = new Deno.Command(command, { args, stdin: "null", stderr: "null", ...options });
    const { stdout, success } = await tool.output();
    return { text: new TextDecoder().decode(stdout), success };
  } catch {
    return undefined;
  }
}

/** The lines of a table that a tool printed, in fields. */
export function rowsOf(text: string): string[][] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "")
    .map((line) => line.split(/\s+/));
}

/** Reads an address with a port, as the tools write it. */
export function endpoint(text: string): Listening {
  const [, hostname = "", port] = /^(.*)[:.](\d+)$/.exec(text) ?? [];
  const bare = hostname.replace(/^\[|\]$/g, "").replace(/%.*/, "");
  return { hostname: ["0.0.0.0", "::", "*"].includes(bare) ? "*" : bare, port: Number(port) };
}
