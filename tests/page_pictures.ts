/** What the screenshots of the page are made from, so that a test can detect stale ones. */

const root = `${import.meta.dirname}/..`;

/** The file that records the digest the screenshots were made from. */
export const PICTURES_OF = "page-pictures.sha256";

/** The SHA-256 of all sources that draw the page, in hex. */
export async function digestOfPage(): Promise<string> {
  const names = [...Deno.readDirSync(`${root}/page/browser`)].map(({ name }) =>
    `page/browser/${name}`
  );
  const sources = [...names, "page/html.ts", "page/document.ts", "ladder/page_rung.ts"].toSorted();
  const texts = await Promise.all(sources.map((path) => Deno.readTextFile(`${root}/${path}`)));
  const bytes = new TextEncoder().encode(texts.join("\0").replaceAll("\r\n", "\n"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
