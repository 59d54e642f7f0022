/**
 * Writes generated Markdown between the marks of a page, `<!-- NAME: begin -->` and
 * `<!-- NAME: end -->`, and formats the page.
 *
 * @throws {Error} if the page has no such marks.
 */
export async function writeBetweenMarks(page: URL, name: string, content: string): Promise<void> {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const text = await Deno.readTextFile(page);
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start === -1 || stop < start) {
    throw new Error(`Cannot write to ${page.pathname} as it has no marks: ${begin}`);
  }
  const [before, after] = [text.slice(0, start + begin.length), text.slice(stop)];
  await Deno.writeTextFile(page, `${before}\n\n${content}\n\n${after}`);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page.pathname] }).output();
}
