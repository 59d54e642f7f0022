import { os } from "../../sockets/system.ts";
import type { Output } from "./output.ts";
import { sizeOf } from "./terminal.ts";

// In the executable, a runtime module that is imported statically is loaded at the start of every
// command.
const { Readable, Writable } = await import("node:stream");

/** The keys pressed at the terminal on stdin, as a stream for node:readline. */
export function terminalInput(): NodeJS.ReadStream & Disposable {
  let open = true;
  const input = new Readable({ read() {} });
  const readKeys = async (): Promise<void> => {
    const buffer = new Uint8Array(1_024);
    while (open) {
      const count = await Deno.stdin.read(buffer);
      input.push(count === null ? null : buffer.slice(0, count));
      if (count === null) return;
    }
  };
  readKeys().catch(() => input.push(null)); // the terminal is gone
  return Object.assign(input, {
    isTTY: true,
    setRawMode: setKeys,
    [Symbol.dispose]() {
      open = false;
      setKeys(false);
    },
  }) as unknown as NodeJS.ReadStream & Disposable;
}

/** Sets whether the terminal passes on single keys or whole lines. */
export function setKeys(single: boolean): void {
  try {
    // Without `cbreak`, Ctrl-C and Ctrl-Z would be ordinary keys; Windows has no such mode.
    Deno.stdin.setRaw(single, { cbreak: single && os !== "windows" });
  } catch {
    // The terminal is gone.
  }
}

/** The terminal behind an output, as a stream for node:readline. */
export function terminalOutput(
  output: Output,
  stream: typeof Deno.stdout | typeof Deno.stderr,
): NodeJS.WriteStream & Disposable {
  const writable = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      output.text(String(chunk));
      done();
    },
  });
  const onResize = (): void => void writable.emit("resize");
  const hasResize = os !== "windows";
  if (hasResize) Deno.addSignalListener("SIGWINCH", onResize);
  Object.defineProperties(writable, {
    isTTY: { value: true },
    columns: { get: () => sizeOf(stream).columns },
    rows: { get: () => sizeOf(stream).rows },
    [Symbol.dispose]: {
      value: () => {
        if (hasResize) Deno.removeSignalListener("SIGWINCH", onResize);
      },
    },
  });
  return writable as unknown as NodeJS.WriteStream & Disposable;
}
