import script from "./browser/page.js" with { type: "text" };
import elements from "./browser/elements.js" with { type: "text" };
import styles from "./browser/page.css" with { type: "text" };
import icon from "./browser/icon.svg" with { type: "text" };
import type { HttpHandler, Reply } from "./http_connection.ts";
import type { HttpRequest } from "./http_request.ts";

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
  // Neither kept nor compressed, which would hold events back.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
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
  /** Draws the ladder of a connection as SVG; `undefined` if there is none of that id. */
  picture(id: number): string | undefined;
}

/** Where a connection's picture is. */
const PICTURE = /^\/connection-(\d{1,15})\.svg$/;

/** The names by which the page may be requested. */
export interface PageNames {
  /** The page's port, which is part of its own names. */
  readonly port: number;
  /** Further names, in lower case, with any port or none: that of a forwarder. */
  readonly hosts: readonly string[];
  /** Says how to allow another. */
  readonly hostHint?: ((name: string) => string) | undefined;
}

/** A limited number of places, such as those of viewers. */
class Places {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place until its scope ends; `undefined` if there is none. */
  take(): Disposable | undefined {
    if (this.#taken === this.#max) return undefined;
    this.#taken++;
    return { [Symbol.dispose]: () => void this.#taken-- };
  }
}

/** The page's answers to requests. */
export class PageRoutes implements HttpHandler {
  readonly viewers = new Places(MAX_VIEWERS);
  readonly #documents = new Places(MAX_DOCUMENTS);
  readonly #names: PageNames;
  readonly #content: PageContent;

  constructor(names: PageNames, content: PageContent) {
    this.#names = names;
    this.#content = content;
  }

  answer(request: HttpRequest): Reply {
    const { method, path, headers } = request;
    const host = headers.get("host")?.toLowerCase() ?? "";
    if (!isOneOf(host, this.#names)) return text(421, refusalOf(host, this.#names));
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
    const [type, body] = this.#fileAt(path) ?? [];
    if (type === undefined || body === undefined) return text(404, "Page not found.");
    return whole(200, type, body);
  }

  #fileAt(path: string): readonly [type: string, text: string] | undefined {
    const [, id] = PICTURE.exec(path) ?? [];
    if (id === undefined) return Object.hasOwn(files, path) ? files[path] : undefined;
    const picture = this.#content.picture(Number(id));
    return picture === undefined ? undefined : ["image/svg+xml", picture];
  }

  refuse(status: 400 | 431): Reply {
    return text(status, status === 400 ? "This is not an HTTP request." : "The head is too long.");
  }
}

/** Whether a request was meant for this server, by one of its names. */
function isOneOf(host: string, { port, hosts }: PageNames): boolean {
  return ownNames.some((name) => host === `${name}:${port}` || (port === 80 && host === name)) ||
    hosts.includes(host.replace(/:\d+$/, ""));
}

/** Says why a request is refused; a host that could not be a forwarder's gets no hint. */
function refusalOf(host: string, { hostHint }: PageNames): string {
  const [, name] = /^([\w.-]{1,253})(?::\d+)?$/.exec(host) ?? [];
  if (name === undefined) return "This page is not served under that host name.";
  const hint = hostHint?.(name);
  return `This page is not served under the host name ${name}.${hint ? ` ${hint}` : ""}`;
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
