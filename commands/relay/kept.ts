/** Bytes of each piece that its event has, unless more are asked for. */
export const KEPT_BYTES = 4_096;

/** A copy of the beginning of a piece. */
export function kept(
  piece: Uint8Array,
  most = KEPT_BYTES,
): { readonly data: Uint8Array; readonly bytes: number } {
  return { data: piece.slice(0, most), bytes: piece.length };
}
