/** A failure in words for the user. */
export interface Words {
  readonly message: string;
  /** What to do next. */
  readonly hint?: string | undefined;
}

/** How the hints of a command name its flags. */
export interface FlagNames {
  /** The flag for a host or an address, if there is one. */
  readonly host?: string | undefined;
  /** Formats a port as it is typed: `--port 4040`. */
  port(port: number): string;
}

export const usualFlags: FlagNames = { host: "--host", port: (port) => `--port ${port}` };
