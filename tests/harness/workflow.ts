import { netdemoCommand } from "./process.ts";

/** What a step of a workflow in examples/ finds in its environment. */
export interface StepEnvironment extends Record<string, string> {
  RUNNER_TEMP: string;
  GITHUB_PATH: string;
  NETDEMO_URL: string;
  NETDEMO_SHA256: string;
}

/** Puts this netdemo into the folder, where a workflow fetches it. */
export async function released(folder: string): Promise<StepEnvironment> {
  const command = netdemoCommand.map((word) => `'${word}'`).join(" ");
  const executable = new TextEncoder().encode(`#!/bin/sh\nexec ${command} "$@"\n`);
  await Deno.writeFile(`${folder}/released`, executable);
  await Deno.writeTextFile(`${folder}/path`, "");
  return {
    RUNNER_TEMP: folder,
    GITHUB_PATH: `${folder}/path`,
    NETDEMO_URL: `file://${folder}/released`,
    NETDEMO_SHA256: new Uint8Array(await crypto.subtle.digest("SHA-256", executable)).toHex(),
  };
}

/** The environment of the next step: its PATH begins with what earlier steps have added. */
export async function withPath(env: StepEnvironment): Promise<Record<string, string>> {
  const added = (await Deno.readTextFile(env.GITHUB_PATH)).split("\n").slice(0, -1).reverse();
  return { ...env, PATH: [...added, Deno.env.get("PATH")].join(":") };
}
