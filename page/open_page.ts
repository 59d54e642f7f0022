import type { Protocol } from "../protocol/addresses.ts";
import { SocketFailure } from "../sockets/failure.ts";
import { bindTcp, type TcpListener } from "../sockets/listen.ts";
import { documentOf, type PageWords } from "./document.ts";
import { eventsOf } from "./events.ts";
import { HttpServer } from "./http_server.ts";
import { EventLog } from "./log.ts";
import { pictureOf } from "./picture.ts";
import { PageRoutes } from "./routes.ts";
import { SocketWatch } from "./socket_watch.ts";
import { WireWatch } from "./wire_watch.ts";

/** The page is only for this machine. */
const HOSTNAME = "127.0.0.1";
/** Milliseconds that viewers have to receive the news that the server has stopped. */
const GOODBYE_MS = 500;
/** Milliseconds that a request may take to arrive, and 64 KiB of an answer to be read. */
const PATIENCE_MS = 10_000;

/** How a page is opened. */
export interface PageOptions {
  /** The port on loopback; 0 takes any free one. */
  readonly port: number;
  /** The program being watched: `calc-server`. */
  readonly title: string;
  /** Host names, in lower case, by which it may be requested besides its own. @default {[]} */
  readonly hosts?: readonly string[] | undefined;
  /** Says how to allow another host name. */
  readonly hostHint?: ((name: string) => string) | undefined;
  /** Milliseconds that a request, or the reading of 64 KiB, may take. @default {10_000} */
  readonly patience?: number | undefined;
}

/** A page being served, until its scope ends. */
export interface Page<Watch> extends AsyncDisposable {
  readonly url: string;
  /** What shows it the program's events. */
  readonly watch: Watch;
  /** Returns the number of viewers now. */
  viewers(): number;
  /** Sets the texts around the ladders, once they are known. */
  describe(words: Omit<PageWords, "title">): void;
  /** Tells viewers that the program has stopped. */
  stopped(why: string): void;
}

/**
 * Opens a page that shows what servers do with their sockets.
 *
 * @throws {SocketFailure} of kind `BIND` if the port can't be listened on.
 */
export function openServerPage(options: PageOptions): Page<SocketWatch> {
  const log = new EventLog();
  return open(options, log, new SocketWatch(log));
}

/** Opens a page that shows what a relay passes on. @throws as {@linkcode openServerPage} does. */
export function openRelayPage(options: PageOptions, protocol: Protocol): Page<WireWatch> {
  const log = new EventLog();
  return open(options, log, new WireWatch(log, protocol));
}

function open<Watch extends Disposable>(
  { port, title, hosts = [], hostHint, patience = PATIENCE_MS }: PageOptions,
  log: EventLog,
  watch: Watch,
): Page<Watch> {
  using opening = new DisposableStack();
  opening.use(watch);
  const listener = listen(port);
  let words: PageWords = { title, where: "", hint: "", tries: [] };
  const run = crypto.randomUUID();
  const routes = new PageRoutes({ port: listener.addr.port, hosts, hostHint }, {
    document: () => documentOf(words, log),
    events: (lastId, gone) => eventsOf(log, run, lastId, gone),
    picture(id) {
      const ladder = log.ladder(id);
      return ladder && pictureOf(ladder, title);
    },
  });
  const server = new HttpServer(listener, routes, patience);
  const opened = opening.move();
  return {
    url: `http://${HOSTNAME}:${listener.addr.port}/`,
    watch,
    viewers: () => routes.viewers.taken,
    describe: (more) => words = { title, ...more },
    stopped: (why) => log.stop(why),
    async [Symbol.asyncDispose]() {
      opened.dispose();
      if (log.stopped === undefined) log.stop("stopped");
      await server.close(GOODBYE_MS);
    },
  };
}

function listen(port: number): TcpListener {
  const endpoint = { hostname: HOSTNAME, port };
  try {
    return bindTcp(endpoint);
  } catch (cause) {
    throw new SocketFailure("BIND", { phase: "listen", endpoint }, cause);
  }
}
