/** Ports already returned to tests of this process. */
const given = new Set<number>();

/**
 * A port to listen on that is free over TCP and UDP, on both families.
 *
 * It is outside the ephemeral range, so that no connection of another test can take it
 * before the test listens on it.
 */
export function freePort(): number {
  while (true) {
    // grade gives its programs ports from 20000 to 29999.
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): boolean {
  const opened: { close(): void }[] = [];
  try {
    for (const hostname of ["127.0.0.1", "::1"]) {
      opened.push(Deno.listen({ hostname, port }));
      opened.push(Deno.listenDatagram({ transport: "udp", hostname, port }));
    }
    return true;
  } catch (error) {
    return opened.length === 2 && !(error instanceof Deno.errors.AddrInUse); // no IPv6 here
  } finally {
    for (const socket of opened) socket.close();
  }
}
