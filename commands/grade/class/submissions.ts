/** What stands in the folder of a class. */
import { misuse } from "../../../cli/errors/failure.ts";
import { systemWords } from "../../../cli/system_words.ts";
import { errnoOf, reasonOf } from "../../../sockets/errno.ts";
import type { Place } from "../program/program.ts";

/** What one learner, or one group, handed in. */
export interface Submission {
  /** The name of its folder or file. */
  readonly name: string;
  readonly place: Place;
  /** Why it can't be graded. */
  readonly problem?: string | undefined;
}

/** The submissions of a class, and what is none of them. */
export interface ClassFolder {
  /** Its whole path. */
  readonly path: string;
  /** Sorted by name. */
  readonly submissions: readonly Submission[];
  /** Names of hidden files and folders, and of what archives and systems leave behind. */
  readonly hidden: readonly string[];
  /** Names of files, if the command has no `{file}`. */
  readonly files: readonly string[];
}

/** What systems and archive programs leave behind, besides what begins with a dot. */
const LITTER = /^(?:\..*|__MACOSX|Thumbs\.db|desktop\.ini)$/i;

/** `task 2` comes before `task 10`. */
const byName = new Intl.Collator("en", { numeric: true });

/** Sorts by name. */
export function sortedByName<T extends { readonly name: string }>(all: readonly T[]): T[] {
  return all.toSorted((one, other) =>
    byName.compare(one.name, other.name) || (one.name < other.name ? -1 : 1)
  );
}

/**
 * Reads the folder of a class.
 *
 * @param takesFiles Whether the command has a `{file}`: only then can a file be a submission.
 * @param own Paths of files that netdemo writes, and that are no submissions.
 * @throws {Failure} of kind `USAGE` if there is nothing to grade.
 */
export function readClass(
  folder: string,
  takesFiles: boolean,
  own: readonly string[],
): ClassFolder {
  const path = realPath(folder) ?? folder;
  const written = own.flatMap((file) => realPath(file) ?? []);
  const entries = entriesOf(path, folder)
    .filter(({ name }) => !written.includes(realPath(`${path}/${name}`) ?? ""));
  const hidden = entries.filter(({ name }) => LITTER.test(name));
  const shown = sortedByName(entries.filter(({ name }) => !LITTER.test(name)));
  const files = takesFiles ? [] : shown.filter(({ isFile }) => isFile);
  const submissions = shown.filter((entry) => !files.includes(entry))
    .map((entry) => submissionOf(entry, path, takesFiles));
  if (submissions.length === 0) throw noSubmissions(folder, files);
  const names = (entries: readonly Deno.DirEntry[]): string[] => entries.map(({ name }) => name);
  return { path, submissions, hidden: names(hidden).sort(), files: names(files) };
}

/**
 * Why a submission did not run, if a file that the command names is not in it: `there is no
 * server.py in it, but Server.py`. Named are `{dir}/server.py`, and the first word that can be a file.
 */
export function missingFile(
  { folder, names }: Place,
  [program = "", ...args]: readonly string[],
): string | undefined {
  const script = args.find((word) => !word.startsWith("-")) ?? "";
  const named = [program, ...args].filter((word) => /^\{dir\}[\\/]/.test(word))
    .map((word) => word.slice("{dir}/".length));
  if (/^\.[\\/]/.test(program)) named.push(program.slice("./".length));
  if (/^\w[\w-]*\.[a-z]\w*$/i.test(script)) named.push(script);
  const inside = names["dir"] ?? folder;
  const missing = named.find((name) => realPath(`${inside}/${name}`) === undefined);
  if (missing === undefined) return undefined;
  const other = fileNamesIn(inside).find((name) => name.toLowerCase() === missing.toLowerCase());
  return `there is no ${missing} in it${other === undefined ? "" : `, but ${other}`}`;
}

function fileNamesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return []; // its owner may keep netdemo out
  }
}

function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined; // there is nothing
  }
}

function entriesOf(path: string, folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (cause) {
    const isFile = errnoOf(cause) === "ENOTDIR";
    throw misuse(
      isFile
        ? `--class: '${folder}' is not a folder`
        : `--class: cannot read '${folder}': ${reasonOf(cause)}`,
      { cause, hint: "give the folder that holds the submissions, a folder or a file each" },
    );
  }
}

function noSubmissions(folder: string, [file]: readonly Deno.DirEntry[]) {
  if (file === undefined) {
    const hint = "each folder or file in it is a submission; hidden ones are passed over";
    return misuse(`--class: there is no submission in '${folder}'`, { hint });
  }
  return misuse(`each submission in '${folder}' is a file, and the command names none`, {
    hint: `let the command start it: -- ${systemWords().python} "{file}" "{port}"`,
  });
}

function submissionOf(entry: Deno.DirEntry, path: string, takesFiles: boolean): Submission {
  const { name, isFile, isDirectory, isSymlink } = entry;
  const own = `${path}/${name}`;
  if (isFile) return { name, place: { folder: path, names: { dir: path, file: own } } };
  if (!isDirectory) {
    const what = isSymlink ? "a symbolic link, which may lead to another's work" : "not a file";
    return { name, place: { folder: path, names: {} }, problem: `it is ${what}` };
  }
  const place = { folder: own, names: { dir: own } };
  try {
    const files = [...Deno.readDirSync(own)].filter(({ name }) => !LITTER.test(name))
      .filter(({ isFile }) => isFile);
    const [file] = files;
    if (!takesFiles) return { name, place };
    if (file === undefined || files.length > 1) {
      const count = file === undefined ? "is no file" : `are ${files.length} files`;
      return { name, place, problem: `there ${count} in it, and {file} stands for one` };
    }
    return { name, place: { folder: own, names: { dir: own, file: `${own}/${file.name}` } } };
  } catch (error) {
    return { name, place, problem: `its folder can't be read: ${reasonOf(error)}` };
  }
}
