import { formatEndpoint, type Protocol } from "../../protocol/addresses.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { contrasted } from "../../text/contrast.ts";
import type { AssessedTarget, Row } from "./assessment.ts";
import type { Expectation } from "./targets.ts";
import type { Limit } from "./sizes.ts";
import type { Spread } from "./series.ts";
import type { Failed, Verdict } from "./verdict.ts";

/** Characters of a reply to show. */
const QUOTED = 80;

/** Milliseconds after which Linux sends a connection request again. */
const REQUEST_AGAIN_MS = 1_000;
/** What to add to a timeout too short for a second connection request. */
const ONE_REQUEST = "  (to a single request; --timeout 3.1s is more reliable)";

/** Milliseconds for people: `0.4`, `17.3`, `1003`. */
export function milliseconds(value: number): string {
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** `resolve 0.6  connect 0.4  reply 0.5 ms`: the phases that were reached. */
function durations({ resolveMs, probed: { connectMs, replyMs } }: Row): string {
  const phases = { resolve: resolveMs, connect: connectMs, reply: replyMs };
  const shown = Object.entries(phases).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${milliseconds(value)}`]
  );
  return `${shown.join("  ")} ms`;
}

/** The finding at an address, on one line. */
export function detailOf(row: Row): string {
  const { verdict, probed: { ending } } = row;
  const notes = [lostRequests(row), caveat(row)].filter((note) => note !== undefined);
  const after = notes.length === 0 ? "" : `  (${notes.join("; ")})`;
  if (ending.how === "failed") return failureDetail(row, ending) + after;
  if (verdict === "wrong") return wrongDetail(row);
  return durations(row) + after;
}

function failureDetail(row: Row, ending: Failed): string {
  const { verdict, probed: { connectMs = 0, elapsedMs, stranger } } = row;
  const longest = formatDuration(row.timeout);
  switch (verdict) {
    case "dns":
      return `resolve: ${dnsWords(ending, longest)}`;
    case "dropped":
      return `connect: no answer in ${longest}${elapsedMs < REQUEST_AGAIN_MS ? ONE_REQUEST : ""}`;
    case "refused":
      return ending.errno === "ECONNREFUSED" || ending.errno === undefined
        ? `${ending.phase} ${milliseconds(connectMs || elapsedMs)} ms`
        : `connect: ${errnoWords(ending.errno)}`;
    case "unreachable":
      return `${ending.phase}: ${errnoWords(ending.errno)}, after ${milliseconds(elapsedMs)} ms`;
    case "silent": {
      if (stranger === undefined) return silentWords(row, longest);
      return `reply: none in ${longest}, but one from ${formatEndpoint(stranger)}`;
    }
    case "closed":
    case "reset":
      return endWords(row, verdict);
    case "wrong":
      return wrongDetail(row);
    default:
      return `${ending.phase}: ${errnoWords(ending.errno)}`;
  }
}

function dnsWords({ kind, errno }: Failed, longest: string): string {
  if (kind === "TIMEOUT") return `no answer from the name server in ${longest}`;
  if (errno === "EAI_AGAIN") return "no answer from the name server (EAI_AGAIN)";
  return errno === undefined || errno === "ENOTFOUND" ? "no such name" : `failed (${errno})`;
}

function silentWords({ expected, probed: { bytes } }: Row, longest: string): string {
  if (bytes > 0) return `reply: ${count(bytes)} of a reply, then nothing in ${longest}`;
  if (expected.target.protocol === "udp") return `reply: none in ${longest}`;
  return `reply: connected, then none in ${longest}`;
}

function endWords({ probed: { bytes, replyMs = 0 } }: Row, how: "closed" | "reset"): string {
  const what = bytes === 0 ? "without a byte" : `with ${count(bytes)} of a reply`;
  return `reply: accepted, then ${how} after ${milliseconds(replyMs)} ms ${what}`;
}

function wrongDetail({ challenge, probed: { ending, reply, bytes } }: Row): string {
  const problem = ending.how === "failed" ? ending.problem : undefined;
  if (problem === "not text") return `reply: ${count(bytes)} that are not UTF-8 text`;
  if (problem === "too long") return `reply: ${count(bytes)} without a line end`;
  if (challenge?.form === "end") return "reply: bytes arrived, but hello only closes";
  const { form, expected = "" } = challenge ?? {};
  if (form === "lines") return `reply: ${quoted(reply)}, none with ${quoted(expected)}`;
  const [received, right] = contrasted(reply, expected, QUOTED);
  return `reply: "${received}", not "${right}"`;
}

/** What an `ok` does not prove, if the question was not a fresh one. */
function caveat({ verdict, challenge }: Row): string | undefined {
  if ((verdict !== "ok" && verdict !== "slow") || challenge === undefined) return undefined;
  if (challenge.form === "end") return "a forwarder without a server closes as well";
  if (challenge.fresh) return undefined;
  return challenge.request?.includes(challenge.expected)
    ? "an echo looks the same"
    : "it is there; a canned reply looks the same";
}

/** Linux repeats a connection request after whole seconds: a connect that took as long lost one. */
function lostRequests({ probed: { ending, connectMs = 0 } }: Row): string | undefined {
  const connected = ending.how === "connected" || ending.phase === "reply";
  const late = connectMs % REQUEST_AGAIN_MS;
  const again = connectMs >= REQUEST_AGAIN_MS && late < 300;
  return connected && again ? "a connection request was lost" : undefined;
}

const errnos: Readonly<Record<string, string>> = {
  EACCES: "prohibited",
  EADDRNOTAVAIL: "this host has no free port, or no address of that kind",
  EAGAIN: "its queue of connections is full",
  ECONNREFUSED: "nothing is listening there",
  EHOSTDOWN: "the host is down",
  EHOSTUNREACH: "the host can't be reached, or a firewall prohibits it",
  EINVAL: "the route discards everything",
  EMFILE: "too many open files",
  EMSGSIZE: "too large for one datagram",
  ENAMETOOLONG: "the path is too long for a socket",
  ENETDOWN: "the network is down",
  ENETUNREACH: "no route to that network",
  ENOENT: "no such file",
  ENOTSOCK: "the file is not a socket",
  EPERM: "prohibited on this host",
};

function errnoWords(errno: string | undefined): string {
  if (errno === undefined) return "failed";
  const words = errnos[errno];
  return words === undefined ? errno : `${words} (${errno})`;
}

function count(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}

/** A text in quotes, cut if it is long. */
function quoted(text: string): string {
  const trimmed = text.replace(/\n$/, "");
  return `"${trimmed.length <= QUOTED ? trimmed : `${trimmed.slice(0, QUOTED)}...`}"`;
}

/** `p50 0.3  p95 0.4  p99 0.9  max 1.2 ms` */
export function spreadWords({ p50, p95, p99, max }: Spread): string {
  const [a, b, c, d] = [p50, p95, p99, max].map(milliseconds);
  return `p50 ${a}  p95 ${b}  p99 ${c}  max ${d} ms`;
}

/** Which sizes pass, and what happens to one that does not. */
export function limitWords({ passedSize, failedSize }: Limit<unknown>, detail: string): string {
  if (failedSize === undefined) return `all sizes up to ${passedSize} bytes pass`;
  const failed = `${failedSize} do not: ${detail}`;
  return passedSize === undefined
    ? `requests of ${failed}`
    : `up to ${passedSize} bytes pass, ${failed}`;
}

/** `waiting: web:8080 is refused, db:5432 is dropped`: what is not as expected yet. */
export function waitingWords(targets: readonly AssessedTarget[]): string {
  const waiting = targets.filter(({ asExpected }) => !asExpected);
  if (waiting.length === 0) return "";
  const named = waiting.slice(0, 3).map(({ expected, verdict }) =>
    `${expected.text} is ${verdict}`
  );
  const more = waiting.length > named.length ? ` and ${waiting.length - named.length} more` : "";
  return `waiting: ${named.join(", ")}${more}`;
}

/** What to do next about a target that is not as expected. */
export function hintFor(expected: Expectation, verdict: Verdict): string {
  const { expect, target: { protocol } } = expected;
  if (expect !== "ok" && expect !== "open" && expect !== "slow") {
    if (verdict === "ok" || verdict === "open" || verdict === "slow") {
      return "the path is open: no rule blocks it";
    }
    return `expected ${expect}, found ${verdict}; netdemo help check says what each proves`;
  }
  return hintsOver[protocol][verdict] ?? hints[verdict];
}

const hintsOver: Readonly<Record<Protocol, Partial<Record<Verdict, string>>>> = {
  tcp: {},
  udp: {
    silent: "over UDP refused, dropped and silent look alike: look at the server, or ask over TCP",
  },
  unix: { refused: "start the server, or check the path" },
};

const hints: Readonly<Record<Verdict, string>> = {
  ok: "the path is open and the service answers",
  slow: "it works, but takes longer than --slower-than allows: see which phase took long",
  open: "the handshake alone proves nothing about the service: leave out /open to ask it",
  wrong: "something else answers there; name its service after a slash, or use --send and --reply",
  closed: "a forwarder that accepts with no server behind it does this; check what it forwards to",
  reset: "the server crashed or refused the request, or something in between cut the connection",
  silent: "it accepts but does not answer: it may hang, or speak another protocol (try /open)",
  refused:
    "nothing is listening there, or a firewall rejects it: on that host, ss -ltn shows listeners",
  unreachable: "there is no route, the host is off, or a firewall prohibits it",
  dropped: "a firewall drops it, or the host is off: both look the same from here",
  dns: "check the spelling, and which name server this host asks",
  error: "the probe could not run, so nothing is known about the target",
};
