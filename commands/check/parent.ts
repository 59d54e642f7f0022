import { Failure } from "../../cli/errors/failure.ts";
import { os } from "../../sockets/system.ts";

/** Milliseconds between two looks at which process is the parent. */
const EVERY_MS = 250;

/** Watches the parent process, until its scope ends. */
interface ParentWatch extends Disposable {
  /** Rejects with a {@linkcode Failure} of kind `ERROR` once the parent is gone. */
  readonly gone: Promise<never>;
}

/**
 * Watches for the end of the process that is to get this one's exit code: a container runtime
 * kills the shell of a probe that took too long, and leaves the shell's children running.
 *
 * What is printed to a terminal or a file may have been left running on purpose, and goes on.
 */
export function watchParent(): ParentWatch {
  const { promise, reject } = Promise.withResolvers<never>();
  const parent = Deno.ppid;
  const look = async (): Promise<void> => {
    if (Deno.ppid === parent) return;
    clearInterval(timer);
    if (await isStdoutKept()) return;
    reject(
      new Failure("ERROR", "the process that started this check is gone", {
        hint: "to let a check outlive it, have it print to a file",
      }),
    );
  };
  // Not process 1, nor one outside this container (0). Windows keeps the number of one that ended.
  const canEnd = parent > 1 && os !== "windows";
  const timer = canEnd ? setInterval(look, EVERY_MS) : undefined;
  return { gone: promise, [Symbol.dispose]: () => clearInterval(timer) };
}

async function isStdoutKept(): Promise<boolean> {
  const { fstatSync } = await import("node:fs"); // hardly ever needed
  return Deno.stdout.isTerminal() || fstatSync(1).isFile();
}
