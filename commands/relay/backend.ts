import { deadline } from "@std/async/deadline";
import type { InternetEndpoint } from "../../protocol/addresses.ts";
import { firstToAnswer } from "../../sockets/dial.ts";
import { SocketFailure } from "../../sockets/failure.ts";
import { dialResettable } from "../../sockets/node_stream.ts";
import { knownAddresses, lookUp } from "../../sockets/resolve.ts";
import type { Stream } from "../../sockets/stream.ts";

/** Milliseconds to wait for the resolver. */
const RESOLVE_TIMEOUT_MS = 5_000;
/** Milliseconds that the server's addresses get to answer a client. */
const CONNECT_TIMEOUT_MS = 10_000;

/** A connection to the server, and the address that answered. */
export interface BackendConnection {
  readonly stream: Stream;
  readonly endpoint: InternetEndpoint;
}

/** The server that a relay passes on to: its addresses, which are looked up again after failures. */
export class Backend {
  /** The server as it was named. */
  readonly place: InternetEndpoint;
  /** Those that are known now, the one that answered last first. */
  #addresses: readonly string[];
  readonly #lookUp: typeof lookUp;
  #lookingUp: Promise<void> | undefined;

  private constructor(place: InternetEndpoint, look: typeof lookUp) {
    this.place = place;
    this.#lookUp = look;
    this.#addresses = knownAddresses(place.hostname) ?? [];
  }

  /** Looks the server up. It may have no address yet: `failure` then says why. */
  static async find(
    place: InternetEndpoint,
    look = lookUp,
  ): Promise<{ readonly backend: Backend; readonly failure?: SocketFailure }> {
    const backend = new Backend(place, look);
    try {
      if (backend.#addresses.length === 0) await backend.lookUpAgain();
      return { backend };
    } catch (failure) {
      if (!(failure instanceof SocketFailure)) throw failure;
      return { backend, failure };
    }
  }

  /** Where it may answer. */
  get endpoints(): readonly InternetEndpoint[] {
    return this.#addresses.map((hostname) => ({ hostname, port: this.place.port }));
  }

  /**
   * Connects to the first address that answers: each client tries all, and what others have learnt
   * is only their order. If none answers, a name is looked up again, and what is new is tried.
   *
   * @throws {Error} with the errno name as its `code`; the signal's reason if it aborts.
   */
  async connect(signal: AbortSignal): Promise<BackendConnection> {
    const known = this.endpoints;
    let failure: unknown;
    try {
      if (known.length > 0) return await this.#connectTo(known, signal);
    } catch (error) {
      failure = error;
    }
    signal.throwIfAborted();
    const lookingUp = deadline(this.lookUpAgain(), RESOLVE_TIMEOUT_MS, { signal });
    await lookingUp.catch((error: Error) => failure ??= error.cause ?? error);
    signal.throwIfAborted();
    const added = this.endpoints.filter(({ hostname }) =>
      known.every((other) => other.hostname !== hostname)
    );
    if (added.length === 0) throw failure;
    return await this.#connectTo(added, signal);
  }

  /**
   * Looks a name up again; what is known stays if that fails.
   *
   * @throws {SocketFailure} of kind `DNS` or `TIMEOUT`.
   */
  lookUpAgain(): Promise<void> {
    const { hostname } = this.place;
    if (knownAddresses(hostname) !== undefined) return Promise.resolve();
    this.#lookingUp ??= this.#lookUp(hostname, RESOLVE_TIMEOUT_MS).then((found) => {
      this.#addresses = found;
    }).finally(() => this.#lookingUp = undefined);
    return this.#lookingUp;
  }

  async #connectTo(
    endpoints: readonly InternetEndpoint[],
    signal: AbortSignal,
  ): Promise<BackendConnection> {
    const over = new AbortController();
    const noAnswer = Object.assign(new Error("no answer"), { code: "ETIMEDOUT" });
    const timer = setTimeout(() => over.abort(noAnswer), CONNECT_TIMEOUT_MS);
    const stop = (): void => over.abort(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      const { connection, endpoint } = await firstToAnswer(
        endpoints,
        (endpoint, signal) => dialResettable({ ...endpoint, signal, isCounted: true }),
        over,
      );
      this.#prefer(endpoint.hostname);
      return { stream: connection, endpoint };
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  #prefer(hostname: string): void {
    if (this.#addresses[0] === hostname || !this.#addresses.includes(hostname)) return;
    this.#addresses = [hostname, ...this.#addresses.filter((other) => other !== hostname)];
  }
}
