// deno-lint-ignore-file no-console -- it prints the usage of tasks
import { table } from "../../cli/arguments/help.ts";
import { type Flags, type FlagValues, parseCommandLine } from "../../cli/arguments/flags.ts";
import { asksFor } from "../../cli/dispatch.ts";
import { Failure, misuse } from "../../cli/errors/failure.ts";

/** Reads a word of a command line. @throws {Failure} that names it and says what is allowed. */
type Reader<T> = (text: string, name: string) => T;

/** What a task takes. */
interface TaskUsage<F extends Flags, W> {
  /** What follows `deno task`: `soak [DURATION]`. */
  readonly usage: string;
  readonly flags?: F;
  /** How its words are read, one after another. @default {it takes none} */
  readonly words?: readonly Reader<W>[];
  /** How any further words are read. @default {there may be none} */
  readonly moreWords?: Reader<W>;
}

/**
 * Reads the command line of a task. With `--help` it prints the usage and exits with 0; if the
 * line is wrong, it says why and exits with 2.
 */
export function readTaskLine<const F extends Flags, W = string>(
  { usage, flags, words: readers = [], moreWords }: TaskUsage<F, W>,
  args: readonly string[] = Deno.args,
): { readonly flags: FlagValues<F>; readonly words: readonly W[] } {
  if (asksFor(args, "--help", "-h")) {
    const rows = Object.entries(flags ?? {}).map(([name, { value = "", about }]) =>
      [`--${name} ${value}`.trimEnd(), about] as const
    );
    console.log([`usage: deno task ${usage}`, ...table(rows, 100)].join("\n"));
    Deno.exit(0);
  }
  try {
    const line = parseCommandLine(args, flags ?? {} as F);
    const words = line.words.map((word, index) => {
      const read = readers[index] ?? moreWords;
      if (read === undefined) throw misuse(`received '${word}'`);
      return read(word, `argument ${index + 1}`);
    });
    return { flags: line.flags, words };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { message, hint } = error;
    console.error([message, hint ?? [], `usage: deno task ${usage}`].flat().join("\n"));
    Deno.exit(2);
  }
}
