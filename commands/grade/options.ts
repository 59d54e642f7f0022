import type { FlagValues } from "../../cli/arguments/flags.ts";
import type { reportFlags } from "../../cli/reports/open_report.ts";
import type { Level, Subject } from "./subjects.ts";

/** What the command line asks for. */
export interface GradeOptions extends FlagValues<typeof reportFlags> {
  readonly subject: Subject;
  readonly target: string | undefined;
  readonly command: readonly string[] | undefined;
  readonly level: Level;
  /** Ids of the checks to run; those that they need run, too. @default all */
  readonly only: ReadonlySet<string> | undefined;
  /** Ids of the checks not to run. @default none */
  readonly skip: ReadonlySet<string> | undefined;
  readonly port: number | undefined;
  readonly input: string | undefined;
  readonly timeout: number;
  readonly maxTime: number;
  readonly seed: number | undefined;
  /** Whom the program runs as. @default netdemo's own user */
  readonly runAs: string | undefined;
  readonly gradescope: string | undefined;
  readonly mayBreak: boolean;
}
