import { isBareEnd, type ServerSide, silence, spokenConversations, type Turn } from "./dialogue.ts";
import { render } from "./render.ts";
import {
  type Candidate,
  type ClientState,
  type RequestMatch,
  RequestMatcher,
} from "./request_matcher.ts";
import type { Conversation, Line, Talk } from "./talk.ts";
import type { Random, Value } from "./value.ts";

/** Clients that hold a conversation together. */
interface Group {
  readonly lines: readonly Line[];
  /** The index of the next line. */
  index: number;
  readonly values: Map<string, Value>;
  /** Those who have come, by the names that the file gives them. */
  readonly members: Map<string, Member>;
  /** The names of those who have left. */
  readonly left: Set<string>;
}

/** What a client may say, and the group in which that would be said. */
interface GroupCandidate extends Candidate {
  readonly group: Group;
}

/**
 * The server's side of conversations that several clients hold together, such as a chat.
 *
 * A client gets its name by what it says first or, where the server speaks first, in order of
 * arrival. From then on all lines come in the order of the file: what is said early waits.
 */
export class GroupDialogue {
  readonly talk: Talk;
  readonly #random: Random;
  readonly #conversations: readonly Conversation[];
  readonly #groups = new Set<Group>();
  /** In order of arrival. */
  readonly #members = new Set<Member>();

  constructor(talk: Talk, random: Random) {
    this.talk = talk;
    this.#random = random;
    this.#conversations = spokenConversations(talk);
  }

  /** One more client. */
  join(): ServerSide {
    const member = new Member(this);
    this.#members.add(member);
    return member;
  }

  /** Speaks first to a client, if it is its turn, or a new group's. */
  greet(member: Member): void {
    const spoke = [...this.#groups].map((group) => this.#speak(group));
    if (spoke.includes(true)) this.#notify();
    const isAwaited = [...this.#groups].some((group) =>
      group.lines.slice(group.index).some(({ client }) => !group.members.has(client))
    );
    if (member.group !== undefined || isAwaited) return;
    const [{ lines }] = this.#conversations as [Conversation];
    const [first] = lines;
    if (first?.says !== "server") return;
    const group = newGroup(lines);
    this.#assign(member, group, first.client);
    this.#speak(group);
    this.#notify();
  }

  /** What a client has said, which is then answered; `undefined` if there is more to come. */
  answer(
    member: Member,
    received: Uint8Array,
    state: ClientState,
  ): RequestMatch<GroupCandidate> | undefined {
    const match = member.requests.match(received, state, () => this.#candidates(member));
    if (match?.about !== "request") return match;
    const { group, line } = match.candidate;
    this.#assign(member, group, line.client);
    for (const [name, value] of match.said) group.values.set(name, value);
    group.index++;
    this.#speak(group);
    this.#notify();
    return match;
  }

  leave(member: Member): void {
    this.#members.delete(member);
    this.#remove(member);
    if (member.group !== undefined) this.#speak(member.group);
    this.#notify();
    // Those who came early may have waited for this group; where one still waits, all others do.
    for (const other of this.#members) {
      if (other.group !== undefined) continue;
      this.greet(other);
      if (other.group === undefined) break;
    }
  }

  /** Lines that a client may say: its next one or, if it is in no conversation, a first one. */
  #candidates(member: Member): readonly GroupCandidate[] {
    const { group } = member;
    const next = group && nextOf(group);
    if (group !== undefined && next !== undefined) {
      return next.client === member.name ? [candidateIn(group, next)] : [];
    }
    const awaiting = [...this.#groups].flatMap((group) => {
      const line = nextOf(group);
      const isFree = line?.says === "client" && !group.members.has(line.client);
      return isFree ? [candidateIn(group, line)] : [];
    });
    const beginning = this.#conversations.flatMap(({ lines }) => {
      const [line] = lines;
      return line?.says === "client"
        ? [{ ...candidateIn(newGroup(lines), line), isNext: false }]
        : [];
    });
    return [...awaiting, ...beginning];
  }

  /** Says the server's lines from here on, each to its client; returns whether there were any. */
  #speak(group: Group): boolean {
    const { index } = group;
    for (let line = nextOf(group); line !== undefined; line = nextOf(group)) {
      const isSaid = line.says === "server"
        ? this.#send(group, line)
        : isBareEnd(line) && group.left.has(line.client);
      if (!isSaid) break;
      group.index++;
    }
    return group.index > index;
  }

  /** What clients may say, or receive, has changed. */
  #notify(): void {
    for (const member of this.#members) member.changed();
  }

  /** Sends a line to its client; returns whether that one is there. */
  #send(group: Group, line: Line): boolean {
    const member = group.members.get(line.client) ?? this.#newcomer(group, line.client);
    if (member === undefined) return false;
    const { lineEnd } = member.requests;
    const options = { talk: this.talk, random: this.#random, lineEnd };
    member.outbox.push({ line, bytes: render(line.tokens, group.values, options) });
    return true;
  }

  /** The first who waits for a name gets this one. */
  #newcomer(group: Group, name: string): Member | undefined {
    const member = [...this.#members].find(({ group }) => group === undefined);
    if (member !== undefined) this.#assign(member, group, name);
    return member;
  }

  #assign(member: Member, group: Group, name: string): void {
    if (member.group === group) return;
    this.#remove(member);
    this.#groups.add(group);
    group.members.set(name, member);
    [member.group, member.name] = [group, name];
  }

  #remove({ group, name }: Member): void {
    if (group === undefined) return;
    group.members.delete(name);
    group.left.add(name);
    if (group.members.size === 0) this.#groups.delete(group);
  }
}

/** One of the clients. */
class Member implements ServerSide {
  readonly requests: RequestMatcher<GroupCandidate>;
  /** What others have caused to be sent to it. */
  readonly outbox: { readonly line: Line; readonly bytes: Uint8Array<ArrayBuffer> }[] = [];
  group: Group | undefined;
  /** Its name in the group. */
  name = "";
  wake?: () => void;
  readonly #dialogue: GroupDialogue;

  constructor(dialogue: GroupDialogue) {
    this.#dialogue = dialogue;
    this.requests = new RequestMatcher(dialogue.talk);
  }

  get waitsForOthers(): boolean {
    const next = this.group && nextOf(this.group);
    return next !== undefined && next.client !== this.name;
  }

  greet(): Turn {
    this.#dialogue.greet(this);
    return { size: 0, about: "request", ...this.#sent() };
  }

  next(received: Uint8Array, state: ClientState): Turn | undefined {
    if (this.outbox.length > 0) return { size: 0, about: "another client", ...this.#sent() };
    if (this.waitsForOthers && state !== "closed") return undefined;
    const next = this.group && nextOf(this.group);
    const isEnd = state === "closed" && next?.client === this.name && isBareEnd(next);
    if (received.length === 0 && !isEnd) return undefined;
    const match = this.#dialogue.answer(this, received, state);
    if (match === undefined) return undefined;
    const { about, size } = match;
    return { about, size, ...(about === "request" ? this.#sent() : silence) };
  }

  leave(): void {
    this.#dialogue.leave(this);
  }

  /** Somebody has said something. */
  changed(): void {
    this.requests.forget();
    this.wake?.();
  }

  #sent(): Pick<Turn, "replies" | "lines" | "ends"> {
    const sent = this.outbox.splice(0);
    const lines = sent.map(({ line }) => line);
    const ends = lines.at(-1)?.tokens.at(-1)?.kind === "end";
    return { replies: sent.map(({ bytes }) => bytes), lines, ends };
  }
}

const newGroup = (lines: readonly Line[]): Group => ({
  lines,
  index: 0,
  values: new Map(),
  members: new Map(),
  left: new Set(),
});

const nextOf = ({ lines, index }: Group): Line | undefined => lines[index];

const candidateIn = (group: Group, line: Line): GroupCandidate => ({
  group,
  line,
  values: group.values,
  isNext: true,
});
