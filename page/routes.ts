import script from "./browser/page.js" with { type: "text" };
import elements from "./browser/elements.js" with { type: "text" };
import styles from "./browser/page.css" with { type: "text" };
import icon from "./browser/icon.svg" with { type: "text" };
import type { HttpHandler, Reply } from "./http_connection.ts";
import type { HttpRequest } from "./http_request.ts";
import { Places } from "./places.ts";

/** Viewers at a time. */
const MAX_VIEWERS = 20;
/** Documents sent at a time: each keeps the events that it began with. */
const MAX_DOCUMENTS = 20;
/** Host names that requests may use: any other may belong to an attacker (DNS rebinding). */
const ownNames: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

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

/** Content made for each request. */
export interface PageContent {
  /** Makes the page with the ladders so far, piece by piece. */
  document(): AsyncIterable<string>;
  /** Makes server-sent events from where the viewer left off, until `gone` aborts. */
  events(lastId: string | undefined, gone: AbortSignal): AsyncIterable<string>;
}

/** The page's answers to requests. */
export class PageRoutes implements HttpHandler {
  readonly viewers = new Places(MAX_VIEWERS);
  readonly #documents = new Places(MAX_DOCUMENTS);
  readonly #port: number;
  readonly #content: PageContent;

  /** @param port The page's port, which is part of its own names. */
  constructor(port: number, content: PageContent) {
    this.#port = port;
    this.#content = content;
  }

  answer(request: HttpRequest): Reply {
    const { method, path, headers } = request;
    if (!isOwnHost(headers.get("host"), this.#port)) {
      return text(421, "This page is not served under that host name.");
    }
    if (method !== "GET") return text(405, "This page is read-only.", { allow: "GET" });
    if (isFromElsewhere(request)) return text(403, "Only this page may request this.");
    if (path === "/") {
      return live("text/html", this.#documents.take(), () => this.#content.document());
    }
    if (path === "/events") {
      const lastId = headers.get("last-event-id");
      const events = (gone: AbortSignal) => this.#content.events(lastId, gone);
      return live("text/event-stream", this.viewers.take(), events);
    }
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    return file === undefined ? text(404, "Page not found.") : whole(200, ...file);
  }

  refuse(status: 400 | 431): Reply {
    return text(status, status === 400 ? "This is not an HTTP request." : "The head is too long.");
  }
}

/** Whether a request was meant for this server, by one of its own names. */
function isOwnHost(host: string | undefined, port: number): boolean {
  return ownNames.some((name) =>
    host?.toLowerCase() === `${name}:${port}` || (port === 80 && host?.toLowerCase() === name)
  );
}

/**
 * Whether the request comes from another site's page, other than by a link: it could not read the
 * answer, but it could cause load and take up the places of viewers.
 */
function isFromElsewhere({ headers }: HttpRequest): boolean {
  const site = headers.get("sec-fetch-site") ?? "none";
  const isLink = headers.get("sec-fetch-mode") === "navigate";
  return site !== "same-origin" && site !== "none" && !isLink;
}

function live(type: string, place: Disposable | undefined, body: Reply["body"]): Reply {
  if (place === undefined) return text(503, "Too many viewers.", { "retry-after": "5" });
  return { status: 200, headers: headersOf(type), body, place };
}

function text(status: number, body: string, more?: Readonly<Record<string, string>>): Reply {
  return whole(status, "text/plain", `${body}\n`, more);
}

function whole(
  status: number,
  type: string,
  body: string,
  more: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers: { ...headersOf(type), ...more }, body };
}

function headersOf(type: string): Readonly<Record<string, string>> {
  return { ...headers, "content-type": `${type}; charset=utf-8` };
}
