import type { Channels } from "../../../cli/output/channels.ts";
import { Failure, misuse } from "../../../cli/errors/failure.ts";
import { fileFailure } from "../../../cli/errors/file_failure.ts";
import { writeReport } from "../../../cli/output/write_whole.ts";
import type { EventSink, WireEvent } from "../../../ladder/wire.ts";
import { errnoOf } from "../../../sockets/errno.ts";
import { KEPT_BYTES } from "../../../sockets/socket_events.ts";
import { visible } from "../../../text/visible.ts";
import { conversationFile, type FileOptions, NOTHING_SAID } from "./conversation_file.ts";
import type { RelayOptions } from "../relay_engine.ts";
import { Recording } from "./recording.ts";

/** Milliseconds between two writes, and how many times longer than a write. */
const PAUSE_MS = 250;
const PAUSE_WRITES = 20;

const ACTION = "write the recording to";
const HINT = "choose a --record file in a folder that exists and can be written to";

/** Where and how to record. */
export interface RecorderOptions extends FileOptions {
  readonly path: string;
  /** Reports that the file can't be written any more. */
  readonly warn: (line: string) => void;
}

/**
 * Keeps a conversation file up to date with what passes: at each connection's end, over UDP with
 * each datagram, and at the end. The file is whole at any time.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #recording: Recording;
  #pause = PAUSE_MS;
  #hasWarned = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @throws {Failure} if the file can't be written, or holds what may have been edited. */
  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#recording = new Recording(options.protocol);
    try {
      refuseToReplace(options.path);
      this.#write();
    } catch (cause) {
      throw cause instanceof Failure ? cause : fileFailure(ACTION, options.path, cause, HINT);
    }
  }

  readonly see = (event: WireEvent): void => {
    this.#recording.see(event);
    // Some servers never end their side: what a client that ended has said is whole, too.
    const { what } = event;
    const isWhole = what === "closed" || what === "ended" ||
      (this.#options.protocol === "udp" && what === "data");
    if (isWhole) this.#timer ??= setTimeout(() => this.finish(), this.#pause);
  };

  /** Writes what has passed so far. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#write();
    } catch (error) {
      const { warn, path } = this.#options;
      if (!this.#hasWarned) warn(fileFailure(ACTION, path, error, HINT).message);
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

/**
 * A recording is edited by hand, so that one with something in it is not written over.
 *
 * @throws {Failure} of kind `USAGE`
 */
function refuseToReplace(path: string): void {
  const { isFile, size } = infoOf(path);
  if (!isFile || size === 0) return;
  if (size === NOTHING_SAID.length && Deno.readTextFileSync(path) === NOTHING_SAID) return;
  throw misuse(`--record: '${visible(path)}' exists already`, {
    hint: "name another file, or remove it",
  });
}

/** What is at a path: no file, if nothing is. */
function infoOf(path: string): Pick<Deno.FileInfo, "isFile" | "size"> {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return { isFile: false, size: 0 };
    throw error;
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
  const warn = (line: string): void => stderr.line(`netdemo: ${visible(line)}`);
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
