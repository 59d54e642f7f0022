import { type Carrier, labForms } from "../../protocol/lab.ts";

/** What a client says of itself: in its help, and to a user at a terminal. */
export interface ClientHelp {
  /** The arguments after the flags. */
  readonly usage: string;
  /** Whether they are text, which may begin with a dash. @default {false} */
  readonly takesText?: boolean;
  /** A few sentences. */
  readonly about: string;
  /** Example arguments, one command line each. */
  readonly examples: readonly string[];
  /** The prompt for the next request; absent if it reads none from stdin. */
  readonly prompt?: string;
  /** What to type at a terminal. Without it `help` is a request like any other. */
  readonly dialogue?: {
    /** What may be typed, in a few words. */
    readonly toType: string;
    /** A few sentences on it. */
    readonly help: string;
  };
}

/** Each client's, by its short name. */
const helps: Readonly<Record<string, ClientHelp>> = {
  hello: {
    usage: "",
    about: `Connects and exits: exit code 0 means that a server accepts connections there.
Over UDP, which has no connections, it sends Hello and waits for the answer.`,
    examples: [""],
  },
  message: {
    usage: "[TEXT...]",
    takesText: true,
    about: `Sends TEXT, or Hello Server HBD if none is given, and prints the reply.
With - it sends every line of stdin, and at a terminal asks for messages until
end of file (Ctrl-D). Put -- before a TEXT that begins with a dash, or looks
like a target.`,
    examples: ["Good morning", "-", "-- --not-a-flag"],
    prompt: "Enter Message ",
    dialogue: {
      toType: "a message and Enter",
      help: "Each line is one message. The arrow keys edit the line and bring back earlier ones. " +
        "A space before help, quit or exit sends that word as a message.",
    },
  },
  calc: {
    usage: "[O1 O2 OP]",
    about: `Sends the command O1 O2 OP (two integers, then one of + - * /) and prints the
answer. Without a command it asks for commands at a terminal until end of file
(Ctrl-D); from a pipe, or with - in place of a command, it sends every line of
stdin over one connection and prints the answers in order. An answer that is an
error or wrong makes the exit code 1.`,
    examples: ["10 20 +", '6 7 "*"', "-- -6 -7 -", ""],
    prompt: "Enter Command ",
    dialogue: {
      toType: "O1 O2 OP, for example 10 20 +",
      help: "O1 and O2 are whole numbers of any size, OP is one of + - * /, with a space between " +
        "them: 10 5 - or 6 7 * or 10 4 /. The arrow keys edit the line and bring back earlier " +
        "ones.",
    },
  },
  lab: {
    usage: "[REQUEST...]",
    takesText: true,
    about: `Sends a request to a lab server and prints the reply, or says how the
connection failed instead. Without a REQUEST it asks for requests at a terminal
until end of file (Ctrl-D); from a pipe it sends every line.

${labRequests("Requests", ["stream", "datagram"])}

${labRequests("Requests over TCP and Unix sockets", ["stream"])}

${labRequests("Requests over UDP", ["datagram"])}`,
    examples: ["whoami", "delay 2s Good morning", "close 5", "--udp twice"],
    prompt: "Enter Request ",
  },
};

/** The help of a client; a plain one for a client that has none here. */
export function helpOf(name: string): ClientHelp {
  return helps[name] ?? {
    usage: "[TEXT...]",
    takesText: true,
    about: `Sends TEXT and prints the reply. Without a TEXT it asks for lines at a terminal
until end of file (Ctrl-D); from a pipe, or with -, it sends every line of stdin.
A reply that is not the right one makes the exit code 1.`,
    examples: ["Good morning", "-"],
    prompt: "Enter Text ",
  };
}

/** The requests available over exactly these carriers, one per line. */
function labRequests(title: string, carriers: readonly Carrier[]): string {
  const rows = labForms.filter((form) => form.carriers.join() === carriers.join());
  const lines = rows.map(({ form, about, limit }) => {
    const note = limit === undefined ? "" : ` (${limit})`;
    return `  ${form.padEnd(14)}  ${about}${note}`;
  });
  return [`${title}:`, ...lines].join("\n");
}
