import { asFailure, misuse } from "./errors/failure.ts";
import type { FlagNames } from "./errors/words.ts";
import { readNumber } from "./arguments/flags.ts";
import { type Channels, eventLine } from "./output/channels.ts";
import { SocketFailure } from "../sockets/failure.ts";

/** The flags of every command that has a page. */
export const pageFlags = {
  page: { about: "show the ladder of every connection live in a browser on this machine" },
  "page-port": {
    value: "N",
    about: "port of the page; implies --page (default: any free one)",
    read: readNumber(0, 65_535),
  },
  "page-host": {
    value: "NAME",
    about: "serve the page under this host name too, behind a forwarder; implies --page",
    repeats: true,
    read: readPageHost,
  },
} as const;

/** The characters of host names; an underscore is not one, but appears in them. */
const HOST_NAME = /^[\w.-]{1,253}$/;

const pageNames: FlagNames = { port: (port) => `--page-port ${port}` };

/** The values of the flags. */
export interface PageValues {
  readonly page: boolean;
  readonly "page-port": number | undefined;
  readonly "page-host": readonly string[];
  readonly json: boolean;
}

/** Where a page is, and the names by which it may be requested besides its own. */
export interface PagePlace {
  readonly port: number;
  readonly hosts: readonly string[];
  /** Says how to allow a host name. */
  hostHint(name: string): string;
}

/**
 * Opens the page if the flags ask for it; only then is its code loaded.
 *
 * @throws {Failure} of kind `BIND` if its port can't be listened on.
 */
export async function openPageOf<P>(
  { page, "page-port": port, "page-host": hosts }: PageValues,
  open: (place: PagePlace) => Promise<P>,
): Promise<P | undefined> {
  if (!page && port === undefined && hosts.length === 0) return undefined;
  try {
    return await open({ port: port ?? 0, hosts, hostHint });
  } catch (error) {
    if (!(error instanceof SocketFailure)) throw error;
    throw asFailure(error, { subject: "the page", names: pageNames });
  }
}

/** Prints the URL of the page. */
export function reportPage(url: string, { json }: PageValues, { stdout }: Channels): void {
  stdout.line(json ? eventLine({ event: "page", url }) : `Page at ${url}`);
}

function hostHint(name: string): string {
  return `To allow it, start netdemo with --page-host ${name}`;
}

/** Reads a host name as browsers send it: without the scheme and the port, in lower case. */
function readPageHost(text: string, flag: string): string {
  if (HOST_NAME.test(text)) return text.toLowerCase();
  const [, name = "codespace-4100.app.github.dev"] = /^(?:https?:\/\/)?([\w.-]+)/i.exec(text) ?? [];
  throw misuse(`${flag} must be a host name alone: received '${text}'`, {
    hint: `for example: ${flag} ${name}`,
  });
}
