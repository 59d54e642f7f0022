import { KEPT_BYTES } from "../../sockets/socket_events.ts";

/** A copy of the beginning of a piece. */
export function kept(
  piece: Uint8Array,
  most = KEPT_BYTES,
): { readonly data: Uint8Array; readonly bytes: number } {
  return { data: piece.slice(0, most), bytes: piece.length };
}
