/** What the tests of a program are given. */
import type { Scenario } from "./clients/scripted_server.ts";
import type { Subject } from "./subjects.ts";

interface Settings {
  readonly subject: Subject;
  /** Random numbers from 0 up to 1. */
  readonly random: () => number;
  /**
   * What the program gets on stdin; for a server, `{port}` in it stands for the port.
   *
   * @default {nothing; for a client, what the lesson's user types}
   */
  readonly input?: string | undefined;
}

export interface ServerSettings extends Settings {
  /** Milliseconds to wait for each answer. */
  readonly timeout: number;
  /** Where a server is already running, in place of a command. */
  readonly target?: { readonly addresses: readonly string[]; readonly port: number } | undefined;
}

export interface ClientSettings extends Settings {
  /** The scenarios in which it waits for its own timeout: they run alongside the others. */
  readonly waiting: readonly Scenario[];
}
