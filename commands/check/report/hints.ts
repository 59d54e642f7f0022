import type { Protocol } from "../../../protocol/addresses.ts";
import { wildcardHint } from "../../../cli/errors/words.ts";
import { systemWords } from "../../../cli/system_words.ts";
import { NO_PROXY_PROTOCOL } from "../../../protocol/first_bytes.ts";
import { shellWord } from "../../../text/shell.ts";
import { visibleBytes } from "../../../text/visible.ts";
import type { AssessedRow, AssessedTarget, Row } from "../rounds/assessment.ts";
import type { CustomQuestion } from "../questions/custom.ts";
import { startsLikeHttp } from "../questions/http.ts";
import { zoneWords } from "./words.ts";
import { isAnswer, type Verdict } from "../probe/verdict.ts";

/** What to do next about a target that is not as expected. */
export function hintFor(
  { expected, verdict, rows }: AssessedTarget,
  { listeners, localPrivacy } = systemWords(),
): string {
  const { expect, question, target } = expected;
  if (!isAnswer(expect)) {
    if (isAnswer(verdict)) return "the path is open: no rule blocks it";
    return `expected ${expect}, found ${verdict}; netdemo help check says what each proves`;
  }
  if (expect === "slow" && isAnswer(verdict)) return "it takes no longer than --slower-than allows";
  const row = rows.find((row) => row.verdict === verdict);
  if (row?.limit?.passedSize !== undefined && verdict === "silent") return SMALL_MTU;
  if (row !== undefined && question === undefined && isCut(row)) return CUT;
  if (row !== undefined && visibleBytes(row.probed.reply).startsWith(NO_PROXY_PROTOCOL)) {
    return PROXY_HEADER;
  }
  const stage = row && (hintForTls(row) ?? hintForHttp(row));
  if (stage !== undefined) return stage;
  if (question?.form === "text" && verdict !== "slow") {
    const hint = hintForQuestion(question, rows);
    if (hint !== undefined) return hint;
  }
  if (verdict === "error" && "host" in target) {
    const byAddress = wildcardHint(target.host) ?? (row && zoneWords(row)?.hint);
    if (byAddress !== undefined) return byAddress;
  }
  const hint = hintsOver[target.protocol][verdict] ?? hints[verdict];
  if (verdict === "unreachable" && localPrivacy !== undefined) return `${hint}; ${localPrivacy}`;
  return verdict === "refused" && target.protocol !== "unix"
    ? `${hint}: on that host, ${listeners} shows listeners`
    : hint;
}

const SMALL_MTU =
  "only large requests are lost: look for a link with a smaller MTU on the way, and " +
  "for a firewall that drops the ICMP messages about it";

const PROXY_HEADER = "a proxy in front of it, or --proxy-protocol, sends a header before the " +
  "question: switch that off, such as send-proxy in haproxy";
const CUT =
  "its reply began and did not end: the server failed meanwhile, or something in between, " +
  "or it speaks another protocol";

/** Whether a part of a reply came, and nothing more. */
function isCut({ verdict, probed: { ending, bytes } }: Row): boolean {
  return bytes > 0 && ending.phase === "reply" && (verdict === "closed" || verdict === "silent");
}

/** What to do about a handshake that came to nothing: no question has been asked yet. */
function hintForTls({ expected: { http }, verdict, probed: { ending } }: Row): string | undefined {
  if (ending.phase !== "tls") return undefined;
  const plain = http === undefined ? "leave out tls://" : "write http:// for https://";
  if (verdict === "silent" || verdict === "closed" || verdict === "reset") {
    return `it may speak no TLS (then ${plain}), or something in between forwards to no server`;
  }
  if (verdict !== "wrong" || ending.how !== "failed") return undefined;
  if (ending.problem === "not TLS") return `it speaks no TLS at this port: ${plain}`;
  return ending.problem === "expires soon"
    ? "renew the certificate, or ask for fewer days with --days"
    : "see what its log says of the handshake";
}

/** What to do about the answer of a web server, or of what is none. */
function hintForHttp({ expected: { http, tls }, verdict, probed }: Row): string | undefined {
  const { ending, bytes, answer, reply } = probed;
  if (http === undefined || ending.phase !== "reply") return undefined;
  const protocol = tls === undefined ? "another protocol or TLS (https://)" : "another protocol";
  if (bytes === 0 && (verdict === "closed" || verdict === "silent")) {
    return `it may hang, speak ${protocol}, or be a forwarder with no server behind it`;
  }
  if (verdict !== "wrong") return undefined;
  if (answer === undefined && startsLikeHttp(reply)) {
    return "see its log: what it sends is no answer to a request";
  }
  if (answer === undefined) return `it speaks ${protocol}: is this the port of the web server?`;
  if (answer.status === 400 && tls === undefined) {
    return "it refuses the request: if it expects TLS, write https:// for http://";
  }
  return answer.status < http.status.first || answer.status > http.status.last
    ? `it answers, but not as expected: see its log, or accept that with --status ${answer.status}`
    : "it answers, but with another body: compare that with --reply";
}

/** What to do about a question of the user's own. */
function hintForQuestion(
  { send, reply }: CustomQuestion,
  rows: readonly AssessedRow[],
): string | undefined {
  const [, http] = /^((?:GET|HEAD|OPTIONS) \S+ HTTP\/1\.[01])(?:\\r)?(?:\\n)?$/.exec(send ?? "") ??
    [];
  if (http !== undefined) {
    return `an empty line ends an HTTP request: --send ${shellWord(`${http}\\r\\n\\r\\n`)}`;
  }
  const holdsIt = rows.some(({ verdict, asked, probed }) =>
    verdict === "wrong" && visibleBytes(probed.reply).includes(asked?.expected ?? "")
  );
  if (holdsIt) {
    const contains = shellWord(`{...}${reply}{...}`);
    return `the reply holds more than --reply says; to allow that, write --reply ${contains}`;
  }
  return rows.some(({ verdict }) => verdict === "wrong")
    ? "it answers, but not as --reply says: compare the two"
    : undefined;
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
  untrusted:
    "renew the certificate, name the issuer with --ca FILE, or check the name that it is for",
  closed:
    "it speaks another protocol (try /open), or is a forwarder that accepts with no server behind it",
  reset: "the server crashed or refused the request, or something in between cut the connection",
  silent:
    "it accepts but does not answer: it may be busy with another client, hang, or speak another protocol (try /open)",
  refused: "nothing is listening there, or a firewall rejects it",
  unreachable: "there is no route, the host is off, or a firewall prohibits it",
  dropped: "a firewall drops it, or the host is off: both look the same from here",
  dns: "check the spelling, and which name server this host asks",
  error: "the probe could not run, so nothing is known about the target",
};
