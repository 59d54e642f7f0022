import { watchUncaught } from "./errors/uncaught.ts";
import { type Channels, openChannels } from "./output/channels.ts";
import { endOfFirstProcess } from "./signals.ts";

/**
 * Runs what this process is for, however it ends.
 *
 * @param json Whether programs read stdout.
 * @returns the exit code.
 */
export function runProcess(
  run: (channels: Channels) => Promise<number>,
  json: boolean,
): Promise<number> {
  const channels = openChannels();
  const uncaught = watchUncaught(channels, json);
  return Promise.race([run(channels), uncaught, endOfFirstProcess()]);
}
