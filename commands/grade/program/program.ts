/** The program under test: its process, its port, and what it says on stderr. */
import { Finding, Skipped } from "../../../suite/test.ts";
import { Child, endMarked } from "./child.ts";
import { lastWordsAndLine } from "./last_words.ts";
import type { Container } from "./containment.ts";
import { offences } from "./enclosure.ts";
import { type Ports, untilFree } from "./ports.ts";

/** The environment variable that marks every process of a run. */
export const MARK = "NETDEMO_GRADE";

/** Why a check of the program's process is skipped. */
export const NO_PROCESS = "needs a program that netdemo starts: give its command after --";

/** Where a program is started. */
export interface Place {
  /** Its working folder. */
  readonly folder: string;
  /** What else its command may name: `dir` for `{dir}`. */
  readonly names: Readonly<Record<string, string>>;
}

/** How a program is started. */
export interface ProgramOptions {
  /** The command; `{port}` in it stands for the port. @default {[]} */
  readonly command?: readonly string[] | undefined;
  /** @default {netdemo's working folder} */
  readonly place?: Place | undefined;
  /** What it gets on stdin; `{port}` in it stands for the port. @default nothing */
  readonly input?: string | undefined;
  /** The fixed port that it uses. */
  readonly fixedPort?: number | undefined;
  readonly ports: Ports;
  /** What it runs in. @default {nothing but its process group} */
  readonly container?: Container | undefined;
  /** Called if a closed connection must leave the fixed port before the program can start. */
  readonly onWait?: ((port: number) => void) | undefined;
  /** Marks the environment of all it starts. @default a random one */
  readonly mark?: string | undefined;
  /** Called with what it did that a program must not do to the machine: `left processes running`. */
  readonly onOffence?: ((offence: string) => void) | undefined;
}

/** Starts and stops the program under test. */
export class Program implements AsyncDisposable {
  /** The process that was started last, until it is stopped. */
  child: Child | undefined;
  /** Where the program was told to listen. */
  port = 0;
  /** Whether nothing may be started any more, because the check is over. */
  isCancelled = false;
  /** Whether it uses the same port at each start. */
  readonly keepsPort: boolean;
  /** Whether the program's port is known: it is fixed, or {port} stands for it. */
  readonly takesPort: boolean;
  readonly options: ProgramOptions;
  /** The dot at its end keeps marks from being prefixes of others. */
  readonly #mark: string;
  #saidFrom = 0;

  constructor(options: ProgramOptions) {
    const { command = [], fixedPort, mark = crypto.randomUUID() } = options;
    this.options = options;
    this.takesPort = fixedPort !== undefined || command.some((word) => word.includes("{port}"));
    this.keepsPort = fixedPort !== undefined || !this.takesPort;
    this.#mark = `${mark}.`;
  }

  /** The process groups that it and the runs beside it were ended in. */
  #groups = new Set<number>();
  /** Whether no other run shares its container. */
  #isAlone = true;

  /** Another run of it, beside this one. @param name A word of its own. */
  another(name: string): Program {
    const program = new Program({ ...this.options, mark: this.#mark + name });
    program.#isAlone = false;
    program.#groups = this.#groups;
    return program;
  }

  /**
   * Starts it.
   *
   * @param port Where it is to listen, or to connect to.
   * @param stdin What it gets on stdin. @default {the input of its options}
   * @param kept Bytes to keep of its stdout. @default {65_536}
   * @throws {CannotStart}
   * @throws {Finding} if the check is over, or the folder to start it in is gone.
   */
  start(
    port: number,
    { stdin = this.options.input, kept }: { stdin?: string | undefined; kept?: number } = {},
  ): Child {
    if (this.isCancelled) throw new Finding({ saw: "the check was over" });
    const { command = [], place } = this.options;
    this.port = port;
    this.#saidFrom = 0;
    const names = new Map(Object.entries({ ...place?.names, port: String(port) }));
    // In one pass: the name of a folder may contain {port}.
    const own = command.map((word) =>
      word.replaceAll(/\{(\w+)\}/g, (text, name) => names.get(name) ?? text)
    );
    const env = { PORT: String(port), [MARK]: this.#mark };
    this.child = new Child({
      command: this.options.container?.wrap(own, env) ?? own,
      folder: place?.folder,
      env,
      stdin: stdin?.replaceAll("{port}", String(port)),
      kept,
    });
    this.#groups.add(this.child.pid);
    return this.child;
  }

  /**
   * A port for the next start.
   *
   * @throws {Failure} if none is free.
   */
  async nextPort(): Promise<number> {
    const { fixedPort, ports, onWait } = this.options;
    if (fixedPort === undefined) return ports.take();
    await untilFree(fixedPort, { isOver: () => this.isCancelled, onWait });
    return fixedPort;
  }

  /** Ends it and everything it started. */
  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined) return;
    const endedBefore = child.ended !== undefined;
    await child.stop();
    this.#report(child.offences);
    if (this.#isAlone) await this.#endContainer();
    // A program that moved itself into the background still runs, and may hold the port.
    if (endedBefore) await this.#endMarked();
  }

  /** Makes {@linkcode said} ignore what it has printed so far. */
  listenToStderr(): void {
    this.#saidFrom = this.child?.stderr.size ?? 0;
  }

  /** Its last words on stderr. */
  async said(): Promise<string | undefined> {
    if (this.child === undefined) return undefined;
    if (this.child.ended !== undefined) await this.child.printed();
    return lastWordsAndLine(this.child.stderr.tailFrom(this.#saidFrom));
  }

  /** Whether it has ended with an error. */
  get hasCrashed(): boolean {
    return this.child?.ended?.success === false;
  }

  /** Returns its process, for checks of that. @throws {Skipped} if there is none. */
  process(): Child {
    if (this.child !== undefined) return this.child;
    throw new Skipped(NO_PROCESS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#endMarked();
    await this.#endContainer();
  }

  /** Ends all that it started and that has left its process group. */
  async #endMarked(): Promise<void> {
    const hasLeft = await endMarked(`${MARK}=${this.#mark}`, this.#groups);
    if (hasLeft) this.#report([offences.left]);
  }

  async #endContainer(): Promise<void> {
    this.#report(await this.options.container?.end(this.#groups) ?? []);
  }

  #report(offences: readonly string[]): void {
    for (const offence of offences) this.options.onOffence?.(offence);
  }
}
