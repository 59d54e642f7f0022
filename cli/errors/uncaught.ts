import { type Channels, PATIENCE_MS } from "../output/channels.ts";
import { noticeOf } from "../output/notice.ts";
import { asFailure, BUG_HINT, Failure } from "./failure.ts";
import { printFailure, reportFailure } from "./report_failure.ts";

/** Scopes whose command outlives an error of one of its callbacks. */
let enduring = 0;

/** Lets this process go on after an uncaught error while in scope: a server has other clients. */
export function outliveErrors(): Disposable {
  enduring++;
  return { [Symbol.dispose]: () => void enduring-- };
}

/**
 * Reports each error that nothing has caught, such as one of a timer or a callback, as the bug in
 * netdemo that it is.
 *
 * @param json Whether programs read stdout.
 * @returns the exit code, once such an error has ended the command.
 */
export function watchUncaught(channels: Channels, json: boolean): Promise<number> {
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const notice = noticeOf((message) => {
    printFailure(new Failure("ERROR", message, { hint: BUG_HINT }), channels);
  });
  const report = async (event: Event, error: unknown): Promise<void> => {
    event.preventDefault(); // Deno would print a stack trace and exit
    if (enduring > 0) return notice(asFailure(error).message);
    const exitCode = await reportFailure(error, channels, json);
    await channels.stdout.close(PATIENCE_MS);
    await channels.stderr.close(PATIENCE_MS);
    end(exitCode);
  };
  globalThis.addEventListener("error", (event) => report(event, event.error));
  globalThis.addEventListener("unhandledrejection", (event) => report(event, event.reason));
  return ended;
}
