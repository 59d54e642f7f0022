import { MAX_DIGITS } from "./rational.ts";

/** Maximum bytes of what is matched: of one reply, or one request. */
export const MAX_MESSAGE = 16 * 1024 * 1024;

export const LF = 0x0a;
export const CR = 0x0d;

/** Bytes that are matched: those that have come, and whether more may come. */
export interface Input {
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
}

/** Whether it depends on the next byte if a line end is at a place. */
export function mayBecomeNewline(at: number, { bytes, isWhole }: Input): boolean {
  return !isWhole && (at === bytes.length || (at === bytes.length - 1 && bytes[at] === CR));
}

/** The bytes of the line end at a place: 0 if there is none. */
export function newlineAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] === LF) return 1;
  return bytes[at] === CR && bytes[at + 1] === LF ? 2 : 0;
}

/** What was found at a place: something that ends at `end`, too little, or something else at `miss`. */
export type Taken =
  | { readonly end: number }
  /** All up to here may belong to it. */
  | { readonly wait: number }
  | { readonly miss: number };

/** Either waits for more, or misses if there is no more. */
const short = (at: number, { isWhole }: Input): Taken => isWhole ? { miss: at } : { wait: at };

/** @param from Where to go on: what precedes is known to be the same. */
export function takeLiteral(literal: Uint8Array, at: number, from: number, input: Input): Taken {
  const { bytes } = input;
  let same = from - at;
  while (same < literal.length && bytes[at + same] === literal[same]) same++;
  if (same === literal.length) return { end: at + same };
  return at + same < bytes.length ? { miss: at + same } : short(at + same, input);
}

/** A line end; nothing, if `isOptional` and there is none. */
export function takeNewline(isOptional: boolean, at: number, input: Input): Taken {
  const size = newlineAt(input.bytes, at);
  if (size > 0) return { end: at + size };
  if (mayBecomeNewline(at, input)) return { wait: at };
  return isOptional ? { end: at } : { miss: at };
}

/** So many bytes, whatever they are. */
export function takeFixed(size: number, at: number, input: Input): Taken {
  if (!(size >= 0 && size <= MAX_MESSAGE)) return { miss: at };
  const { length } = input.bytes;
  return at + size <= length ? { end: at + size } : short(length, input);
}

/** A number, as long as it gets; one of more than {@linkcode MAX_DIGITS} is none. */
export function takeNumber(at: number, from: number, input: Input): Taken {
  const { bytes, isWhole } = input;
  let end = from;
  while (isInNumber(bytes[end]) && end - at <= MAX_DIGITS) end++;
  if (end === bytes.length && !isWhole) return { wait: end };
  const numberEnd = endOfNumber(at, bytes);
  return numberEnd > at && numberEnd - at <= MAX_DIGITS ? { end: numberEnd } : { miss: numberEnd };
}

/** Where the number ends that begins at a place: there, if none begins. */
export function endOfNumber(at: number, bytes: Uint8Array): number {
  const unsigned = isSign(bytes[at]) ? at + 1 : at;
  const whole = endOfDigits(unsigned, bytes);
  const fraction = bytes[whole] === POINT ? endOfDigits(whole + 1, bytes) : whole;
  const mantissa = fraction > whole + 1 ? fraction : whole;
  if (mantissa === unsigned) return at;
  if (bytes[mantissa] !== E && bytes[mantissa] !== UPPER_E) return mantissa;
  const exponent = mantissa + (isSign(bytes[mantissa + 1]) ? 2 : 1);
  const end = endOfDigits(exponent, bytes);
  return end > exponent ? end : mantissa;
}

function endOfDigits(at: number, bytes: Uint8Array): number {
  const limit = at + MAX_DIGITS + 1;
  while (at < limit && isDigit(bytes[at])) at++;
  return at;
}

export const POINT = 0x2e;
const E = 0x65;
const UPPER_E = 0x45;

export const isSign = (byte: number | undefined): boolean => byte === 0x2b || byte === 0x2d;

export const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Whether a byte can be within a number. */
function isInNumber(byte: number | undefined): boolean {
  return isDigit(byte) || isSign(byte) || byte === POINT || byte === E || byte === UPPER_E;
}
