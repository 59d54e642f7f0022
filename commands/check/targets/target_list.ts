import { type Argument, parseCommandLine } from "../../../cli/arguments/flags.ts";
import { Failure, misuse } from "../../../cli/errors/failure.ts";
import { readText } from "../../../cli/arguments/text_file.ts";
import { questionFlags } from "../flags.ts";
import { DEFAULT_STATUS, type StatusRange } from "../questions/http.ts";
import {
  type Expectation,
  type ExpectOptions,
  isInFile,
  parseExpectation,
  PORT,
} from "./targets.ts";

/** The flags of a question as they were typed. */
interface Draft {
  send?: string;
  reply?: string;
  talk?: string;
  status?: StatusRange;
}

/** A target as it was typed. */
interface Listed {
  readonly text: string;
  /** `targets.txt:3`, for messages; `undefined` on the command line. */
  readonly where: string | undefined;
  readonly draft: Draft | undefined;
}

/** How to read targets. */
export interface TargetListOptions extends Omit<ExpectOptions, "question"> {
  /** Whether only the first conversation of each file is played. */
  readonly onlyFirst: boolean;
}

function isDraftFlag(flag: string): flag is keyof Draft {
  return flag in questionFlags;
}

/** The question that holds for the next target. */
class CurrentQuestion {
  draft: Draft | undefined;
  /** Whether the next flag belongs to it: no target has come since. */
  isOpen = false;

  /** Takes a flag, if it is one of a question. */
  take(flag: string, value: unknown): void {
    if (!isDraftFlag(flag)) return;
    if (!this.isOpen) this.draft = {};
    this.isOpen = true;
    const draft = this.draft ??= {};
    if (draft[flag] !== undefined) throw misuse(`--${flag} is given twice for the same targets`);
    Object.assign(draft, { [flag]: value });
    if (draft.talk === undefined || Object.keys(draft).length === 1) return;
    throw misuse("--talk has its own requests and replies: leave out --send and --reply");
  }

  /** The draft for a target. */
  use(): Draft | undefined {
    this.isOpen = false;
    return this.draft;
  }
}

/**
 * Reads the targets of a command line and of the files that it names, with their questions.
 *
 * A question holds for the targets after it, up to the next one; after the last target it holds
 * for all, if none has its own.
 *
 * @throws {Failure} of kind `USAGE`.
 */
export async function readTargetList(
  order: readonly Argument[],
  options: TargetListOptions,
): Promise<readonly Expectation[]> {
  const listed: Listed[] = [];
  const current = new CurrentQuestion();
  const files = new Map<unknown, string>();
  for (const it of order) {
    if (it.flag === "targets") files.set(it.value, await textOf(String(it.value)));
  }
  const words = order.flatMap((it) => it.flag === undefined ? it.word : []);
  const namesPort = [...words, ...files.values()].some(isInFile);
  for (const argument of order) {
    if (argument.flag === undefined) {
      listed.push({ text: argument.word, where: undefined, draft: current.use() });
    } else if (argument.flag === "targets") {
      const text = files.get(argument.value) ?? "";
      listed.push(
        ...targetsIn(text, argument.value === "-" ? "stdin" : String(argument.value), current),
      );
    } else if (argument.flag === "port-file" && !namesPort) {
      listed.push({ text: `localhost:${PORT}`, where: undefined, draft: current.use() });
    } else current.take(argument.flag, argument.value);
  }
  if (listed.length === 0) {
    throw misuse("there is no target to check", {
      hint: "name one, for example netdemo check localhost:4040",
    });
  }
  if (!current.isOpen) return await expectationsOf(listed, options);
  const { draft } = current;
  if (listed.every((it) => it.draft === undefined)) {
    return await expectationsOf(listed.map((it) => ({ ...it, draft })), options);
  }
  throw misuse("no target comes after the last question", {
    hint:
      "--send, --reply and --talk hold for the targets after them: put them before their targets",
  });
}

/** The text of a file of targets. @param path `-` is stdin. */
async function textOf(path: string): Promise<string> {
  const hint = "--targets takes a file with one target per line, or - for stdin";
  return await readText(path, path === "-" ? "the targets" : `the targets in '${path}'`, hint);
}

/**
 * The targets in a text, one per line; `#` starts a comment. A question on a line of its own holds
 * for the lines below; beside a target it holds for that one.
 *
 * @param name The file's, for messages.
 */
function targetsIn(text: string, name: string, current: CurrentQuestion): readonly Listed[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const where = `${name}:${index + 1}`;
    return located(where, () => {
      const { order, words } = parseCommandLine(wordsOf(line), questionFlags);
      const isPair = words.length > 0 && words.length < order.length;
      const question = isPair ? new CurrentQuestion() : current;
      for (const it of order) if (it.flag !== undefined) question.take(it.flag, it.value);
      return words.map((text) => ({ text, where, draft: question.use() }));
    });
  });
}

/** The words of a line without its comment; quotes of both kinds hold a word together. */
function wordsOf(line: string): readonly string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  const comment = words.findIndex((word) => word.startsWith("#"));
  return (comment === -1 ? words : words.slice(0, comment))
    .map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
}

/** Says where in a file a mistake is. */
function located<T>(where: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Failure) || where === undefined) throw error;
    const { kind, message, hint, excerpt } = error;
    throw new Failure(kind, `${where}: ${message}`, { hint, excerpt });
  }
}

async function expectationsOf(
  listed: readonly Listed[],
  options: TargetListOptions,
): Promise<readonly Expectation[]> {
  const asked = new Map<Draft, Asked>();
  const drafts = new Set(listed.flatMap(({ draft }) => draft ?? []));
  for (const draft of drafts) asked.set(draft, await askedBy(draft, options.onlyFirst));
  const all = listed.map(({ text, where, draft }) =>
    located(where, () => {
      if (draft === undefined) return parseExpectation(text, options);
      const expected = overProtocolOf(parseExpectation(text, { ...options, ...asked.get(draft) }));
      const isUsed = expected.question !== undefined ||
        (expected.http !== undefined && draft.send === undefined && draft.talk === undefined);
      if (isUsed) drafts.delete(draft);
      return expected;
    })
  );
  const [unused] = drafts;
  if (unused === undefined) return all;
  throw unusedQuestion(unused, all.some(({ http }) => http !== undefined));
}

/** A question that fits none of its targets would be passed over in silence. */
function unusedQuestion({ send, talk, reply }: Draft, hasWeb: boolean): Failure {
  if (send === undefined && talk === undefined && reply === undefined) {
    return misuse("--status is for targets over HTTP", {
      hint:
        "write http:// or https:// before the target: netdemo check http://web:8080/ --status 204",
    });
  }
  if (hasWeb) {
    return misuse("--send and --talk are not for http:// and https://", {
      hint: "name the server without them: netdemo check cache:6379 --send PING --reply +PONG",
    });
  }
  return misuse("--send, --reply and --talk are for targets that name no service", {
    hint: "leave out the slash and the service: netdemo check cache:6379 --send PING --reply +PONG",
  });
}

/** What the flags of a question ask, of a web server and of other targets. */
type Asked = Pick<ExpectOptions, "question" | "answer">;

async function askedBy(
  { send, reply, talk, status = DEFAULT_STATUS }: Draft,
  onlyFirst: boolean,
): Promise<Asked> {
  const answer = { status };
  if (send === undefined && reply === undefined && talk === undefined) return { answer };
  const own = await import("../questions/custom.ts");
  if (talk !== undefined) return { answer, question: await own.talkQuestion(talk, onlyFirst) };
  const question = own.customQuestion(send, reply);
  // A web server gets no request but GET.
  if (send !== undefined) return { answer, question };
  return { answer: { status, body: own.wantedText(question.reply) }, question };
}

/**
 * The target of a file whose conversations are datagrams is asked over UDP.
 *
 * @throws {Failure} of kind `USAGE` if it names another protocol.
 */
function overProtocolOf(expected: Expectation): Expectation {
  const { target, text, question } = expected;
  if (question?.form !== "talk") return expected;
  const { talk } = question;
  if ((target.protocol === "udp") === talk.udp) return expected;
  if (talk.udp && target.protocol === "tcp" && !text.includes("://")) {
    return { ...expected, target: { ...target, protocol: "udp" } };
  }
  const [own, other] = talk.udp ? ["UDP", "leave it out"] : ["TCP", "begin the file with udp"];
  throw misuse(`'${text}' can't be checked: the conversations are over ${own}`, {
    hint: talk.udp ? "write udp:// before the target" : `leave out udp://, or ${other}`,
  });
}
