import { durationFlag, readName, readNumber } from "../../cli/arguments/flags.ts";
import { misuse } from "../../cli/errors/failure.ts";
import { reportFlags } from "../../cli/reports/open_report.ts";
import { type ProxyVersion, proxyVersions } from "../../protocol/proxy_header.ts";
import { reasonOf } from "../../sockets/errno.ts";
import { decodeText } from "../../text/encoding.ts";
import type { StatusRange } from "./questions/http.ts";

/** Request sizes in bytes, line end included. */
export interface Sizes {
  readonly least: number;
  readonly most: number;
}

/** Bytes of the largest request that a server takes by default, line end included. */
const MAX_SIZE = 65_537;

/** The flags of a question: they hold for the targets after them. */
export const questionFlags = {
  send: {
    value: "TEXT",
    about:
      "what to send to the targets after it, {nonce} a fresh word; a line end is added unless " +
      "TEXT ends in an escape",
    repeats: true,
    read: readName,
  },
  reply: {
    value: "TEXT",
    about:
      "the reply, whole; {...} is anything; without --send the server speaks first; over HTTP " +
      "what the body must contain",
    repeats: true,
    read: readName,
  },
  status: {
    value: "N",
    about: "HTTP status that is ok, such as 204 or 200-299 (200-399 by default)",
    repeats: true,
    read: readStatus,
  },
  talk: {
    value: "FILE",
    about: "conversation file to play with the targets after it; --timeout is for each reply",
    repeats: true,
    read: readName,
  },
} as const;

/** The flags of check. */
export const flags = {
  timeout: durationFlag("time limit for each probe, all phases together", 5_000),
  for: durationFlag(
    "retry every 250ms until all targets are as expected, for at most D",
    undefined,
  ),
  count: {
    value: "N",
    about: "probe N times; print the loss and the latencies",
    read: readNumber(1, 1_000_000),
  },
  every: durationFlag("interval between the probes of --count", 1_000, { least: 0 }),
  "slower-than": durationFlag("report an ok that took longer as slow", undefined),
  sizes: {
    value: "A..B",
    about: "send requests of A to B bytes; find the largest that passes",
    read: readSizes,
  },
  ...questionFlags,
  "port-file": {
    value: "FILE",
    about: "check localhost at the port in this file, which a server's --port-file writes; --for " +
      "waits for it, and {port} in a target stands for it",
    read: readName,
  },
  first: { about: "play only the first conversation of each --talk" },
  targets: {
    value: "FILE",
    about: "read targets from a file, one per line, # starts a comment; - is stdin",
    read: readName,
  },
  ca: {
    value: "FILE",
    about:
      "trust the issuers in this file (PEM) instead of the usual ones, for tls:// and https://",
    read: readPem,
  },
  days: {
    value: "N",
    about: "require certificates to be valid for N more days",
    read: readNumber(0, 10_000),
  },
  "proxy-protocol": {
    value: "v1|v2",
    about: "send a header of the PROXY protocol first, to backends that require one",
    read: readProxyVersion,
  },
  ipv4: { short: "4", about: "check only IPv4 addresses" },
  ipv6: { short: "6", about: "check only IPv6 addresses" },
  strict: {
    about: "require every address to be as expected, and an answer from each blocked host",
  },
  ...reportFlags,
};

/** Reads a status, or a range of them. @throws {Failure} of kind `USAGE`. */
function readStatus(text: string, flag: string): StatusRange {
  const [, from = "", to = from] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  const canBe = last >= 200 || (first <= 101 && last >= 101); // other 1xx are no final answer
  if (first > 0 && first <= last && canBe) return { first, last };
  throw misuse(`${flag} must be an HTTP status or a range: received '${text}'`, {
    hint: `for example ${flag} 204 or ${flag} 200-299`,
  });
}

/** Reads `A..B`. @throws {Failure} of kind `USAGE`. */
function readSizes(text: string, flag: string): Sizes {
  const [, from = "", to = ""] = /^(\d{1,6})\.\.(\d{1,6})$/.exec(text) ?? [];
  const [least, most] = [Number(from || NaN), Number(to || NaN)];
  if (least >= 1 && least <= most && most <= MAX_SIZE) return { least, most };
  throw misuse(
    `${flag} must be A..B, bytes from 1 to ${MAX_SIZE}, A at most B: received '${text}'`,
    { hint: `for example ${flag} 100..9000` },
  );
}

/** Reads a version of the PROXY protocol. @throws {Failure} of kind `USAGE`. */
function readProxyVersion(text: string, flag: string): ProxyVersion {
  const version = proxyVersions.find((known) => known === text);
  if (version !== undefined) return version;
  throw misuse(`${flag} must be ${proxyVersions.join(" or ")}: received '${text}'`);
}

/** Reads a file of certificates. @throws {Failure} of kind `USAGE`. */
function readPem(path: string, flag: string): string {
  const hint = "it must be in PEM, with -----BEGIN CERTIFICATE-----";
  try {
    const text = decodeText(Deno.readFileSync(path));
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  } catch (cause) {
    throw misuse(`${flag}: cannot read '${path}': ${reasonOf(cause)}`, { cause, hint });
  }
  throw misuse(`${flag}: '${path}' holds no certificate`, { hint });
}

/** The description in check's help. */
export const about =
  `Asks each TARGET a question that only a live server can answer, reports how far
the probe got, and compares the verdict with the expected one.
TARGET   [tcp://|udp://|tls://]HOST:PORT[/SERVICE], unix:PATH[/SERVICE] or
         http[s]://HOST[:PORT][/PATH]; :4040 is this host
SERVICE  calc (the default): two random 64-bit numbers; lab, echo, upper: a
         random word; message, hello: this proves only that the server is there;
         open: any TCP port, the handshake alone (with tls:// that of TLS, too)
EXPECT   ok (the default), one of the verdicts below, or blocked, which is
         refused, dropped or unreachable (over UDP also silent)

verdict      exit  what it proves
ok           0     a live service answered a fresh question
open         0     the handshake completed (service open), nothing more
slow         1     ok, but later than --slower-than
wrong        1     the path is open, but the answer is not the right one
untrusted    1     its certificate can't be trusted; the reason is shown
closed       14    accepted, then closed before the reply was complete
reset        13    accepted, then reset
silent       124   accepted, then no reply; over UDP no reply at all
refused      11    refused: no listener, or a rejecting firewall
unreachable  12    rejected by a router; the reason is shown
dropped      124   no answer: a firewall that drops, or a host that is off
dns          10    no such name, or no answer from the name server
error        1     this host could not probe it: no route, its own firewall, no
                   free port, too busy; never as expected

Each address of a name gets a row. A target is as expected if one address is,
with a note on the others; --strict requires all of them. A target is not blocked
if any of its addresses lets a connection through. The exit code is 0 if all
targets are as expected, otherwise that of the first that is not, or 1 if that
is 0.

A firewall that drops looks just like a host that is off, so also check something
at the same address that answers in any way, if only with a refusal: without that
a block gets a note, and with --strict it fails. An address of a family that this
host lacks, such as IPv6, gets a note and does not count.

Linux repeats a connection request after 1s, and learns after 3s that a host on
its own network is off. With a timeout under 3.1s such a host looks dropped; under
1.1s so does one behind an IPv6 firewall that rejects. Windows asks three times
before it reports a refusal: under 2.1s, refused looks dropped there.

Up to 64 probes are busy at once; those that wait for an answer let others go ahead.
Only that wait counts towards --timeout, not what this host needs for itself.
A check ends if the process that started it is gone, unless it prints to a
terminal or a file, writes --junit, or counts.`;

export const examples: readonly string[] = [
  "netdemo check localhost:4040",
  "netdemo check web:4040 udp://web:4040 dropped=web:5432 web:22/open",
  "netdemo check localhost:4040 --for 30s",
  "netdemo check --port-file port.txt --for 30s",
  "netdemo check localhost:4040 --count 100 --every 10ms",
  "netdemo check web:4040 --sizes 100..9000 --timeout 1s",
  "netdemo check --send 'ECHO {nonce}' --reply '$16\\n{nonce}' cache:6379 --reply '220 {...}' mail:25",
  "netdemo check https://web/health --reply ready --days 14",
  "netdemo check tls://mail:993 --reply '* OK{...}' -4",
  "netdemo check --talk calculator.talk :7000 :7001",
  "netdemo check --targets targets.txt --junit report.xml",
];
