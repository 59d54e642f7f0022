import type { Duplex } from "node:stream";
import type { PeerCertificate } from "node:tls";
import { messageOf } from "../../../sockets/errno.ts";
import type { Stream } from "../../../sockets/stream.ts";
import { writeAll } from "../../../sockets/write_all.ts";

/** Bytes read at a time. */
const READ_SIZE = 16_384;
const DAY_MS = 86_400_000;
/** First bytes of TLS records (RFC 8446, section 5.1): alerts and what a handshake sends. */
const RECORD_TYPES = [20, 21, 22, 23];

/** How a connection must be secured. */
export interface TlsOptions {
  /** The name or address that the certificate must be for. A name is also sent (SNI). */
  readonly host: string;
  /** Certificates of issuers to trust instead of the usual ones, as PEM. */
  readonly ca?: string | undefined;
  /** Days for which the certificate must still be valid. @default {0} */
  readonly days?: number | undefined;
  /** Those to choose from (ALPN). @default {none} */
  readonly protocols?: readonly string[] | undefined;
}

/** Why a certificate is not trusted. */
export type Distrust = "expired" | "not yet valid" | "other name" | "unknown issuer";

/** A server's certificate. */
export interface Certificate {
  readonly validFrom: Date;
  readonly validTo: Date;
  /** The names and addresses that it is for. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly isSelfSigned: boolean;
  readonly distrust: Distrust | undefined;
}

/** What is wrong with a handshake. */
export type TlsProblem = "not TLS" | "TLS refused" | "untrusted" | "expires soon";

/** A connection can't be secured, or not as is required. */
export class TlsFailure extends Error {
  override readonly name = "TlsFailure";
  readonly problem: TlsProblem;
  /** What the peer sent instead, if that was not TLS. */
  readonly received: Uint8Array | undefined;

  /** @param message What the runtime says of it, if anything. */
  constructor(problem: TlsProblem, message = "", received?: Uint8Array) {
    super(message);
    this.problem = problem;
    this.received = received;
  }
}

/** With TLS 1.3 a server that requires a certificate refuses only after the handshake. */
export function refusalOf(error: unknown): TlsFailure | undefined {
  if (error instanceof TlsFailure) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code.startsWith("ERR_SSL_") ? new TlsFailure("TLS refused", messageOf(error)) : undefined;
}

/**
 * Loads what most checks never need. The runtime reads its list of issuers in the first handshake,
 * which takes 50 to 100 ms: it begins one with nobody, so that no probe has to wait for that.
 *
 * @returns whether this runtime can look at certificates.
 */
export async function prepareTls(): Promise<boolean> {
  const [tls, { Duplex }] = await loadTls();
  const { canReset } = await import("../../../sockets/runtime.ts");
  if (!canReset) return false; // the runtime that can't do the one can't do the other
  const begun = Promise.withResolvers<void>();
  const nobody = new Duplex({ read() {}, write: () => begun.resolve() });
  const socket = tls.connect({ socket: nobody });
  socket.on("error", () => begun.resolve());
  await begun.promise;
  socket.destroy();
  return true;
}

async function loadTls() {
  const stream = import("../../../sockets/node_socket.ts");
  return await Promise.all([import("node:tls"), import("node:stream"), stream]);
}

/** Whether a text in PEM holds certificates, and all of them can be read. */
export async function areCertificates(pem: string): Promise<boolean> {
  const { X509Certificate } = await import("node:crypto");
  const blocks = pem.split("-----BEGIN CERTIFICATE-----").slice(1);
  try {
    for (const block of blocks) new X509Certificate(`-----BEGIN CERTIFICATE-----${block}`);
    return blocks.length > 0;
  } catch {
    return false;
  }
}

/** A connection that is secured. */
export interface Secured {
  readonly stream: Stream;
  readonly certificate: Certificate;
}

/**
 * Does the handshake over a connection, and looks at the certificate, which may well not be one to
 * trust. `Deno.startTls` would not show it.
 *
 * @throws {TlsFailure} if the peer does not speak TLS, or refuses.
 * @throws {Error} of the connection's own, such as a reset.
 */
export async function secure(stream: Stream, options: TlsOptions): Promise<Secured> {
  const { host, ca, protocols } = options;
  const [tls, { Duplex }, { NodeStream }] = await loadTls();
  const wire: Wire = { stream, isEnded: false };
  const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
  const socket = tls.connect({
    socket: duplexOf(wire, Duplex),
    host, // what the certificate is compared with
    ...!isAddress && { servername: host },
    rejectUnauthorized: false, // so that what is wrong with it can be seen
    ...protocols && { ALPNProtocols: [...protocols] },
    ...ca !== undefined && { ca },
  });
  const secured = Promise.withResolvers<void>();
  socket.once("secureConnect", () => secured.resolve());
  socket.on("error", (error) => secured.reject(wire.failure ?? error));
  socket.once(
    "close",
    () => secured.reject(wire.failure ?? new TlsFailure("TLS refused", "the handshake ended")),
  );
  try {
    await secured.promise;
  } catch (error) {
    const { first } = wire;
    if (first !== undefined && !RECORD_TYPES.includes(first[0] ?? 0)) {
      throw new TlsFailure("not TLS", "", first);
    }
    if (wire.failure !== undefined) throw wire.failure;
    throw wire.isEnded
      ? new Deno.errors.UnexpectedEof()
      : error instanceof TlsFailure
      ? error
      : new TlsFailure("TLS refused", messageOf(error));
  }
  const certificate = certificateOf(socket.getPeerCertificate(), {
    isTrusted: socket.authorized,
    isFor: (peer) => tls.checkServerIdentity(host, peer) === undefined,
  });
  return { stream: new NodeStream(socket, () => {}, stream), certificate };
}

/** A connection, and what the errors of a handshake don't say about it. */
interface Wire {
  readonly stream: Stream;
  /** The first bytes that arrived. */
  first?: Uint8Array;
  isEnded: boolean;
  /** How reading failed. */
  failure?: Error;
}

/** A connection as the runtime's TLS takes it. */
function duplexOf(wire: Wire, Node: typeof Duplex): Duplex {
  const { stream } = wire;
  const buffer = new Uint8Array(READ_SIZE);
  return new Node({
    read() {
      stream.read(buffer).then((count) => {
        if (count === null) {
          wire.isEnded = true;
          this.push(null);
          return;
        }
        const bytes = buffer.slice(0, count);
        wire.first ??= bytes;
        this.push(bytes);
      }, (error) => {
        wire.failure = error;
        this.destroy(error);
      });
    },
    write(bytes: Uint8Array, _, done) {
      writeAll(stream, bytes).then(() => done(), () => done()); // reading shows how it ended
    },
    final(done) {
      stream.closeWrite().then(() => done(), () => done());
    },
    destroy(error, done) {
      stream.close();
      done(error);
    },
  });
}

/** What a certificate says, and the first thing that is wrong with it. */
function certificateOf(
  peer: PeerCertificate,
  { isTrusted, isFor }: { isTrusted: boolean; isFor: (peer: PeerCertificate) => boolean },
): Certificate {
  const [validFrom, validTo] = [new Date(peer.valid_from), new Date(peer.valid_to)];
  const now = Date.now();
  const names = (peer.subjectaltname ?? "").split(", ")
    .filter((name) => /^(?:DNS|IP Address):/.test(name))
    .map((name) => name.replace(/^[^:]*:/, ""));
  const distrust = now > validTo.getTime()
    ? "expired"
    : now < validFrom.getTime()
    ? "not yet valid"
    : names.length === 0 || !isFor(peer) // a CN counts no more (RFC 9525, section 2)
    ? "other name"
    : isTrusted
    ? undefined
    : "unknown issuer";
  const issuer = nameOf(peer.issuer);
  return {
    validFrom,
    validTo,
    names,
    issuer,
    isSelfSigned: issuer === nameOf(peer.subject),
    distrust,
  };
}

/** A subject or an issuer, in few words. */
function nameOf({ CN, O }: PeerCertificate["issuer"]): string {
  return String(CN ?? O ?? "unnamed");
}

/** What keeps a certificate from being accepted, if anything does. */
export function problemOf(
  certificate: Certificate,
  { days = 0 }: TlsOptions,
): TlsProblem | undefined {
  if (certificate.distrust !== undefined) return "untrusted";
  return daysLeft(certificate) < days ? "expires soon" : undefined;
}

/** Whole days for which a certificate is still valid; negative once it has expired. */
export function daysLeft({ validTo }: Certificate): number {
  return Math.floor((validTo.getTime() - Date.now()) / DAY_MS);
}
