import { reasonOf } from "../../sockets/errno.ts";
import { decodeText } from "../../text/encoding.ts";
import { misuse } from "../errors/failure.ts";

/**
 * Reads a text that the user named.
 *
 * @param path `-` is stdin.
 * @param what Such as `the targets`, for the message.
 * @throws {Failure} of kind `USAGE` if it can't be read, or is neither UTF-8 nor UTF-16.
 */
export async function readText(path: string, what: string, hint: string): Promise<string> {
  try {
    return decodeText(await bytesOf(path));
  } catch (cause) {
    const why = cause instanceof TypeError ? "it is not UTF-8 text" : reasonOf(cause);
    throw misuse(`cannot read ${what}: ${why}`, { cause, hint });
  }
}

async function bytesOf(path: string): Promise<Uint8Array> {
  if (path === "-") return await new Response(Deno.stdin.readable).bytes();
  return await Deno.readFile(path);
}
