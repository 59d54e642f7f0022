import type { Endpoint } from "../../../protocol/addresses.ts";
import { proxyHeader } from "../../../protocol/proxy_header.ts";
import { connectTcp, connectUnix } from "../../../sockets/dial.ts";
import { DenoStream, type Stream } from "../../../sockets/stream.ts";
import { writeAll } from "../../../sockets/write_all.ts";
import type { Probing } from "./probing.ts";
import { daysLeft, secure, TlsFailure } from "./tls.ts";

/**
 * Connects to a probe's remote end, and secures the connection if that is asked for.
 *
 * @throws {Error} of the socket, with an errno.
 * @throws {TlsFailure} if it can't be secured.
 */
export async function openStream(probing: Probing): Promise<Stream> {
  const { remote, tls, proxyProtocol, seen, over } = probing;
  const startedAt = performance.now();
  const stream = await connect(remote, over.signal).finally(() => {
    seen.connectMs ??= performance.now() - startedAt;
  });
  over.signal.addEventListener("abort", () => stream.close(), { once: true });
  if (over.signal.aborted) stream.close();
  if (proxyProtocol !== undefined) {
    // Not awaited: how the connection ended shows when reading.
    writeAll(stream, proxyHeader(proxyProtocol, stream.local, stream.remote)).catch(() => {});
  }
  if (tls === undefined) return stream;
  const connectedAt = performance.now();
  seen.phase = "tls";
  const secured = await secure(stream, tls).finally(() => {
    seen.tlsMs ??= performance.now() - connectedAt;
  });
  const { certificate } = secured;
  seen.certificate = certificate;
  const problem = certificate.distrust !== undefined
    ? "untrusted"
    : daysLeft(certificate) < (tls.days ?? 0)
    ? "expires soon"
    : undefined;
  if (problem === undefined) return secured.stream;
  secured.stream.close();
  throw new TlsFailure(problem);
}

async function connect(remote: Endpoint, signal: AbortSignal): Promise<Stream> {
  if ("path" in remote) return await connectUnix(remote.path ?? "");
  signal.throwIfAborted();
  return new DenoStream(await connectTcp(remote, signal));
}
