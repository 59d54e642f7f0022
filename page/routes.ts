import script from "./browser/page.js" with { type: "text" };
import elements from "./browser/elements.js" with { type: "text" };
import styles from "./browser/page.css" with { type: "text" };
import icon from "./browser/icon.svg" with { type: "text" };
import { SocketFailure } from "../sockets/failure.ts";

/** The page is only for this machine. */
const HOSTNAME = "127.0.0.1";
/** Host names that requests may use: any other may belong to an attacker (DNS rebinding). */
const ownNames: readonly string[] = [HOSTNAME, "localhost", "[::1]"];

/** Everything is loaded from here, no data runs as a script, and no site can frame the page. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const headers: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_POLICY,
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** The page's files, served unchanged. */
const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/page.css": ["text/css", styles],
  "/page.js": ["text/javascript", script],
  "/elements.js": ["text/javascript", elements],
  "/icon.svg": ["image/svg+xml", icon],
};

/** Content generated for each request. */
export interface PageContent {
  /** Returns the page with the ladders so far; `undefined` if too many are being sent. */
  document(): ReadableStream<Uint8Array> | undefined;
  /** Returns server-sent events from where the viewer left off; `undefined` if too many watch. */
  events(lastId: string | null): ReadableStream<Uint8Array> | undefined;
}

/** The page's HTTP server. */
export interface PageServer {
  readonly port: number;
  /** Stops the server; cuts off readers that are left after `patience` milliseconds. */
  close(patience: number): Promise<void>;
}

/**
 * Serves the page on loopback.
 *
 * @param port 0 takes any free one.
 * @throws {SocketFailure} of kind `BIND` if it can't listen there.
 */
export function servePage(port: number, content: PageContent): PageServer {
  const cut = new AbortController();
  const server = listen(port, cut.signal, (request, own) => answer(request, own, content));
  return {
    port: server.addr.port,
    async close(patience) {
      const timer = setTimeout(() => cut.abort(), patience);
      await server.shutdown();
      await server.finished;
      clearTimeout(timer);
    },
  };
}

function listen(
  port: number,
  signal: AbortSignal,
  answer: (request: Request, port: number) => Response,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    const server: Deno.HttpServer<Deno.NetAddr> = Deno.serve({
      hostname: HOSTNAME,
      port,
      signal,
      onListen() {},
      onError: () => new Response(null, { status: 500 }),
    }, (request) => answer(request, server.addr.port));
    return server;
  } catch (cause) {
    const endpoint = { hostname: HOSTNAME, port };
    throw new SocketFailure("BIND", { phase: "listen", endpoint }, cause);
  }
}

function answer(request: Request, port: number, content: PageContent): Response {
  if (!isOwnHost(request.headers.get("host"), port)) {
    return text(421, "This page is not served under that host name.");
  }
  if (request.method !== "GET") return text(405, "This page is read-only.", { allow: "GET" });
  if (isFromElsewhere(request)) return text(403, "Only this page may request this.");
  const { pathname } = new URL(request.url);
  if (pathname === "/") return stream("text/html", content.document());
  if (pathname === "/events") {
    const lastId = request.headers.get("last-event-id");
    return stream("text/event-stream", content.events(lastId));
  }
  const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined;
  return file === undefined ? text(404, "Page not found.") : reply(...file);
}

/** Whether a request was meant for this server, by one of its own names. */
function isOwnHost(host: string | null, port: number): boolean {
  return ownNames.some((name) =>
    host?.toLowerCase() === `${name}:${port}` || (port === 80 && host?.toLowerCase() === name)
  );
}

/**
 * Whether the request comes from another site's page, other than by a link: it could not read the
 * answer, but it could cause load and take up the places of viewers.
 */
function isFromElsewhere({ headers }: Request): boolean {
  const site = headers.get("sec-fetch-site") ?? "none";
  const isLink = headers.get("sec-fetch-mode") === "navigate";
  return site !== "same-origin" && site !== "none" && !isLink;
}

function stream(type: string, body: ReadableStream<Uint8Array> | undefined): Response {
  if (body === undefined) return text(503, "Too many viewers.", { "retry-after": "5" });
  return new Response(body, { headers: { ...headers, "content-type": `${type}; charset=utf-8` } });
}

function reply(type: string, body: string): Response {
  return new Response(body, { headers: { ...headers, "content-type": `${type}; charset=utf-8` } });
}

function text(status: number, body: string, more: Readonly<Record<string, string>> = {}): Response {
  const own = { ...headers, ...more, "content-type": "text/plain; charset=utf-8" };
  return new Response(`${body}\n`, { status, headers: own });
}
