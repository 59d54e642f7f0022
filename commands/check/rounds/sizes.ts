import { misuse } from "../../../cli/errors/failure.ts";

/** Request sizes in bytes, line end included. */
export interface Sizes {
  readonly least: number;
  readonly most: number;
}

/** Bytes of the largest request that a server takes by default, line end included. */
const MAX_SIZE = 65_537;

/** Reads `A..B`. @throws {Failure} of kind `USAGE`. */
export function readSizes(text: string, flag: string): Sizes {
  const [, from = "", to = ""] = /^(\d{1,6})\.\.(\d{1,6})$/.exec(text) ?? [];
  const [least, most] = [Number(from || NaN), Number(to || NaN)];
  if (least >= 1 && least <= most && most <= MAX_SIZE) return { least, most };
  throw misuse(
    `${flag} must be A..B, bytes from 1 to ${MAX_SIZE}, A at most B: received '${text}'`,
    { hint: `for example ${flag} 100..9000` },
  );
}

/** Where requests stop passing. */
export interface Limit<Try> {
  /** Bytes of the largest request that passed; `undefined` if none did. */
  readonly passedSize: number | undefined;
  /** Bytes of the smallest request that did not pass; `undefined` if all did. */
  readonly failedSize: number | undefined;
  /** The try that shows it: the smallest that failed, otherwise the largest that passed. */
  readonly shown: Try;
}

/**
 * Finds the largest size that passes: doubles the size until one does not,
 * then bisects.
 *
 * A size that passes costs a round trip; one that does not, a whole timeout.
 */
export async function findLimit<Try>(
  { least, most }: Sizes,
  attempt: (size: number) => Promise<Try>,
  passes: (tried: Try) => boolean,
): Promise<Limit<Try>> {
  let passedSize: number | undefined;
  let size = least;
  let shown = await attempt(size);
  while (passes(shown)) {
    passedSize = size;
    if (size === most) return { passedSize, failedSize: undefined, shown };
    size = Math.min(size * 2, most);
    shown = await attempt(size);
  }
  let failedSize = size;
  while (passedSize !== undefined && failedSize - passedSize > 1) {
    const middle = Math.floor((passedSize + failedSize) / 2);
    const tried = await attempt(middle);
    if (passes(tried)) passedSize = middle;
    else [failedSize, shown] = [middle, tried];
  }
  return { passedSize, failedSize, shown };
}
