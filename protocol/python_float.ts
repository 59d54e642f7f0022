/** Bits of a double's significand, the implied leading one included (IEEE 754 binary64). */
const PRECISION = 53;
/** The exponent of the smallest subnormal double, 2^-1074. */
const SMALLEST_EXPONENT = -1074;
/** Quotients at or above 2^1024 are too large for a double. */
const LARGEST_EXPONENT = 1024;

/**
 * The double nearest to the exact quotient, ties to even, for integers of any
 * size: what Python's `int.__truediv__` returns. `Infinity` if the quotient is
 * too large for a double. The divisor must not be 0.
 *
 * A quotient of two rounded doubles would be rounded three times. Here the
 * integers are scaled so that their integer quotient has a few bits more than a
 * double, the remainder is folded into the lowest bit, and only one rounding is
 * left (as in CPython's `long_true_divide`).
 */
export function divide(dividend: bigint, divisor: bigint): number {
  const sign = dividend < 0n === divisor < 0n ? 1 : -1;
  const a = dividend < 0n ? -dividend : dividend;
  const b = divisor < 0n ? -divisor : divisor;
  if (a === 0n) return sign * 0;

  // 2^(magnitude - 1) < a / b < 2^(magnitude + 1)
  const magnitude = bitLength(a) - bitLength(b);
  if (magnitude > LARGEST_EXPONENT) return sign * Infinity;
  if (magnitude < SMALLEST_EXPONENT - 1) return sign * 0;

  const shift = Math.max(magnitude - PRECISION, SMALLEST_EXPONENT) - 2;
  const scaledA = shift < 0 ? a << BigInt(-shift) : a;
  const scaledB = shift < 0 ? b : b << BigInt(shift);
  let quotient = scaledA / scaledB;
  if (quotient * scaledB !== scaledA) quotient |= 1n;

  const extraBits = Math.max(
    bitLength(quotient) - PRECISION,
    SMALLEST_EXPONENT - shift,
  );
  const rounded = roundHalfEven(quotient, BigInt(extraBits));
  return sign * Number(rounded) * 2 ** (shift + extraBits);
}

/** The number without its lowest bits, rounded to nearest, ties to even. `bits` is at least 1. */
function roundHalfEven(value: bigint, bits: bigint): bigint {
  const kept = value >> bits;
  const rest = value - (kept << bits);
  const half = 1n << (bits - 1n);
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  return up ? kept + 1n : kept;
}

/** Bits of a non-negative number, as in Python's `int.bit_length`. */
function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(parseInt(hex.charAt(0), 16)));
}

/**
 * A double as Python prints it: `2.0`, `0.1`, `1e+16`, `1e-05`, `-0.0`.
 *
 * Python and JavaScript both print the shortest digits that read back as the
 * same number; they differ in when they switch to an exponent (Python's
 * `float_repr_style` "short": below 1e-4 and from 1e16) and in how they write it.
 */
export function pythonFloat(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e16)) {
    const text = String(value);
    return text.includes(".") ? text : `${text}.0`;
  }
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  const padded = exponent.slice(1).padStart(2, "0");
  return `${digits}e${exponent.charAt(0)}${padded}`;
}
