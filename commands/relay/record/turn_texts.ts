import type { Turn } from "./recording.ts";

/** Turns as text. */
export interface TurnTexts {
  /** The size of the length, in network order, that all turns begin with; 0 if they don't. */
  readonly prefix: number;
  /** Without that length; `undefined` where a turn is not text. */
  readonly texts: readonly (string | undefined)[];
}

export function textsOf(turns: readonly Turn[]): TurnTexts {
  const prefix = lengthPrefixOf(turns);
  return { prefix, texts: turns.map(({ bytes }) => textOf(bytes.subarray(prefix))) };
}

/** The text of bytes; `undefined` if they are not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function lengthPrefixOf(turns: readonly Turn[]): number {
  const said = turns.filter(({ bytes }) => bytes.length > 0);
  if (said.length < 2) return 0;
  return [4, 2, 1].find((size) =>
    said.every(({ bytes }) => {
      const length = bytes.subarray(0, size).reduce((sum, byte) => sum * 256 + byte, 0);
      return bytes.length > size && length === bytes.length - size;
    })
  ) ?? 0;
}
