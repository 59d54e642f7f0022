import { deadline } from "@std/async/deadline";
import { errnoOf } from "./errno.ts";
import { type ListenFacts, SocketFailure } from "./failure.ts";
import { whenThereIsRoom } from "./listen.ts";
import { DenoStream, type Stream, type StreamListener } from "./stream.ts";
import { system } from "./system.ts";

/** Milliseconds to wait for other servers that start in the same folder. */
const LOCK_MS = 2_000;

/**
 * Listens at a path. Replaces a stale socket file, but never a file that isn't a socket.
 * Closing the listener removes the path if it is still its own.
 *
 * @throws {SocketFailure} of kind `BIND` if the path is taken, too long, or not permitted.
 */
export async function listenUnix(path: string): Promise<StreamListener> {
  const bound = temporaryName(path);
  const bytes = bytesOf(path);
  const surplus = Math.max(bytes, bytesOf(bound)) - system.maxUnixPath;
  if (surplus > 0) throw bindFailure(path, { problem: "path too long", most: bytes - surplus });
  // Servers that start at once may all find the same stale file; each would then remove
  // whatever is at the path, even the first one's new socket.
  using _lock = await lockFolder(path);
  await removeStale(path);
  try {
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

/**
 * The name that a socket is bound under before it is linked to its path. Deno removes the bound
 * name when the listener is dropped, whatever file is there by then: at the path itself it could
 * be another server's (Deno 2.9.6). It is random, so that it is nobody else's.
 */
function temporaryName(path: string): string {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return `${folder}~${crypto.getRandomValues(new Uint8Array(3)).toHex()}`;
}

function bytesOf(path: string): number {
  return new TextEncoder().encode(path).length;
}

/** Renames a file, but never replaces another. @throws {Error} if a file is there already. */
function moveTo(path: string, from: string): void {
  try {
    Deno.linkSync(from, path);
    Deno.removeSync(from);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw error;
    Deno.renameSync(from, path); // the file system has no hard links; the path was just free
  }
}

/** Keeps out other servers that start in the same folder while in scope; proceeds if one hangs. */
async function lockFolder(path: string): Promise<Disposable | undefined> {
  const [folder = "/"] = /^.*\//.exec(path) ?? ["."];
  let file: Deno.FsFile | undefined;
  try {
    file = await Deno.open(folder);
    await deadline(file.lock(true), LOCK_MS);
  } catch {
    // The folder can't be read or locked: go on, only without protection from that race.
  }
  return file; // closing it unlocks
}

/** Removes a socket file that a server left behind. */
async function removeStale(path: string): Promise<void> {
  const file = statOf(path);
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
    // After any other error (a full queue, no permission), it may be live: leave it alone.
    return !["ECONNREFUSED", "ENOENT"].includes(errnoOf(error) ?? "");
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw bindFailure(path, { cause });
  }
}

function withOwnFile(listener: Deno.UnixListener, path: string): StreamListener {
  const file = Deno.lstatSync(path);
  const isOwn = (): boolean => {
    const { ino, dev } = Deno.lstatSync(path);
    return ino === file.ino && dev === file.dev;
  };
  const remove = (): void => {
    try {
      if (isOwn()) Deno.removeSync(path);
    } catch {
      // It is gone or can't be removed: the next server replaces it, as after a crash.
    }
  };
  const own = {
    accept: () => listener.accept(),
    close() {
      remove(); // before a successor could find it live
      listener.close();
    },
  };
  const named = (conn: Deno.UnixConn): Stream => new DenoStream(conn, { local: { path } });
  return { addr: { path }, ...whenThereIsRoom(own, named) };
}

function bindFailure(
  path: string,
  { cause, ...why }: Pick<ListenFacts, "problem" | "most"> & { readonly cause?: unknown },
): SocketFailure {
  return new SocketFailure("BIND", { phase: "listen", endpoint: { path }, ...why }, cause);
}
