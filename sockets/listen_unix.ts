import { errnoOf } from "./errno.ts";
import { type ListenFacts, SocketFailure } from "./failure.ts";
import { denoStream, endpointOf, MAX_UNIX_PATH, type StreamListener } from "./stream.ts";

/**
 * Listens at a path. A socket file that nobody listens at any more is replaced;
 * a file that isn't a socket is never touched.
 *
 * @throws {SocketFailure} of kind `BIND` if the path is taken, too long, or not permitted.
 */
export async function listenUnix(path: string): Promise<StreamListener> {
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > MAX_UNIX_PATH) {
    throw bindFailure(path, { problem: "path too long", most: MAX_UNIX_PATH });
  }
  await removeStale(path);
  try {
    const listener = Deno.listen({ transport: "unix", path });
    return withOwnFile(listener, path);
  } catch (cause) {
    throw bindFailure(path, { cause });
  }
}

/** Removes a socket file that a server left behind. */
async function removeStale(path: string): Promise<void> {
  const file = lookAt(path);
  if (file === undefined) return;
  if (!file.isSocket) throw bindFailure(path, { problem: "not a socket" });
  if (await isLive(path)) throw bindFailure(path, { problem: "in use" });
  try {
    Deno.removeSync(path);
  } catch (cause) {
    if (errnoOf(cause) !== "ENOENT") throw bindFailure(path, { cause });
  }
}

async function isLive(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    // Any other error than these (a full queue, no permission) leaves it alone.
    return !["ECONNREFUSED", "ENOENT"].includes(errnoOf(error) ?? "");
  }
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw bindFailure(path, { cause });
  }
}

/**
 * Deno 2.9 removes whatever stands at the path when the listener is dropped,
 * which is after a pending accept has ended; older ones remove nothing. So a
 * file that is not this listener's any more is moved out of the way until
 * then, and one that is still its own is removed here.
 */
function withOwnFile(listener: Deno.UnixListener, path: string): StreamListener {
  const own = Deno.lstatSync(path);
  const aside = `${path}.${Deno.pid}`;
  const stands = (): "own" | "other" | "nothing" => {
    try {
      const { ino, mtime } = Deno.lstatSync(path);
      return ino === own.ino && mtime?.getTime() === own.mtime?.getTime() ? "own" : "other";
    } catch {
      return "nothing";
    }
  };
  let moved = false;
  return {
    addr: endpointOf(listener.addr),
    accept: async () => denoStream(await listener.accept()),
    close() {
      if (stands() === "other") {
        Deno.renameSync(path, aside);
        moved = true;
      }
      listener.close();
    },
    closed() {
      if (moved) Deno.renameSync(aside, path);
      else if (stands() === "own") Deno.removeSync(path);
      moved = false;
    },
  };
}

function bindFailure(
  path: string,
  { cause, ...why }: Pick<ListenFacts, "problem" | "most"> & { readonly cause?: unknown },
): SocketFailure {
  return new SocketFailure("BIND", { phase: "listen", endpoint: { path }, ...why }, cause);
}
