import { openServerPage, type Page } from "../../page/open_page.ts";
import type { NumberedRung } from "../../page/kept_rung.ts";
import type { ConnectionView } from "../../page/log.ts";
import { service as calc } from "../../services/calc.ts";
import { service as lab } from "../../services/lab.ts";
import { service as message } from "../../services/message.ts";
import { startServer } from "../../services/server/start.ts";

const services = { calc, lab, message };

/** A server in this process with its page. */
export interface WatchedServer extends AsyncDisposable {
  readonly page: Page<unknown>;
  /** The server's port on 127.0.0.1. */
  readonly port: number;
  /** The page's port. */
  readonly pagePort: number;
  /** Stops the server, with the reason shown on the page. */
  stop(why: string): Promise<void>;
}

/** Starts a server with its page, both on loopback. */
export async function startWatched(
  options: {
    readonly service?: keyof typeof services;
    readonly protocol?: "tcp" | "udp";
    readonly pagePort?: number;
    readonly patience?: number;
    readonly hosts?: readonly string[];
  } = {},
): Promise<WatchedServer> {
  const { service = "calc", protocol = "tcp", pagePort = 0, patience, hosts } = options;
  const page = openServerPage({ port: pagePort, title: `${service}-server`, patience, hosts });
  const server = await startServer(
    services[service],
    { protocol, addresses: ["127.0.0.1"], port: 0 },
    {
      trace: page.watch.trace,
      grace: 0,
      events: { closed: ({ remote, local }, reason) => page.watch.ended(remote, local, reason) },
    },
  );
  const port = server.port ?? 0;
  const line = `netdemo ${service}-client localhost:${port}`;
  page.describe({ where: `127.0.0.1:${port}`, hint: "Type in another terminal:", tries: [line] });
  return {
    page,
    port,
    pagePort: Number(new URL(page.url).port),
    async stop(why) {
      await server[Symbol.asyncDispose]();
      page.stopped(why);
      await page[Symbol.asyncDispose]();
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await page[Symbol.asyncDispose]();
    },
  };
}

/** A message from the server to a viewer. */
export interface Message {
  readonly run: string;
  readonly isReset: boolean;
  readonly total: number;
  readonly connections: readonly ConnectionView[];
  readonly kept?: readonly number[];
  readonly rungs: readonly NumberedRung[];
  readonly stopped?: string;
}

/** A viewer without a browser, disconnected with its scope. */
export class PageViewer implements AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  readonly messages: Message[] = [];
  lastId = "";
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  private constructor({ status, headers, body }: Response) {
    this.status = status;
    this.headers = headers;
    this.#reader = (body ?? new ReadableStream()).getReader();
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<PageViewer> {
    return new PageViewer(await fetch(`${url}events`, { headers }));
  }

  /** Every rung received, in order. */
  get rungs(): NumberedRung[] {
    return this.messages.flatMap(({ rungs }) => rungs);
  }

  /** The connections, each as last received. */
  get connections(): Map<number, ConnectionView> {
    return new Map(
      this.messages.flatMap(({ connections }) => connections).map((view) => [view.id, view]),
    );
  }

  /** Reads until the condition holds. @throws {Error} if the stream ends first, or after ten seconds. */
  async until(holds: (viewer: PageViewer) => boolean): Promise<void> {
    const timer = setTimeout(() => this.#reader.cancel("ten seconds have passed"), 10_000);
    try {
      while (!holds(this)) {
        if (!await this.#read()) {
          throw new Error(
            `the stream ended before ${holds}: ${
              JSON.stringify(this.messages.at(-1))?.slice(0, 300)
            }`,
          );
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads until the stream ends. */
  async end(): Promise<void> {
    while (await this.#read());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<boolean> {
    const { value, done } = await this.#reader.read();
    this.#text += this.#decoder.decode(value, { stream: !done });
    const blocks = this.#text.split("\n\n");
    this.#text = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, id] = /^id: (.*)$/m.exec(block) ?? [];
      const [, data] = /^data: (.*)$/m.exec(block) ?? [];
      if (id !== undefined) this.lastId = id;
      if (data !== undefined) this.messages.push(JSON.parse(data));
    }
    return !done;
  }
}
