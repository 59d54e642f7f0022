import { outliveErrors } from "./errors/uncaught.ts";
import { descriptors } from "../sockets/descriptors.ts";
import type { Output } from "./output/output.ts";
import { writePortFile } from "./output/port_file.ts";
import type { Channels } from "./output/channels.ts";
import { watchStopSignals } from "./signals.ts";
import { counted } from "../text/counted.ts";

/** Milliseconds after which a pending stop reports what it is waiting for. */
const AWAITED_MS = 200;

/** Servers that listen: one, or several that are stopped as one. */
export interface Running extends AsyncDisposable {
  /** Resolves once all have stopped and every connection has ended. */
  readonly finished: Promise<void>;
  /** Connections that are open. */
  readonly open?: number;
}

/** How servers are started, and what is notified as they start and stop. */
export interface ServerRun<R extends Running> {
  /** Starts them; they stop when the signal aborts. */
  start(signal: AbortSignal): Promise<R>;
  /** What the port file holds while they listen. */
  portFile(running: R): string;
  listening(running: R): void;
  /** Called once they have stopped, because of a signal, `once` or `max-time`. */
  stopped(why: string): void;
}

/**
 * Runs servers until a signal, their own end or `--max-time` stops them.
 *
 * @returns the exit code.
 */
export async function runUntilStopped<R extends Running>(
  run: ServerRun<R>,
  values: {
    readonly "max-time": number | undefined;
    readonly "port-file": string | undefined;
  },
  { stdout, stderr }: Channels,
): Promise<number> {
  // Signals come first: at the limit of open files, Deno can no longer register them.
  using signals = watchStopSignals();
  using _errors = outliveErrors();
  using _full = reportFull(stderr);
  const { "max-time": maxTime, "port-file": portFile } = values;
  const timeUp = maxTime === undefined ? undefined : AbortSignal.timeout(maxTime);
  const signal = timeUp === undefined ? signals.first : AbortSignal.any([signals.first, timeUp]);

  await using running = await run.start(signal);
  using written = portFile === undefined
    ? undefined
    : writePortFile(portFile, run.portFile(running));
  // Windows may end this process before its connections have ended.
  signal.addEventListener("abort", () => written?.[Symbol.dispose]());
  run.listening(running);

  using _awaited = reportAwaited(signal, running, stderr);
  const forced = await Promise.race([running.finished, signals.second]);
  if (forced !== undefined) await running[Symbol.asyncDispose]();
  const why = signals.first.aborted ? signals.first.reason : timeUp?.aborted ? "max-time" : "once";
  run.stopped(why);
  if (stdout.dropped > 0) {
    stderr.line(`netdemo: ${counted(stdout.dropped, "line")} could not be written to stdout`);
  }
  return forced ?? 0;
}

/** Reports when there are no descriptors for more connections, and when there are again. */
function reportFull(stderr: Output): Disposable {
  descriptors.onChange = (isFull) =>
    stderr.line(
      isFull
        ? "netdemo: no more sockets may be opened: new connections wait until others end"
        : "netdemo: new connections are accepted again",
    );
  return {
    [Symbol.dispose]() {
      descriptors.onChange = undefined;
    },
  };
}

/** Reports what a stop is waiting for, if it takes longer than a moment. */
function reportAwaited(signal: AbortSignal, running: Running, stderr: Output): Disposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (): void => {
    timer = setTimeout(() => {
      const { open = 0 } = running;
      if (open === 0) return;
      const connections = `${counted(open, "connection")} ${open === 1 ? "is" : "are"}`;
      stderr.line(`Stopping; ${connections} still open. Press Ctrl-C again to end at once.`);
    }, AWAITED_MS);
  };
  if (signal.aborted) wait();
  else signal.addEventListener("abort", wait);
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener("abort", wait);
    },
  };
}
