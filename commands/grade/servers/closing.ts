/** Closes connections so that nothing of them stays on the server's port. */
import type { Stream } from "../../../sockets/stream.ts";
import { isHeldByProcess } from "../program/system.ts";

/**
 * The side that closes a connection first keeps it for a minute (TIME-WAIT, RFC 9293 section
 * 3.6.1), and a program without SO_REUSEADDR can't start again on its port for so long. Where the
 * server has closed first, and has closed both sides, a reset ends this at once; a server that has
 * only ended its sending side still reads, and must not see a reset.
 *
 * @param onClosing Gets a promise that resolves once the connection is closed.
 */
export function withoutTrace(stream: Stream, onClosing: (closed: Promise<void>) => void): Stream {
  let hasEnded = false;
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    if (hasEnded) onClosing(resetIfClosed(stream));
    else stream.close();
  };
  return {
    local: stream.local,
    remote: stream.remote,
    async read(buffer) {
      const count = await stream.read(buffer);
      hasEnded = count === null;
      return count;
    },
    write: (bytes) => stream.write(bytes),
    // Its own end has said all: another end would make the server's side linger.
    closeWrite: () => hasEnded ? Promise.resolve() : stream.closeWrite(),
    close,
    reset: () => stream.reset?.() ?? stream.close(),
    [Symbol.dispose]: close,
  };
}

async function resetIfClosed(stream: Stream): Promise<void> {
  const { local, remote } = stream;
  const held = "port" in local && "port" in remote
    ? await isHeldByProcess(remote.port, local.port)
    : true;
  if (held || stream.reset === undefined) stream.close();
  else stream.reset();
}
