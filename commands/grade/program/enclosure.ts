/** What holds a program and all that it starts, and what it must not do to the machine. */

/** Megabytes of memory that a program may use. */
export const MAX_MEMORY = 2_000;
/** Megabytes that a program may print. */
export const MAX_PRINTED = 10;
/** Processes and threads that a program may run at once. */
export const MAX_PROCESSES = 500;

/** What a program must not do to the machine. */
export const offences = {
  memory: `used more than ${MAX_MEMORY} MB of memory`,
  output: `printed more than ${MAX_PRINTED} MB`,
  left: "left processes running",
};

/** What holds all that a program starts. */
export interface Enclosure {
  /** The command that starts another one inside. */
  wrap(command: readonly string[]): readonly string[];
  /**
   * Ends everything inside; other programs can be started there afterwards.
   *
   * @param own The process groups that were ended already.
   * @returns what the program did that it must not do.
   */
  end(own: ReadonlySet<number>): Promise<readonly string[]>;
  /** Ends everything inside, and removes the enclosure. */
  remove(): Promise<void>;
}
