import { messageOf } from "../sockets/errno.ts";
import { Failure } from "./failure.ts";

/**
 * A file with the text for as long as it is in scope: how a script learns the
 * port of a server that took any free one.
 *
 * @throws {Failure} of kind `ERROR` if it can't be written.
 */
export async function writePortFile(path: string, text: string): Promise<AsyncDisposable> {
  const beside = `${path}.${Deno.pid}`; // renamed once whole, so nobody reads half of it
  try {
    await Deno.writeTextFile(beside, text);
    await Deno.rename(beside, path);
  } catch (cause) {
    await remove(beside);
    const hint = "choose a --port-file in a folder that exists and can be written to";
    throw new Failure("ERROR", `cannot write the port file: ${messageOf(cause)}`, { cause, hint });
  }
  return { [Symbol.asyncDispose]: () => remove(path) };
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path).catch(() => {}); // gone is as good
}
