import { functionNames } from "../../talk/talk.ts";
import type { TalkProblem } from "../../talk/problem.ts";

const BRACE = "for the character itself write \\{";

/** Says what is wrong with a conversation file, and what would be right. */
export function wordsOfTalk(problem: TalkProblem): string {
  switch (problem.kind) {
    case "file too large":
      return `a conversation file has at most ${problem.most} characters`;
    case "no server":
      return "no line begins with <: show what the server answers, for example < {...}";
    case "no lines":
      return "this conversation has no lines: what the client sends begins with >, what the " +
        "server sends with <";
    case "unknown line":
      return "a line begins with > (the client sends it), < (the server sends it), ! (a client's " +
        `mistake), type, ==, udp or #: write ${problem.meant}`;
    case "late udp":
      return "udp stands above the first conversation: the whole file is over UDP";
    case "named mistake":
      return "a mistake has no client's name: write ! alone";
    case "no space":
      return `a space is missing; write: ${problem.sign} ${problem.text}`;
    case "space at end":
      return "white space at the end of a line can't be seen: write the last space as \\x20, or " +
        "remove it";
    case "unknown escape":
      return `'${problem.escape}' is not an escape, which are \\n \\r \\t \\0 \\xff \\\\ and \\{; ` +
        "for a backslash write \\\\";
    case "not closed":
      return `no } closes this brace; ${BRACE}`;
    case "spaced name":
      return `for a value write {${problem.name}}, for the characters write \\${problem.source}`;
    case "unknown format":
      return `'${problem.format}' is not a way to write a number, which are u8, u16, u32, u16le ` +
        "and u32le";
    case "bare length":
      return "a length in binary shows its size: {length as u16}; in digits it names what it is " +
        "the length of: {length(name)}";
    case "range of calculation":
      return "only a name has a range, for example {a 1..100}";
    case "empty range":
      return `no number is in the range ${problem.low}..${problem.high}: the smaller one is first`;
    case "range too wide":
      return `not every number of this range can be written as ${problem.format}`;
    case "no operand":
      return problem.found === ""
        ? "a name or a number is missing at the end"
        : `'${problem.found}' is not a name or a number; ${BRACE}`;
    case "no parenthesis":
      return "a ) is missing";
    case "unknown function":
      return `'${problem.name}' is not a function, which are ${functionNames.join(", ")}`;
    case "reserved name":
      return `'${problem.name.toLowerCase()}' has a meaning of its own, in small letters: use ` +
        "another name";
    case "not a value":
      return `'${problem.rest}' is too much: a value is a name, a range such as {a 1..100}, or a ` +
        `calculation such as {a + b}; ${BRACE}`;
    case "calculation too long":
      return `a calculation has at most ${problem.most} characters`;
    case "word and number":
      return `'${problem.name}' is a word here and a number in line ${problem.numberLine}: use two ` +
        "names";
    case "unknown name":
      return `nobody has said '${problem.name}' yet: ` +
        (problem.meant === problem.name
          ? `write {${problem.name}} where it is said first`
          : `did you mean {${problem.meant}}?`);
    case "likely slip":
      return `'${problem.name}' stands only here: did you mean {${problem.meant}}, as in line ` +
        `${problem.meantLine}? Otherwise use a name that looks different`;
    case "after end":
      return "nothing can follow {end}, which ends the connection: write it on a line below == , " +
        "or remove it";
    case "line after end":
      return `the ${problem.says === "server" ? "server" : "client"} has ended its side in line ` +
        `${problem.endLine}: put this line above it, or below a == of its own`;
    case "end of datagrams":
      return "there is no connection to end over UDP: leave out {end}";
    case "server first":
      return "over UDP the server learns from a datagram who its client is: put what the client " +
        "sends above this line";
  }
}
