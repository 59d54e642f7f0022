import { levenshteinDistance as untypedDistance } from "@std/text/levenshtein-distance";

const distance = untypedDistance as unknown as (one: string, other: string) => number;

/** Returns `did you mean calc-server?`, if a known word is close enough. */
export function suggest(given: string, known: readonly string[]): string | undefined {
  const word = given.toLowerCase();
  const [closest] = known
    .map((name) => ({ name, distance: distance(word, name) }))
    .filter(({ name, distance }) =>
      distance * 3 <= name.length || begins(word, name) || isSwapped(word, name)
    )
    .sort((one, other) => one.distance - other.distance);
  return closest === undefined ? undefined : `did you mean ${closest.name}?`;
}

/** Whether two letters of a name were typed in the wrong order: `--upd`. */
function isSwapped(word: string, name: string): boolean {
  const swapped = [...word].findIndex((letter, index) => letter !== name[index]);
  const [one = "", other = ""] = word.slice(swapped, swapped + 2);
  return word.slice(0, swapped) + other + one + word.slice(swapped + 2) === name;
}

/** Whether a word is the beginning of a name: `calc` of `calc-server`, but not `--`. */
function begins(word: string, name: string): boolean {
  return /^-*[a-z]{2}/.test(word) && name.startsWith(word);
}
