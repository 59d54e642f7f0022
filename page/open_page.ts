import type { Endpoint, Protocol } from "../protocol/addresses.ts";
import type { Trace } from "../sockets/socket_events.ts";
import { documentOf, type PageWords } from "./document.ts";
import { Documents } from "./documents.ts";
import { EventLog } from "./log.ts";
import { servePage } from "./server.ts";
import { Viewers } from "./viewers.ts";
import { type SeeWire, SocketWatch, WireWatch } from "./watch.ts";

/** Milliseconds that viewers have to receive the news that the server has stopped. */
const GOODBYE_MS = 500;
/** Milliseconds that a viewer may take to read what it was sent. */
const PATIENCE_MS = 10_000;

/** How a page is opened. */
export interface PageOptions {
  /** The port on loopback; 0 takes any free one. */
  readonly port: number;
  /** The program being watched: `calc-server`. */
  readonly title: string;
  /** Milliseconds that a viewer may take to read what it was sent. @default {10_000} */
  readonly patience?: number | undefined;
}

/** A page being served, until its scope ends. */
export interface Page extends AsyncDisposable {
  readonly url: string;
  /** Returns the number of viewers now. */
  viewers(): number;
  /** Sets the texts around the ladders, once they are known. */
  describe(words: Omit<PageWords, "title">): void;
  /** Tells viewers that the program has stopped. */
  stopped(why: string): void;
}

/** The page of servers. */
export interface ServerPage extends Page {
  /** The trace to pass to the servers. */
  readonly trace: Trace;
  /** Reports why a server ended a connection. */
  ended(remote: Endpoint, local: Endpoint, reason: string): void;
}

/** The page of a relay. */
export interface RelayPage extends Page {
  /** The function to pass to the relay. */
  readonly see: SeeWire;
}

/**
 * Opens a page that shows what servers do with their sockets.
 *
 * @throws {SocketFailure} of kind `BIND` if the port can't be listened on.
 */
export function openServerPage(options: PageOptions): ServerPage {
  const log = new EventLog();
  const watch = new SocketWatch(log);
  return {
    ...open(options, log, watch),
    trace: watch.trace,
    ended: (remote, local, reason) => watch.ended(remote, local, reason),
  };
}

/**
 * Opens a page that shows what a relay passes on.
 *
 * @throws {SocketFailure} of kind `BIND` if the port can't be listened on.
 */
export function openRelayPage(options: PageOptions, protocol: Protocol): RelayPage {
  const log = new EventLog();
  const watch = new WireWatch(log, protocol);
  return { ...open(options, log, watch), see: watch.see };
}

function open(
  { port, title, patience = PATIENCE_MS }: PageOptions,
  log: EventLog,
  watch: Disposable,
): Page {
  using stack = new DisposableStack();
  stack.use(watch);
  let words: PageWords = { title, where: "", hint: "", tries: [] };
  const viewers = new Viewers(log, patience);
  const documents = new Documents(patience);
  const server = servePage(port, {
    document: () => documents.open(documentOf(words, log)),
    events: (lastId) => viewers.open(lastId),
  });
  const opened = stack.move();
  return {
    url: `http://127.0.0.1:${server.port}/`,
    viewers: () => viewers.count,
    describe: (more) => words = { title, ...more },
    stopped: (why) => log.stop(why),
    async [Symbol.asyncDispose]() {
      opened.dispose();
      if (log.stopped === undefined) log.stop("stopped");
      await server.close(GOODBYE_MS);
    },
  };
}
