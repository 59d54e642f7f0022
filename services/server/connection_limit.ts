/** How many connections have come and are open, and how many may be. */
export class ConnectionLimit {
  #accepted = 0;
  #open = 0;
  #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#open;
  }

  get full(): boolean {
    return this.#open >= this.#limit;
  }

  /** Counts one that has come; gives its number, from 1. */
  accept(): number {
    return ++this.#accepted;
  }

  /** Counts one as open; `false` if there are as many as may be. */
  enter(): boolean {
    if (this.full) return false;
    this.#open++;
    return true;
  }

  leave(): void {
    this.#open--;
  }

  /** Allows no more than so many from now on. */
  lowerTo(limit: number): void {
    this.#limit = Math.min(this.#limit, limit);
  }
}
