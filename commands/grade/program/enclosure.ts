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
