import { Changes } from "./changes.ts";
import { errnoOf } from "./errno.ts";
import { guarded } from "./guarded.ts";

/** Descriptors to look for at a time, as many as are in use: 256 take about a millisecond. */
const MIN_STEP = 32;
const MAX_STEP = 256;
/** Descriptors kept free for files, names, and what is accepted at the same time. */
const MAX_RESERVE = 32;
/** Milliseconds after which to look again for more than was found. */
const AGAIN_MS = 100;
/** Milliseconds with a quarter of the room free after which it is no longer full. */
const RELIEF_MS = 500;

/**
 * How many sockets this process may open: one budget for all that come and go. Those who accept
 * wait for room here, so that the kernel's queue holds the clients that there is no room for.
 *
 * Nothing reveals the limit to a program with few permissions (Linux has it in /proc), and at the
 * limit itself the runtime panics in places and node:net stops accepting (Deno 2.9.6). So it is
 * learnt before it is reached, by opening descriptors and closing them at once: a few hundred at a
 * time, whenever all those that were found are in use. No other code of this thread runs meanwhile,
 * so none meets the limit.
 */
export class DescriptorBudget {
  readonly #find: (wanted: number) => number;
  /** Notified when there may be room again. */
  readonly #freed = new Changes();
  /** Sockets that are open. */
  #open = 0;
  /** Sockets that are known to fit. */
  #fit = 0;
  #reserve = MAX_RESERVE;
  /** When the last look found the limit. */
  #limitFoundAt = -Infinity;
  #isFull = false;
  #relief: ReturnType<typeof setTimeout> | undefined;
  #waiting = 0;
  #again: ReturnType<typeof setInterval> | undefined;
  /** Descriptors that are counted, but could not be opened: the runtime has accepted too many. */
  missing = 0;

  /** Called when there is no more room (`true`), and when there is plenty again (`false`). */
  onChange: ((isFull: boolean) => void) | undefined;

  /** @param find Returns how many descriptors are free, up to `wanted`. */
  constructor(find = freeDescriptors) {
    this.#find = find;
  }

  /** Sockets that are open. */
  get open(): number {
    return this.#open;
  }

  /**
   * Counts a socket that is about to be opened.
   *
   * @param count Descriptors that it will take, with those that are opened for its sake.
   * @returns what to call, once or more, after its close.
   */
  take(count = 1): () => void {
    this.#open += count;
    if (this.#open > this.#fit * 3 / 4) this.#endRelief();
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#open -= count;
      if (this.#open < this.#fit) this.#freed.notify();
      this.#relieve();
    };
  }

  /**
   * Whether there is room for another socket; looks for it if necessary.
   *
   * @param counted Descriptors that are counted, but not yet opened. @default {0}
   */
  hasRoom(counted = 0): boolean {
    if (this.#open >= this.#fit) this.#look(counted);
    const hasRoom = this.#open < this.#fit;
    if (!hasRoom) this.#becomeFull();
    return hasRoom;
  }

  /** Counts a descriptor as {@linkcode take} does, once there is room for it. */
  async takeWhenFree(): Promise<() => void> {
    while (true) {
      const room = this.untilRoom();
      if (room === undefined) return this.take();
      await room;
    }
  }

  /** Resolves when there is room, or the signal aborts; `undefined` means at once. */
  untilRoom(signal?: AbortSignal): Promise<void> | undefined {
    return this.hasRoom() ? undefined : this.#wait(signal);
  }

  /** Whether the next socket may be the last for now, or clients wait already. */
  get isTight(): boolean {
    return this.#isFull || (this.#fit - this.#open < MIN_STEP && this.shortage(0) > 0);
  }

  /**
   * How many descriptors too few are free: half of the reserve is to be.
   *
   * @param counted Descriptors that are counted, but not yet opened.
   */
  shortage(counted: number): number {
    const needed = Math.ceil(this.#reserve / 2) + Math.max(counted, this.missing);
    return needed - this.#find(needed);
  }

  /**
   * Leaves no more descriptors free than there is room for, until the returned function is called:
   * for a runtime that would take them all in its next turn.
   *
   * @param weight Descriptors that each connection will take.
   */
  leaveRoomFor(weight: number): () => void {
    const room = Math.max(1, Math.floor((this.#fit - this.#open) / weight));
    const files = openFiles(room + MAX_STEP);
    const isAll = files.length < room + MAX_STEP;
    for (const file of files.splice(0, isAll ? room : files.length)) file.close();
    return () => {
      for (const file of files.splice(0)) file.close();
    };
  }

  /**
   * Call when opening something failed for lack of a descriptor: too much is open already.
   *
   * @returns whether anything is open that will be closed, so that it is worth another try.
   */
  exhausted(): boolean {
    this.#limitFoundAt = performance.now();
    this.#fit = Math.max(1, Math.min(this.#fit, this.#open - this.#reserve));
    return this.#open > 0;
  }

  async #wait(signal?: AbortSignal): Promise<void> {
    const stop = (): void => this.#freed.notify();
    signal?.addEventListener("abort", stop);
    this.#waiting++;
    // What others have opened and closed is not counted here: look again from time to time.
    this.#again ??= setInterval(stop, AGAIN_MS);
    while (signal?.aborted !== true && !this.hasRoom()) await this.#freed.next;
    if (--this.#waiting === 0) {
      clearInterval(this.#again);
      this.#again = undefined;
    }
    signal?.removeEventListener("abort", stop);
  }

  #look(counted: number): void {
    const now = performance.now();
    if (now - this.#limitFoundAt < AGAIN_MS) return;
    const wanted = MAX_RESERVE + Math.min(MAX_STEP, Math.max(MIN_STEP, this.#open));
    const found = Math.max(0, this.#find(wanted + counted) - counted);
    if (found < wanted) this.#limitFoundAt = now;
    this.#reserve = Math.min(MAX_RESERVE, Math.ceil((this.#open + found) / 4));
    // One at least: with none open, nothing would ever be closed.
    this.#fit = Math.max(1, this.#open + found - this.#reserve);
  }

  /** Reports once that it is full. */
  #becomeFull(): void {
    this.#endRelief();
    if (this.#isFull) return;
    this.#isFull = true;
    if (this.onChange !== undefined) guarded(this.onChange)(true);
  }

  #endRelief(): void {
    clearTimeout(this.#relief);
    this.#relief = undefined;
  }

  /** Reports once that it is no longer full, if it has had plenty of room for a moment. */
  #relieve(): void {
    if (!this.#isFull || this.#relief !== undefined || this.#open > this.#fit * 3 / 4) return;
    this.#relief = setTimeout(() => {
      this.#relief = undefined;
      this.#isFull = false;
      this.onChange?.(false);
    }, RELIEF_MS);
  }
}

/** The budget of this process. */
export const descriptors = new DescriptorBudget();

/** Whether an error says that this process or the system has no more descriptors. */
export function isOutOfDescriptors(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes(errnoOf(error) ?? "");
}

/** How many descriptors are free, up to `wanted`. */
function freeDescriptors(wanted: number): number {
  const files = openFiles(wanted);
  for (const file of files) file.close();
  return files.length;
}

/** Opens as many files as there are descriptors for, up to `wanted`. */
function openFiles(wanted: number): { close(): void }[] {
  const files: { close(): void }[] = [];
  try {
    while (files.length < wanted) files.push(Deno.openSync("/"));
  } catch (error) {
    // Without the permission, or on Windows, the limit stays unknown, as if it were far away.
    while (!isOutOfDescriptors(error) && files.length < wanted) files.push({ close() {} });
  }
  return files;
}
