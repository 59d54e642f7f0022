import type { Channels } from "../../../cli/output/channels.ts";
import { Failure } from "../../../cli/errors/failure.ts";
import { writeReport } from "../../../cli/output/write_whole.ts";
import type { EventSink, WireEvent } from "../../../ladder/wire.ts";
import { reasonOf } from "../../../sockets/errno.ts";
import { visible } from "../../../text/visible.ts";
import { conversationFile, type FileOptions } from "./conversation_file.ts";
import { KEPT_BYTES } from "../kept.ts";
import type { RelayOptions } from "../relay_engine.ts";
import { Recording } from "./recording.ts";

/** Milliseconds between two writes while connections end, and how many times longer than a write. */
const PAUSE_MS = 250;
const PAUSE_WRITES = 20;

/** Where and how to record. */
export interface RecorderOptions extends FileOptions {
  readonly path: string;
  /** Reports that the file can't be written any more. */
  readonly warn: (line: string) => void;
}

/** Keeps a conversation file up to date with what passes: at each connection's end, and at the end. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #recording: Recording;
  #pause = PAUSE_MS;
  #hasWarned = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @throws {Failure} if the file can't be written. */
  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#recording = new Recording(options.protocol);
    try {
      this.#write();
    } catch (cause) {
      throw new Failure("ERROR", problemOf(options.path, cause), { cause });
    }
  }

  readonly see = (event: WireEvent): void => {
    this.#recording.see(event);
    // Some servers never end their side: what a client that ended has said is whole, too.
    const isOver = event.what === "closed" || event.what === "ended";
    if (isOver) this.#timer ??= setTimeout(() => this.finish(), this.#pause);
  };

  /** Writes what has passed so far. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#write();
    } catch (error) {
      if (!this.#hasWarned) this.#options.warn(problemOf(this.#options.path, error));
      this.#hasWarned = true;
    }
  }

  #write(): void {
    const start = performance.now();
    const conversations = this.#recording.conversations();
    writeReport(this.#options.path, conversationFile(conversations, this.#options));
    this.#pause = Math.max(PAUSE_MS, PAUSE_WRITES * (performance.now() - start));
  }
}

/** Starts to record, if the flags ask for it. @throws {Failure} if the file can't be written. */
export function openRecorder(
  values: { readonly record: string | undefined; readonly fresh: boolean },
  protocol: "tcp" | "udp",
  { stderr }: Channels,
): Recorder | undefined {
  const { record: path, fresh } = values;
  if (path === undefined) return undefined;
  const warn = (line: string): void => stderr.line(`netdemo: ${line}`);
  return new Recorder({ path, fresh, protocol, warn });
}

/** Where events go, and how much of each piece they have: all of it if it is recorded. */
export function withRecorder(
  recorder: Recorder | undefined,
  shown: EventSink | undefined,
): Pick<RelayOptions, "emit" | "keep"> {
  if (recorder === undefined) return { emit: shown };
  return {
    keep: Infinity,
    emit(event) {
      recorder.see(event);
      if (event.what !== "data") shown?.(event);
      else shown?.({ ...event, data: event.data.subarray(0, KEPT_BYTES) });
    },
  };
}

function problemOf(path: string, error: unknown): string {
  return `cannot write the recording to ${visible(path)}: ${reasonOf(error)}`;
}
