import type { Client } from "../clients/client.ts";
import type { Service } from "../services/service.ts";

/** A service of the lesson with its client. */
export interface LessonRow {
  /** `calc`, as in `calc-server` and `calc-client`. */
  readonly name: string;
  /** The default port of both. */
  readonly port: number;
  /** The port that serve gives it: one of its own that needs no privileges. */
  readonly servePort: number;
  /** What each of the two does, in a few words. */
  readonly summary: { readonly server: string; readonly client: string };
  /** What the demo says of it, where it shows it: what happens, and what there is to learn. */
  readonly scene?: { readonly summary: string; readonly lesson: string };
  /** Loads the server's half. */
  service(): Promise<Service>;
  /** Loads the client's half. */
  client(): Promise<Client>;
  /** A conversation as an example: what is typed after the client's name, what it sends, and the reply. */
  readonly sample: {
    readonly words: readonly string[];
    /** `undefined` where connecting is all. */
    readonly request: string | undefined;
    readonly reply: string | undefined;
  };
}

/** Every service, in the order in which they are taught. */
export type Lesson = readonly LessonRow[];
