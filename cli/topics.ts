import type { Fields } from "./event_fields.ts";
import { events } from "./events.ts";
import { exitCodes, type FailureKind } from "./failure.ts";
import { pageOf, paragraphs, type Row, table } from "./help.ts";

/** The page of a topic, wrapped to so many columns. */
export function topic(name: string, columns: number): string {
  switch (name) {
    case "exit-codes":
      return exitCodesPage(columns);
    case "targets":
      return targetsPage(columns);
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
  REFUSED: "the connection was refused: no program listens there, or a firewall says no",
  UNREACHABLE: "no route, or the network is down",
  RESET: "the peer reset the connection",
  CLOSED: "the connection was closed before the reply was whole",
  BIND: "the server can't listen: the port is in use, not permitted, or no address of this host",
  TIMEOUT: "nothing came in time; the message says whether connect or reply",
};

function exitCodesPage(columns: number): string {
  const rows = Object.entries(kinds).map(([kind, about]): Row => [
    `${exitCodes[kind as FailureKind]}`.padStart(3),
    `${kind}: ${about}`,
  ]);
  const others: readonly Row[] = [
    ["  0", "done; of a server: stopped by a signal, by --once or by --max-time"],
    ["126", "grade: the program can't be started"],
    ["127", "grade: the program was not found"],
    ["130", "a second Ctrl-C while a server drains; 128 + the number of the signal"],
    ["141", "the reader of stdout has gone, as shells have it"],
  ];
  const all = [...rows, ...others].sort(([one], [other]) => Number(one) - Number(other));
  return pageOf([
    paragraphs(
      "The exit code says how a command ended. A failure is one line on stderr that begins with " +
        "the word of its kind, and a hint that says what to do next.",
      columns,
    ),
    table(all, columns),
  ]);
}

function targetsPage(columns: number): string {
  return pageOf([
    paragraphs("A target names a server in one word:", columns),
    ["  [tcp://|udp://]HOST:PORT[/SERVICE]", "  unix:PATH"],
    table([
      ["localhost:4040", "a host name and a port; TCP if nothing else is said"],
      [":4040", "a port of this host"],
      ["10.0.0.7:4040", "an IPv4 address"],
      ["[::1]:4040", "an IPv6 address stands in brackets"],
      ["[fe80::1%eth0]:4040", "a link-local one with its interface"],
      ["udp://localhost:4040", "the same over UDP"],
      ["unix:/tmp/calc.sock", "a Unix socket, by its path"],
      ["web:4040/hello", "check: the service that is asked there; calc if none is said"],
    ], columns),
    paragraphs(
      "A client takes it as its first word. --host and --port (-p) and --udp (-u) say the same; " +
        "both at once are an error. A word is taken for a target only if its host is a name with " +
        "a letter, an IP address or nothing: 12:30 is text. Text that looks like a target goes " +
        "after --.",
      columns,
    ),
    ["Examples:"].concat([
      "  netdemo calc-client localhost:4040 10 20 +",
      "  netdemo message-client :4040 Good morning",
      "  netdemo message-client :4040 -- localhost:80",
    ]),
  ]);
}

function jsonPage(columns: number): string {
  const rows = Object.entries(events).map(([name, { about, fields }]): Row => [
    name,
    `${about}: ${namesOf(fields).join(", ")}`,
  ]);
  return pageOf([
    paragraphs(
      "With --json, each line on stdout is one JSON object. Its event says what it is about. An " +
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
