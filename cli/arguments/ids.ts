import { misuse } from "../errors/failure.ts";
import { suggest } from "./suggest.ts";

/** Which ids a flag takes. */
export interface KnownIds {
  readonly known: readonly string[];
  /** What they stand for: `checks`. */
  readonly what: string;
  /** The ids by the sentences that reports show beside them. @default {none} */
  readonly bySentence?: ReadonlyMap<string, string>;
}

/** Reads `ID,...`. @throws {Failure} of kind `USAGE` if one is not known. */
export function readIds(text: string, flag: string, ids: KnownIds): ReadonlySet<string> {
  return new Set(text.split(",").map((id) => readId(id.trim(), flag, ids)));
}

/** Reads an id. @throws {Failure} of kind `USAGE` if it is not known. */
export function readId(id: string, flag: string, { known, what, bySentence }: KnownIds): string {
  if (known.includes(id)) return id;
  const [noun] = what.split(" ");
  const meant = bySentence?.get(id);
  throw misuse(`${flag}: '${id}' is not one of the ${what}`, {
    hint: meant !== undefined
      ? `its id is ${meant}`
      : suggest(id, known) ?? `the ${noun} are ${known.join(", ")}`,
  });
}
