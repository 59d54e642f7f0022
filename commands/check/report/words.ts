import { formatEndpoint } from "../../../protocol/addresses.ts";
import { unknownZone } from "../../../cli/errors/words.ts";
import { deviationWords } from "../../../cli/errors/deviation_words.ts";
import { formatDuration } from "../../../protocol/duration.ts";
import { system } from "../../../sockets/system.ts";
import { contrasted } from "../../../text/contrast.ts";
import { visibleBytes } from "../../../text/visible.ts";
import { cutTo } from "../../../text/width.ts";
import type { Row } from "../rounds/assessment.ts";
import type { HttpAnswer } from "../questions/challenge.ts";
import { MAX_HEAD, startsLikeHttp } from "../questions/http.ts";
import { noAddress } from "../rounds/rounds.ts";
import { type Certificate, daysLeft } from "../probe/tls.ts";
import { type Failed, isAnswer, isReply } from "../probe/verdict.ts";
import { counted } from "../../../text/counted.ts";

const LF = 0x0a;
const CR = 0x0d;
/** Characters of a reply to show. */
const QUOTED = 80;

/** Names of a certificate to show. */
const MAX_NAMES = 5;

/** Milliseconds without a byte that are worth naming: a peer that sends slowly is not silent. */
const MIN_SILENCE_MS = 200;

/** Milliseconds after which Linux sends a connection request again. */
const REQUEST_AGAIN_MS = 1_000;

/** Milliseconds for people: `0.4`, `17.3`, `1003`. */
export function milliseconds(value: number): string {
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/** `resolve 0.6  connect 0.4  reply 0.5 ms`: the phases that were reached. */
function durations({ resolveMs, asked, probed }: Row): string {
  const { connectMs, tlsMs, firstByteMs, replyMs } = probed;
  const reply = asked?.form === "http"
    ? { "first byte": firstByteMs, whole: replyMs }
    : { reply: replyMs };
  const phases = { resolve: resolveMs, connect: connectMs, tls: tlsMs, ...reply };
  const shown = Object.entries(phases).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${milliseconds(value)}`]
  );
  return `${shown.join("  ")} ms`;
}

/** The finding at an address, on one line. */
export function detailOf(row: Row): string {
  const { verdict, probed: { ending, answer, certificate } } = row;
  const found = isAnswer(verdict)
    ? [answer && statusWords(answer), certificate && validityWords(certificate)]
    : [];
  const notes = [lostRequests(row), ...found, caveat(row)].filter((note) => note !== undefined);
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
      return `connect: no answer in ${longest}${shortness(elapsedMs)}`;
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
      return ending.phase === "tls" ? tlsDetail(row, ending) : wrongDetail(row);
    case "untrusted":
      return tlsDetail(row, ending);
    default:
      return `${ending.phase}: ${zoneWords(row)?.why ?? errorWords(ending)}`;
  }
}

/** What to add to a timeout after which this system may still learn why there is no answer. */
function shortness(elapsedMs: number): string {
  if (elapsedMs < system.refusalMs) {
    return "  (Windows reports no refusal before 2s; --timeout 2.1s waits for it)";
  }
  return elapsedMs < REQUEST_AGAIN_MS
    ? "  (to a single request; --timeout 3.1s is more reliable)"
    : "";
}

function dnsWords({ kind, errno }: Failed, longest: string): string {
  if (kind === "TIMEOUT") return `no answer from the name server in ${longest}`;
  if (errno === noAddress.errno) return "it has no address of that family";
  if (errno === "EAI_AGAIN") return "no answer from the name server (EAI_AGAIN)";
  return errno === undefined || errno === "ENOTFOUND" ? "no such name" : `failed (${errno})`;
}

function silentWords(
  { expected, probed: { ending, bytes, silentMs = 0 } }: Row,
  longest: string,
): string {
  if (ending.phase === "tls") return `tls: connected, then no handshake in ${longest}`;
  if (bytes > 0) {
    return silentMs < MIN_SILENCE_MS
      ? `reply: ${counted(bytes, "byte")} in ${longest}, and still not whole`
      : `reply: ${counted(bytes, "byte")} of a reply, then nothing for ${
        milliseconds(silentMs)
      } ms`;
  }
  if (expected.target.protocol === "udp") return `reply: none in ${longest}`;
  return `reply: connected, then none in ${longest}`;
}

function endWords({ probed }: Row, how: "closed" | "reset"): string {
  const { ending, bytes, tlsMs = 0, replyMs = 0 } = probed;
  if (ending.phase === "tls") {
    return `tls: accepted, then ${how} after ${milliseconds(tlsMs)} ms, during the handshake`;
  }
  const what = bytes === 0 ? "without a byte" : `with ${counted(bytes, "byte")} of a reply`;
  return `reply: accepted, then ${how} after ${milliseconds(replyMs)} ms ${what}`;
}

/** What is wrong with a handshake, or with a certificate. */
function tlsDetail({ expected, probed }: Row, { problem, message = "" }: Failed): string {
  const { certificate, reply } = probed;
  if (problem === "not TLS") {
    return `tls: it answers "${cutTo(firstLine(reply), QUOTED)}", which is not TLS`;
  }
  if (problem === "TLS refused" || certificate === undefined) {
    return `tls: the handshake was refused: ${message}`;
  }
  const { validFrom, validTo, names, issuer, isSelfSigned, distrust } = certificate;
  const days = daysLeft(certificate);
  switch (distrust) {
    case "expired":
      return `tls: the certificate expired ${daysWords(-1 - days)} ago, on ${dateOf(validTo)}`;
    case "not yet valid":
      return `tls: the certificate is not valid before ${dateOf(validFrom)}`;
    case "other name":
      return `tls: the certificate is not valid for ${expected.tls?.host}, ${namesWords(names)}`;
    case "unknown issuer":
      return isSelfSigned
        ? `tls: the certificate is signed by itself: ${issuer}`
        : `tls: the issuer of the certificate is unknown: ${issuer}`;
    case undefined:
      return `tls: the certificate is valid for ${daysWords(days)} only, until ${dateOf(validTo)}`;
  }
}

/** What a certificate is for; some are for hundreds of names. */
function namesWords(names: readonly string[]): string {
  if (names.length === 0) return "and names no host at all (a CN does not count)";
  const more = names.length - MAX_NAMES;
  return `but for ${cutTo(names.slice(0, MAX_NAMES).join(", "), QUOTED)}${
    more > 0 ? ` and ${more} more` : ""
  }`;
}

function daysWords(days: number): string {
  return days < 1 ? "less than a day" : counted(days, "day");
}

function dateOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** What a web server answered: `200 OK`, `301 Moved Permanently, to https://web/`. */
function statusWords({ status, reason, location }: HttpAnswer): string {
  const to = location === undefined ? "" : `, to ${cutTo(location, QUOTED)}`;
  return `${status} ${cutTo(reason, QUOTED)}`.trimEnd() + to;
}

/** How long a certificate is still valid. */
function validityWords(certificate: Certificate): string {
  return `certificate valid for ${daysWords(daysLeft(certificate))}`;
}

/** What is wrong with the answer of a web server. */
function httpDetail({ expected, asked, probed: { answer, reply, bytes } }: Row): string {
  if (answer === undefined) {
    return startsLikeHttp(reply) && bytes > MAX_HEAD
      ? "reply: a status, and headers of more than 64 KiB"
      : `reply: "${cutTo(firstLine(reply), QUOTED)}", which is not HTTP`;
  }
  const { first = 0, last = 0 } = expected.http?.status ?? {};
  const words = statusWords(answer);
  if (answer.status < first || answer.status > last) {
    return `reply: ${words}, not ${first === last ? first : `${first}-${last}`}`;
  }
  if (asked?.expected === "") return `reply: ${words}, with a body that breaks the rules of HTTP`;
  const encoded = answer.encoding === undefined ? "" : `, which is encoded (${answer.encoding})`;
  return `reply: ${words}, but "${asked?.expected}" is not in its body${encoded}`;
}

function wrongDetail(row: Row): string {
  const { asked, probed: { ending, reply, bytes, deviation } } = row;
  const { form, expected = "" } = asked ?? {};
  if (form === "http") return httpDetail(row);
  if (deviation !== undefined) return `reply: ${deviationWords(deviation)}`;
  if (form === "end") return "reply: bytes arrived, but hello only closes";
  const isTooLong = ending.how === "failed" && ending.problem === "too long";
  if (form === "text") {
    const [received, right] = contrasted(quotable(visibleBytes(reply)), expected, QUOTED);
    const read = isTooLong ? `, of which ${counted(bytes, "byte")} were read` : "";
    return `reply: "${received}"${read}, not "${right}"`;
  }
  if (isTooLong) return `reply: ${counted(bytes, "byte")}, and no whole reply`;
  const [received, right] = contrasted(firstLine(reply), expected, QUOTED);
  return `reply: "${received}", not "${right}"`;
}

/** The first line that is not empty, made visible. */
function firstLine(reply: Uint8Array): string {
  const text = reply.subarray(reply.findIndex((byte) => byte !== LF && byte !== CR));
  const end = text.indexOf(LF);
  return visibleBytes(end === -1 ? text : text.subarray(0, end)).replace(/\\r$/, "");
}

/** What an `ok` does not prove, if the question was not a fresh one. */
function caveat({ verdict, asked }: Row): string | undefined {
  if (!isReply(verdict) || asked === undefined) return undefined;
  if (asked.form === "end") return "a forwarder without a server closes as well";
  if (asked.form === "http") return undefined; // docs/check.md says what it does not prove
  if (asked.echo) return "an echo looks the same";
  return asked.fresh ? undefined : "it is there; a canned reply looks the same";
}

/** Linux repeats a connection request after whole seconds: a connect that took as long lost one. */
function lostRequests({ probed: { ending, connectMs = 0 } }: Row): string | undefined {
  const connected = ending.how === "connected" || ending.phase === "reply";
  const late = connectMs % REQUEST_AGAIN_MS;
  const again = connectMs >= REQUEST_AGAIN_MS && late < 300;
  return connected && again ? "a connection request was lost" : undefined;
}

/** Without the line end at its end, which most replies have. */
function quotable(text: string): string {
  return text.replace(/(?:\\r)?\\n$/, "");
}

/** Why an address could not be probed that has a zone, if that is the reason. */
export function zoneWords({ remote, probed: { ending } }: Row) {
  if (ending.how !== "failed" || ending.problem !== undefined) return undefined;
  // The runtime looks a zone up like a name, and then there is no other errno.
  if (ending.errno !== undefined && ending.errno !== "ENOTFOUND") return undefined;
  return remote !== undefined && "hostname" in remote ? unknownZone(remote.hostname) : undefined;
}

/** Why a probe could not be made, which says nothing about the target. */
function errorWords({ problem, errno }: Failed): string {
  if (problem === "too busy") return "this process was too busy to tell";
  const words = problem === "this host" ? errnosHere[errno ?? ""] : undefined;
  return words === undefined ? errnoWords(errno) : `${words} (${errno})`;
}

/** What an errno means that does not come from the network, but from this host. */
const errnosHere: Readonly<Record<string, string>> = {
  EACCES: "a route of this host prohibits it",
  EADDRNOTAVAIL: "this host has no free port, or no address of that kind",
  EAFNOSUPPORT: "this host has no addresses of that kind",
  EHOSTUNREACH: "a route of this host says that it can't be reached",
  EINVAL: "a route of this host discards everything",
  ENETDOWN: "the network of this host is down",
  ENETUNREACH: "this host has no route there, or the address stands for many hosts",
  EPERM: "the firewall of this host prohibits it",
};

const errnos: Readonly<Record<string, string>> = {
  EACCES: "prohibited",
  EAGAIN: "its queue of connections is full",
  ECONNREFUSED: "nothing is listening there",
  EHOSTDOWN: "the host is down",
  EHOSTUNREACH: "the host can't be reached, or a firewall prohibits it",
  EMFILE: "too many open files",
  EMSGSIZE: "too large for one datagram",
  ENAMETOOLONG: "the path is too long for a socket",
  ENETUNREACH: "no route to that network",
  ENOENT: "no such file",
  ENOTDIR: "a part of the path is not a folder",
  ENOTSOCK: "the file is not a socket",
};

function errnoWords(errno: string | undefined): string {
  if (errno === undefined) return "failed";
  const words = errnos[errno];
  return words === undefined ? errno : `${words} (${errno})`;
}
