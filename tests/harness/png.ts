/** The pixels of a picture, each as `#rrggbb`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** How many pixels have each colour. */
  readonly colors: ReadonlyMap<string, number>;
  at(x: number, y: number): string;
}

/** Reads a PNG file with 8 bits for each of red, green, blue and alpha (W3C PNG, 2003). */
export async function readPng(png: Uint8Array<ArrayBuffer>): Promise<Picture> {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (view.getUint8(24) !== 8 || view.getUint8(25) !== 6 || view.getUint8(28) !== 0) {
    throw new TypeError("Cannot read the PNG file as its format is not plain 8-bit RGBA");
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let offset = 8; offset < png.length;) {
    const length = view.getUint32(offset);
    const type = new TextDecoder().decode(png.subarray(offset + 4, offset + 8));
    if (type === "IDAT") parts.push(png.slice(offset + 8, offset + 8 + length));
    offset += length + 12;
  }
  const inflated = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const pixels = unfiltered(new Uint8Array(await new Response(inflated).arrayBuffer()), width * 4);
  const at = (x: number, y: number): string =>
    `#${pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 3).toHex()}`;
  const colors = new Map<string, number>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) colors.set(at(x, y), (colors.get(at(x, y)) ?? 0) + 1);
  }
  return { width, height, colors, at };
}

/** Undoes the filter of each row, which predicts bytes from those to the left and above. */
function unfiltered(rows: Uint8Array, stride: number): Uint8Array {
  const height = rows.length / (stride + 1);
  const pixels = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x < 4 ? 0 : pixels[y * stride + x - 4] ?? 0;
      const up = y === 0 ? 0 : pixels[(y - 1) * stride + x] ?? 0;
      const corner = x < 4 || y === 0 ? 0 : pixels[(y - 1) * stride + x - 4] ?? 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      pixels[y * stride + x] = (rows[y * (stride + 1) + 1 + x] ?? 0) + predicted;
    }
  }
  return pixels;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (toLeft! <= toUp! && toLeft! <= toCorner!) return left;
  return toUp! <= toCorner! ? up : corner;
}
