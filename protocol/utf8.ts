/** Bytes up to which a text is put together here: the decoder's own call would take longer. */
const SHORT = 48;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text, a byte order mark kept; `null` if they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  if (bytes.length <= SHORT && isAscii(bytes)) return fromAscii(bytes);
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function isAscii(bytes: Uint8Array): boolean {
  let bits = 0;
  for (let index = 0; index < bytes.length; index++) bits |= bytes[index] ?? 0;
  return bits < 0x80;
}

/** `apply` takes a typed array as well as a list, which TypeScript does not know. */
function fromAscii(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
