import { errnoOf, Failure } from "../protocol/failure.ts";
import { bindFailure } from "./listen.ts";

/** Bytes that a Unix socket's path may have: `sun_path` less its NUL (unix(7); BSD's is 4 shorter). */
const MAX_PATH = Deno.build.os === "linux" ? 107 : 103;

/** A listener at a path, whose file goes with it and only if it is its own. */
export interface UnixListening {
  readonly addr: Deno.UnixAddr;
  accept(): Promise<Deno.UnixConn>;
  close(): void;
  /** To be called once {@linkcode accept} has ended after {@linkcode close}. */
  closed(): void;
}

/**
 * Listens at a path. A socket file that nobody listens at any more is replaced;
 * what is no socket is never touched.
 *
 * @throws {Failure} of kind `BIND` if the path is taken, too long, or not permitted.
 */
export async function listenUnix(path: string): Promise<UnixListening> {
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > MAX_PATH) {
    const message =
      `cannot listen on ${path}: the path has ${bytes} bytes, at most ${MAX_PATH} fit`;
    throw new Failure("BIND", message, { hint: "choose a shorter path, for example in /tmp" });
  }
  await removeStale(path);
  try {
    const listener = Deno.listen({ transport: "unix", path });
    return withOwnFile(listener, path);
  } catch (cause) {
    throw bindFailure(cause, { path });
  }
}

/** Removes a socket file that a server left behind. */
async function removeStale(path: string): Promise<void> {
  const file = lookAt(path);
  if (file === undefined) return;
  if (!file.isSocket) {
    const message = `cannot listen on ${path}: there is a file that is no socket`;
    throw new Failure("BIND", message, { hint: "choose another path; the file was not touched" });
  }
  if (await isLive(path)) {
    const message = `cannot listen on ${path}: another server listens there`;
    throw new Failure("BIND", message, { hint: "stop that server, or choose another path" });
  }
  try {
    Deno.removeSync(path);
  } catch (cause) {
    if (errnoOf(cause) !== "ENOENT") throw bindFailure(cause, { path });
  }
}

async function isLive(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    // Any other error than these (a full queue, no permission) leaves it in peace.
    return !["ECONNREFUSED", "ENOENT"].includes(errnoOf(error) ?? "");
  }
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw bindFailure(cause, { path });
  }
}

/**
 * Deno 2.9 removes whatever stands at the path when the listener is dropped,
 * which is after a pending accept has ended; older ones remove nothing. So a
 * file that is not this listener's any more is moved out of the way until
 * then, and one that is still its own is removed here.
 */
function withOwnFile(listener: Deno.UnixListener, path: string): UnixListening {
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
    addr: listener.addr as Deno.UnixAddr,
    accept: () => listener.accept(),
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
