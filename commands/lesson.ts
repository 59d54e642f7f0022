import type { Client } from "../clients/client.ts";
import type { Service } from "../services/service.ts";

/** A service of the lesson with its client. */
export interface LessonRow {
  /** `calc`, as in `calc-server` and `calc-client`. */
  readonly name: string;
  /** The default port of both. */
  readonly port: number;
  /** Its port in serve: a different one for each service, none below 1024. */
  readonly servePort: number;
  /** What each of the two does, in a few words. */
  readonly summary: { readonly server: string; readonly client: string };
  /** What the demo says if it plays it: what happens, and what there is to learn. */
  readonly scene?: SceneWords & {
    /** The same over UDP, where it is another story. */
    readonly datagrams?: SceneWords;
  };
  /** Loads the server's half. */
  service(): Promise<Service>;
  /** Loads the client's half. */
  client(): Promise<Client>;
  /** An example: the words after the client's name, the request that they make, and the reply. */
  readonly sample: {
    readonly words: readonly string[];
    /** `undefined` if the client only connects. */
    readonly request: string | undefined;
    readonly reply: string | undefined;
  };
}

/** What a scene of the demo is headed with. */
export interface SceneWords {
  /** What it shows, in a few words. */
  readonly summary: string;
  /** What it teaches, in two or three sentences. */
  readonly lesson: string;
}

/** Every service, in the order of the lesson. */
export type Lesson = readonly LessonRow[];
