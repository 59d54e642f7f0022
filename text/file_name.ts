/** The last part of a path, whose folders are separated as on Unix or on Windows. */
export function fileName(path: string): string {
  return path.replace(/^.*[/\\]/, "");
}
