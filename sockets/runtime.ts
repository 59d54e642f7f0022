// A static import of a runtime module would be loaded at the start of every command of the
// executable.
const { Socket } = await import("node:net");

/**
 * Whether this runtime can reset a connection. The one that the build falls back to (Deno 2.5)
 * can't. Its `node:net` also closes half-open connections, its `node:tls` shows no certificates,
 * and it knows no zones of addresses.
 */
export const canReset = "resetAndDestroy" in Socket.prototype;
