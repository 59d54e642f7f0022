import { asFailure } from "./errors/failure.ts";
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
} as const;

const pageNames: FlagNames = { port: (port) => `--page-port ${port}` };

/** The values of the flags. */
export interface PageValues {
  readonly page: boolean;
  readonly "page-port": number | undefined;
  readonly json: boolean;
}

/**
 * Opens the page if the flags ask for it; only then is its code loaded.
 *
 * @throws {Failure} of kind `BIND` if its port can't be listened on.
 */
export async function openPageOf<P>(
  { page, "page-port": port }: PageValues,
  open: (port: number) => Promise<P>,
): Promise<P | undefined> {
  if (!page && port === undefined) return undefined;
  try {
    return await open(port ?? 0);
  } catch (error) {
    if (!(error instanceof SocketFailure)) throw error;
    throw asFailure(error, { subject: "the page", names: pageNames });
  }
}

/** Prints the URL of the page. */
export function reportPage(url: string, { json }: PageValues, { stdout }: Channels): void {
  stdout.line(json ? eventLine({ event: "page", url }) : `Page at ${url}`);
}
