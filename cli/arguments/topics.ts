import type { Fields } from "../output/event_fields.ts";
import { events } from "../output/events.ts";
import { exitCodes, type FailureKind } from "../errors/failure.ts";
import { type SystemWords, systemWords } from "../system_words.ts";
import { pageOf, paragraphs, type Row, table } from "./help.ts";

/** Returns the page of a topic, wrapped to the given number of columns. */
export function topic(name: string, columns: number, words = systemWords()): string {
  switch (name) {
    case "exit-codes":
      return exitCodesPage(columns);
    case "targets":
      return targetsPage(columns, words);
    case "conversations":
      return conversationsPage(columns);
    case "json":
      return jsonPage(columns);
    default:
      throw new RangeError(`Cannot show a topic that does not exist: received ${name}`);
  }
}

const kinds: Readonly<Record<FailureKind, string>> = {
  ERROR: "the service answered with an error, or not what was expected",
  USAGE: "the command line is wrong; nothing was started",
  DNS: "the host name does not resolve",
  REFUSED: "the connection was refused: nothing is listening there, or a firewall rejects it",
  UNREACHABLE: "no route, or the network is down",
  RESET: "the peer reset the connection",
  CLOSED: "the connection was closed before the reply was whole",
  BIND: "the server can't listen: port in use, not permitted, or no such address",
  TIMEOUT:
    "nothing arrived in time; the message says whether the connection or the reply timed out",
};

function exitCodesPage(columns: number): string {
  const rows = Object.entries(kinds).map(([kind, about]): Row => [
    `${exitCodes[kind as FailureKind]}`.padStart(3),
    `${kind}: ${about}`,
  ]);
  const others: readonly Row[] = [
    ["  0", "done; for a server: stopped by a signal, by --once or by --max-time"],
    ["126", "grade: the program can't be started"],
    ["127", "grade: the program was not found"],
    ["130", "ended by Ctrl-C, a server by the second one: 128 + the number of the signal"],
    ["141", "the reader of stdout is gone (on Unix 128 + SIGPIPE)"],
  ];
  const all = [...rows, ...others].sort(([one], [other]) => Number(one) - Number(other));
  return pageOf([
    paragraphs(
      "The exit code says how a command ended. A failure is one line on stderr that names its " +
        "kind, and a hint that says what to do next.",
      columns,
    ),
    table(all, columns),
  ]);
}

function targetsPage(columns: number, { zone }: SystemWords): string {
  return pageOf([
    paragraphs("A target names a server in one word:", columns),
    ["  [tcp://|udp://]HOST:PORT[/SERVICE]", "  unix:PATH"],
    table([
      ["localhost:4040", "a host name and a port, over TCP by default"],
      [":4040", "a port of this host"],
      ["10.0.0.7:4040", "an IPv4 address"],
      ["[::1]:4040", "an IPv6 address goes in brackets"],
      [`[fe80::1%${zone}]:4040`, "a link-local address with its interface"],
      ["udp://localhost:4040", "the same over UDP"],
      ["unix:calc.sock", "a Unix socket, by its path (not on Windows)"],
      ["web:4040/hello", "check: the service to ask there (default calc)"],
      ["http://web:8080/up", "check: a web server; https:// and tls:// with TLS"],
    ], columns),
    paragraphs(
      "A client takes it as its first word. --host, --port (-p) and --udp (-u) do the same; " +
        "a target with --host or --port is an error. A word is a target only if its host is a " +
        "name with a letter, an IP address or empty: 12:30 is text. Text that looks like a target " +
        "goes after --.",
      columns,
    ),
    ["Examples:"].concat([
      "  netdemo calc-client localhost:4040 10 20 +",
      "  netdemo message-client :4040 Good morning",
      "  netdemo message-client :4040 -- localhost:80",
    ]),
  ]);
}

/** The signs of a conversation file; docs/conversations.md says more of each. */
const signs: readonly Row[] = [
  ["> text", "the client sends this, exactly and in one piece"],
  ["< text", "the server sends this"],
  ["\\n \\r \\t \\0 \\xff \\\\ \\{", "what can't be typed; nothing else ends a message"],
  ["{name}", "a value: whoever says it first chooses it, then it stays the same"],
  ["{a + b}", "calculated: + - * / // %, and upper, lower, reverse, length as {upper(w)}"],
  ["{a 1..50}", "a number within a range; {t 0.0..9.9} has decimals"],
  ["{...}", "anything, even nothing, over line ends too"],
  ["{end}", "this side ends the connection here"],
  ["{n as u16}", "a number in binary: u8, u16, u32, u16le, u32le"],
  ["{length as u16}", "how many bytes follow on this line; {length(w) as u8}: those of w"],
  ["! text", "a mistake that a client may make here: the next client must be served"],
  ["ann> text", "one of several clients; ann< is what she gets"],
  ["type text", "what the user of a client types here"],
  ["== title", "another conversation, on a connection of its own"],
  ["# text", "a comment; it is shown when the line below it fails"],
  ["udp", "above everything: each line is a datagram"],
];

function conversationsPage(columns: number): string {
  return pageOf([
    paragraphs(
      "A conversation file, whose name ends in .talk, shows what a client and its server say to " +
        "each other. check --talk plays the client, serve the server, demo both; grade examines " +
        "programs with it, and relay --record writes one.",
      columns,
    ),
    ["Example:", "  # A calculator.", "  > {a} + {b}\\n", "  < Result: {a + b}\\n"],
    ["Signs:", ...table(signs, columns)],
    paragraphs(
      "Numbers are compared as numbers: 30.0 is 30, and 130 is not. \\n also accepts \\r\\n, and " +
        "a line that shows no end accepts one. A reply is whole once all that the file shows has " +
        "come; what comes beyond is wrong.",
      columns,
    ),
  ]);
}

function jsonPage(columns: number): string {
  const rows = Object.entries(events).map(([name, { about, fields }]): Row => [
    name,
    `${about}: ${namesOf(fields).join(", ")}`,
  ]);
  return pageOf([
    paragraphs(
      "With --json, each line on stdout is one JSON object. Its event says what it reports. An " +
        "endpoint is 10.0.0.7:4040, [::1]:4040 or the path of a Unix socket; remote and local " +
        "are the two ends; names that end in Ms are milliseconds. Fields with a ? may be absent.",
      columns,
    ),
    ["Events:", ...table(rows, columns)],
    [
      "Example:",
      "  netdemo calc-client :4040 --json 10 20 + | jq -r .reply",
    ],
  ]);
}

function namesOf(fields: Fields): string[] {
  return Object.entries(fields).map(([name, { optional }]) => optional ? `${name}?` : name);
}
