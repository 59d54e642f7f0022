/** Runs netdemo like main.ts, with an error that its code does not expect: KIND NETDEMO-ARGS... */
import { runProcess } from "../cli/process.ts";
import { main } from "../main.ts";

const error = new Error("not expected");

/** Throws where nothing can catch it, once the server listens. */
const callbacks: Readonly<Record<string, () => void>> = {
  timeout: () =>
    setTimeout(() => {
      throw error;
    }),
  interval: () => {
    const timer = setInterval(() => {
      clearInterval(timer);
      throw error;
    });
  },
  microtask: () =>
    queueMicrotask(() => {
      throw error;
    }),
  promise: () => void Promise.reject(error),
  event: () => {
    const target = new EventTarget();
    target.addEventListener("x", () => {
      throw error;
    });
    target.dispatchEvent(new Event("x"));
  },
  abort: () => {
    const abort = new AbortController();
    abort.signal.addEventListener("abort", () => {
      throw error;
    });
    abort.abort();
  },
  signal: () => {
    Deno.addSignalListener("SIGUSR1", () => {
      throw error;
    });
    Deno.kill(Deno.pid, "SIGUSR1");
  },
};

const [kind = "", ...args] = Deno.args;
Deno.exit(
  await runProcess((channels) => {
    const line = channels.stdout.line.bind(channels.stdout);
    channels.stdout.line = (text) => {
      line(text);
      if (text.startsWith("Listening")) callbacks[kind]?.();
    };
    if (args[0]?.endsWith("-client")) callbacks[kind]?.();
    return main(args, channels);
  }, args.includes("--json")),
);
