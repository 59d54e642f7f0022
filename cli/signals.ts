import { delay } from "@std/async/delay";
import { os } from "../sockets/system.ts";

/**
 * The signals that stop a server, with their numbers; SIGHUP is sent when the terminal is closed.
 * Windows has Ctrl-Break as well, and ends a process 5 s after its console was closed.
 */
const stopSignals: Partial<Record<Deno.Signal, number>> = {
  ...{ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 },
  ...(os === "windows" && { SIGBREAK: 21 }),
};

/**
 * Milliseconds within which signals count as one: Ctrl-C goes to all programs of
 * a terminal, and a launcher such as `deno task` forwards it again.
 */
const SAME_SIGNAL_MS = 50;

/** Most milliseconds that a terminal which takes nothing holds up a stop. */
const TERMINAL_MS = 50;

/** Watches that are in scope. */
let watches = 0;

/** Watches for the signals that stop a server, until its scope ends. */
export interface StopSignals extends Disposable {
  /**
   * Aborts at the first signal, with its name as the reason. At a terminal, which shows `^C` where
   * the cursor is, what is printed afterwards begins on a line of its own.
   */
  readonly first: AbortSignal;
  /** Resolves at the second signal, with the exit code 128 + n. */
  readonly second: Promise<number>;
}

/** Returns the exit code after a signal, as in shells: 128 plus its number. */
export function exitCodeOf(signal: unknown): number {
  return 128 + (stopSignals[signal as Deno.Signal] ?? 0);
}

/** Starts watching. Call it before a server listens: without free descriptors, Deno can't. */
export function watchStopSignals(): StopSignals {
  watches++;
  const first = new AbortController();
  const second = Promise.withResolvers<number>();
  let firstAt = 0;
  const handlers = Object.entries(stopSignals).map(([name, number]) => {
    const handler = (): void => {
      if (firstAt === 0) {
        firstAt = performance.now();
        leaveLine(name).then(() => first.abort(name));
      } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
        second.resolve(128 + number);
      }
    };
    Deno.addSignalListener(name as Deno.Signal, handler);
    return { name: name as Deno.Signal, handler };
  });
  return {
    first: first.signal,
    second: second.promise,
    [Symbol.dispose]() {
      watches--;
      for (const { name, handler } of handlers) Deno.removeSignalListener(name, handler);
    },
  };
}

/** After Ctrl-C, moves the cursor of a terminal to a new line. */
async function leaveLine(signal: string): Promise<void> {
  const terminal = [Deno.stderr, Deno.stdout].find((output) => output.isTerminal());
  if (signal !== "SIGINT" || terminal === undefined) return;
  const written = terminal.write(new TextEncoder().encode("\n")).catch(() => {});
  await Promise.race([written, delay(TERMINAL_MS)]);
}

/**
 * Resolves with 128 + n at a signal that no command watches for, if this is process 1, as in a
 * container: the system has no default action for its signals (kill(2)), and Deno 2.9.6 crashes.
 * Any other process dies of the signal, which tells a shell more than an exit code does.
 */
export function endOfFirstProcess(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  if (Deno.pid !== 1 || os === "windows") return promise;
  for (const [name, number] of Object.entries(stopSignals)) {
    Deno.addSignalListener(name as Deno.Signal, () => {
      if (watches === 0) resolve(128 + number);
    });
  }
  return promise;
}
