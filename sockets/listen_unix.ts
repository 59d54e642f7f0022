import { errnoOf } from "./errno.ts";
import { type ListenFacts, SocketFailure } from "./failure.ts";
import { denoStream, MAX_UNIX_PATH, type StreamListener } from "./stream.ts";

/**
 * Put after a path, the name that a socket is bound under before it is linked to the path. It is
 * the name that Deno removes when the listener is dropped, whatever stands there by then: at the
 * path itself it could be another server's file (Deno 2.9.6).
 */
const BOUND = "~";
/** Milliseconds to wait for others that start in the same folder. */
const LOCK_MS = 2_000;

/**
 * Listens at a path. A socket file that nobody listens at any more is replaced;
 * a file that isn't a socket is never touched. At the end the path is removed if it is
 * still this listener's.
 *
 * @throws {SocketFailure} of kind `BIND` if the path is taken, too long, or not permitted.
 */
export async function listenUnix(path: string): Promise<StreamListener> {
  const bytes = new TextEncoder().encode(path).length;
  const most = MAX_UNIX_PATH - BOUND.length;
  if (bytes > most) throw bindFailure(path, { problem: "path too long", most });
  // Of several that start at once, each may find the same stale file and remove it,
  // and with it what the first has put there.
  using _lock = await lockFolder(path);
  await removeStale(path);
  const bound = path + BOUND;
  try {
    if (lookAt(bound)?.isSocket) Deno.removeSync(bound); // its server ended before it was linked
    const listener = Deno.listen({ transport: "unix", path: bound });
    try {
      moveTo(path, bound);
    } catch (error) {
      listener.close();
      throw error;
    }
    return withOwnFile(listener, path);
  } catch (cause) {
    throw bindFailure(path, errnoOf(cause) === "EEXIST" ? { problem: "in use" } : { cause });
  }
}

/** Renames, but, other than a renaming does, in place of nothing. @throws {Error} where a file stands. */
function moveTo(path: string, from: string): void {
  try {
    Deno.linkSync(from, path);
    Deno.removeSync(from);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw error;
    Deno.renameSync(from, path); // no hard links in this file system; nothing stood there a moment ago
  }
}

/** Keeps others out that start in the same folder, as long as it is in scope; not for ever, if one hangs. */
async function lockFolder(path: string): Promise<Disposable | undefined> {
  const [folder = "/"] = /^.*\//.exec(path) ?? ["."];
  let file: Deno.FsFile | undefined;
  try {
    file = await Deno.open(folder);
    const end = performance.now() + LOCK_MS;
    while (!file.tryLockSync(true) && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } catch {
    // A folder that can't be read or locked: only that race is lost.
  }
  return file; // closing it unlocks
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

function withOwnFile(listener: Deno.UnixListener, path: string): StreamListener {
  const own = Deno.lstatSync(path);
  const isOwn = (): boolean => {
    const { ino, dev } = Deno.lstatSync(path);
    return ino === own.ino && dev === own.dev;
  };
  const remove = (): void => {
    try {
      if (isOwn()) Deno.removeSync(path);
    } catch {
      // It is gone, or can't be removed any more: as after a crash, the next server replaces it.
    }
  };
  return {
    addr: { path },
    async accept() {
      while (true) {
        try {
          return denoStream(await listener.accept(), { local: { path } });
        } catch (error) {
          // Its peer's path is not UTF-8, and Deno has dropped the connection (2.9.6).
          if (!(error instanceof Deno.errors.InvalidData)) throw error;
        }
      }
    },
    close() {
      remove(); // before a successor could find it live
      listener.close();
    },
  };
}

function bindFailure(
  path: string,
  { cause, ...why }: Pick<ListenFacts, "problem" | "most"> & { readonly cause?: unknown },
): SocketFailure {
  return new SocketFailure("BIND", { phase: "listen", endpoint: { path }, ...why }, cause);
}
