/** How a check judges the outcomes of its probes, without sockets. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { exitCodes, Failure } from "../cli/errors/failure.ts";
import { assess, meets, type Row } from "../commands/check/rounds/assessment.ts";
import type { Challenge } from "../commands/check/questions/challenge.ts";
import { customQuestion } from "../commands/check/questions/custom.ts";
import { type Expectation, parseExpectation } from "../commands/check/targets/targets.ts";
import { flags } from "../commands/check/flags.ts";
import { findLimit } from "../commands/check/rounds/modes.ts";
import { spreadOf } from "../commands/check/rounds/series.ts";
import { failureOfCheck } from "../commands/check/report/results.ts";
import {
  type Failed,
  failureOf,
  furthest,
  type ProbeEnding,
  type Verdict,
  verdictOf,
  verdicts,
} from "../commands/check/probe/verdict.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const failed = (phase: Failed["phase"], kind: Failed["kind"], rest: Partial<Failed> = {}) =>
  ({ how: "failed", phase, kind, ...rest }) as const;

/** Outcomes, each with the verdict it deserves. */
const judgements: readonly (readonly [ProbeEnding, Verdict])[] = [
  [{ how: "answered", phase: "reply", right: true }, "ok"],
  [{ how: "answered", phase: "reply", right: false }, "wrong"],
  [{ how: "connected", phase: "connect" }, "open"],
  [failed("resolve", "DNS", { errno: "ENOTFOUND" }), "dns"],
  [failed("resolve", "DNS", { errno: "EAI_AGAIN" }), "dns"],
  [failed("resolve", "TIMEOUT"), "dns"],
  [failed("connect", "REFUSED", { errno: "ECONNREFUSED" }), "refused"],
  [failed("connect", "UNREACHABLE", { errno: "EHOSTUNREACH" }), "unreachable"],
  [failed("connect", "UNREACHABLE", { errno: "ENETUNREACH" }), "unreachable"],
  [failed("connect", "UNREACHABLE", { errno: "EACCES" }), "unreachable"],
  [failed("connect", "UNREACHABLE", { errno: "EINVAL" }), "unreachable"],
  [failed("connect", "UNREACHABLE", { errno: "ENETUNREACH", problem: "this host" }), "error"],
  [failed("send", "UNREACHABLE", { errno: "EPERM", problem: "this host" }), "error"],
  [failed("connect", "ERROR", { problem: "too busy" }), "error"],
  [failed("tls", "CLOSED"), "closed"],
  [failed("tls", "RESET", { errno: "ECONNRESET" }), "reset"],
  [failed("tls", "TIMEOUT"), "silent"],
  [failed("tls", "ERROR", { problem: "not TLS" }), "wrong"],
  [failed("tls", "ERROR", { problem: "TLS refused" }), "wrong"],
  [failed("tls", "ERROR", { problem: "expires soon" }), "wrong"],
  [failed("tls", "ERROR", { problem: "untrusted" }), "untrusted"],
  [{ how: "connected", phase: "tls" }, "open"],
  [failed("reply", "ERROR", { problem: "too busy" }), "error"],
  [failed("resolve", "ERROR", { problem: "too busy" }), "error"],
  [failed("connect", "TIMEOUT"), "dropped"],
  [failed("connect", "TIMEOUT", { errno: "ETIMEDOUT" }), "dropped"],
  [failed("connect", "RESET", { errno: "ECONNRESET" }), "reset"],
  [failed("connect", "ERROR", { errno: "EMFILE" }), "error"],
  [failed("send", "UNREACHABLE", { errno: "ENETUNREACH" }), "unreachable"],
  [failed("send", "REFUSED", { errno: "ECONNREFUSED" }), "refused"],
  [failed("send", "ERROR", { errno: "EMSGSIZE" }), "error"],
  [failed("reply", "TIMEOUT"), "silent"],
  [failed("reply", "CLOSED"), "closed"],
  [failed("reply", "RESET", { errno: "ECONNRESET" }), "reset"],
  [failed("reply", "ERROR", { problem: "too long" }), "wrong"],
  [failed("reply", "ERROR"), "error"],
];

Deno.test("each way in which a probe can end has one verdict", () => {
  for (const [ending, verdict] of judgements) {
    assertEquals(verdictOf(ending, false), verdict, JSON.stringify(ending));
  }
  // The table must cover every verdict but the one that depends on time.
  const shown = new Set(judgements.map(([, verdict]) => verdict));
  assertEquals(verdicts.filter((verdict) => !shown.has(verdict)), ["slow"]);
});

Deno.test("only a correct answer can be slow", () => {
  for (const [ending, verdict] of judgements) {
    const right = verdict === "ok" || verdict === "open";
    assertEquals(verdictOf(ending, true), right ? "slow" : verdict);
  }
});

Deno.test("each verdict has the exit code that the contract names", () => {
  const codes = Object.fromEntries(verdicts.map((it) => [it, exitCodes[failureOf(it)]]));
  assertEquals(codes, {
    ok: 1, // when not expected
    open: 1,
    slow: 1,
    wrong: 1,
    untrusted: 1,
    silent: 124,
    closed: 14,
    reset: 13,
    refused: 11,
    unreachable: 12,
    dropped: 124,
    dns: 10,
    error: 1,
  });
});

Deno.test("a closed connection counts as further than refused, then unreachable, then dropped", () => {
  assertEquals(furthest(["dropped", "closed", "refused"]), "closed");
  assertEquals(furthest(["dropped", "unreachable", "refused"]), "refused");
  assertEquals(furthest(["dropped", "unreachable"]), "unreachable");
  assertEquals(furthest(["error", "dns", "dropped"]), "dropped");
});

const options = { services: ["calc", "hello"], canBeSlow: true };
const expecting = (text: string): Expectation => parseExpectation(text, options);

Deno.test("each expectation holds for its verdicts and for no others", () => {
  const blocked = ["refused", "unreachable", "dropped"];
  const holding: readonly (readonly [text: string, verdicts: readonly string[]])[] = [
    ["10.0.0.7:1", ["ok"]],
    ["ok=10.0.0.7:1", ["ok"]],
    ["10.0.0.7:1/open", ["open"]],
    ["open=10.0.0.7:1", ["open"]],
    ["blocked=10.0.0.7:1", blocked],
    ["blocked=udp://10.0.0.7:1", ["silent", ...blocked]],
    ["dns=name:1", ["dns"]],
    ...["slow", "wrong", "closed", "reset", "silent", ...blocked].map((verdict) =>
      [`${verdict}=10.0.0.7:1`, [verdict]] as const
    ),
  ];
  for (const [text, expected] of holding) {
    const it = expecting(text);
    assertEquals(
      verdicts.filter((verdict) => meets(verdict, it, it.target.protocol)),
      verdicts.filter((verdict) => expected.includes(verdict)),
      text,
    );
  }
});

Deno.test("an expectation that can never hold is wrong usage, not a finding", () => {
  for (
    const [text, why] of [
      ["error=10.0.0.7:1", "never as expected"],
      ["dropt=10.0.0.7:1", "'dropt=' is not an expectation"],
      ["=10.0.0.7:1", "'=' is not an expectation"],
      ["dns=10.0.0.7:1", "no name to resolve"],
      ["dns=[::1]:1", "no name to resolve"],
      ["open=10.0.0.7:1/calc", "/calc is asked"],
      ["udp://10.0.0.7:1/open", "UDP has no handshake"],
      ["open=udp://10.0.0.7:1", "UDP has no handshake"],
      ["10.0.0.7:1/clac", "not a service"],
      ["10.0.0.7", "it has no port"],
    ] as const
  ) {
    const failure = assertThrows(() => expecting(text), Failure);
    assertEquals(failure.kind, "USAGE");
    assertStringIncludes(failure.message, why, text);
  }
  assertThrows(() => parseExpectation("blocked=[fe80::1]:1", options), Failure, "after a %");
  const never = { ...options, canBeSlow: false };
  assertThrows(() => parseExpectation("slow=web:1", never), Failure, "--slower-than");
  if (Deno.build.os !== "windows") {
    assertEquals(parseExpectation("unix:/tmp/a=b", options).expect, "ok");
  }
});

/** A row as a probe would return it. */
function row(text: string, address: string, verdict: Verdict): Row {
  return {
    expected: expecting(text),
    remote: { hostname: address, port: 1 },
    verdict,
    probed: {
      ending: { how: "connected", phase: "connect" },
      elapsedMs: 1,
      busyMs: 0,
      bytes: 0,
      reply: new Uint8Array(0),
    },
    asked: undefined,
    timeout: 1,
    elapsedMs: 1,
  };
}

Deno.test("one address as expected is enough, with a note on the others; --strict requires all", () => {
  const rows = [row("web:1", "10.0.0.7", "ok"), row("web:1", "fd00::7", "dropped")];
  const [lenient] = assess([rows], false);
  assertEquals(lenient?.asExpected, true);
  assertEquals(lenient?.rows.map(({ status }) => status), ["pass", "note"]);
  const [strict] = assess([rows], true);
  assertEquals(strict?.asExpected, false);
  assertEquals(strict?.rows.map(({ status }) => status), ["pass", "fail"]);
  assertEquals(strict?.failure, "TIMEOUT");
});

Deno.test("a target that one address lets through is not blocked, though another address is", () => {
  const both = (expect: string, verdict: Verdict, scheme = "") => {
    const text = `${expect}=${scheme}web:1`;
    return assess([[row(text, "10.0.0.7", verdict), row(text, "fd00::7", "refused")]], false)[0];
  };
  for (const verdict of ["ok", "slow", "open", "wrong", "closed", "reset", "silent"] as const) {
    const target = both("refused", verdict);
    assertEquals([target?.asExpected, target?.verdict], [false, verdict]);
    assertEquals(target?.rows.map(({ status }) => status), ["fail", "pass"]);
    assertEquals(both("blocked", verdict)?.asExpected, false);
  }
  // A host without IPv6 can't even try an IPv6 address: that lets nothing through.
  for (const verdict of ["unreachable", "dropped", "error"] as const) {
    assertEquals(both("refused", verdict)?.asExpected, true, verdict);
  }
  assertEquals(both("blocked", "silent", "udp://")?.asExpected, true);
  assertEquals(both("blocked", "ok", "udp://")?.asExpected, false);
});

Deno.test("if no address is as expected, the verdict that got furthest counts", () => {
  const rows = [row("web:1", "10.0.0.7", "dropped"), row("web:1", "fd00::7", "closed")];
  const [target] = assess([rows], false);
  assertEquals([target?.verdict, target?.failure], ["closed", "CLOSED"]);
  assertEquals(target?.rows.map(({ status }) => status), ["fail", "fail"]);
});

Deno.test("a block has a control if anything answered at the same address", () => {
  const block = row("dropped=web:2", "10.0.0.7", "dropped");
  const control = (...others: readonly Row[]) => assess([[block], others], false)[0]?.rows[0];
  assertEquals(control(row("web:1", "10.0.0.7", "ok"))?.control, true);
  const answers: readonly Verdict[] = ["slow", "wrong", "closed", "reset", "silent", "refused"];
  for (const verdict of answers) {
    assertEquals(control(row("web:1", "10.0.0.7", verdict))?.control, true, verdict);
  }
  assertEquals(control(row("web:1/open", "10.0.0.7", "open"))?.control, true);
  assertEquals(control(row("web:1", "10.0.0.8", "ok"))?.control, false);
  const silences: readonly Verdict[] = ["dropped", "unreachable", "error"];
  for (const verdict of silences) {
    assertEquals(control(row("web:1", "10.0.0.7", verdict))?.control, false, verdict);
  }
  assertEquals(control(row("udp://web:1", "10.0.0.7", "silent"))?.control, false);
  // A refusal is an answer itself.
  const [refused] = assess([[row("refused=web:2", "10.0.0.7", "refused")]], true);
  assertEquals([refused?.asExpected, refused?.rows[0]?.control], [true, true]);
  // Anything else needs no control.
  assertEquals(assess([[row("web:1", "10.0.0.7", "ok")]], false)[0]?.rows[0]?.control, undefined);
});

Deno.test("a block without a control is a failure only with --strict, of kind ERROR", () => {
  const rows = [row("blocked=web:2", "10.0.0.7", "dropped")];
  assertEquals(assess([rows], false)[0]?.asExpected, true);
  const [target] = assess([rows], true);
  assertEquals([target?.asExpected, target?.failure], [false, "ERROR"]);
  assertEquals(target?.rows[0]?.status, "fail");
});

Deno.test("the exit code is that of the first target that is not as expected", () => {
  const fine = [row("web:1", "10.0.0.7", "ok")];
  const dropped = [row("web:1", "10.0.0.7", "dropped")];
  const refused = [row("web:1", "10.0.0.7", "refused")];
  const open = [row("refused=web:1", "10.0.0.7", "ok")];
  const kind = (...targets: (readonly Row[])[]) => failureOfCheck(assess(targets, false))?.kind;
  assertEquals(kind(fine), undefined);
  assertEquals(kind(fine, refused, dropped), "REFUSED");
  assertEquals(kind(dropped, fine, refused), "TIMEOUT");
  assertEquals(kind(open, refused), "ERROR");
});

Deno.test("the largest size that passes is found for every limit", async () => {
  for (const [least, most] of [[1, 1], [1, 2], [1, 100], [44, 1500], [7, 65_537]] as const) {
    for (const limit of [0, 1, 2, 43, 44, 45, 99, 100, 1348, 65_536, 65_537]) {
      let tries = 0;
      const found = await findLimit({ least, most }, (size) => {
        tries++;
        return Promise.resolve({ size });
      }, ({ size }) => size <= limit);
      const passed = limit < least ? undefined : Math.min(limit, most);
      assertEquals(found.passedSize, passed);
      assertEquals(found.failedSize, limit >= most ? undefined : (passed ?? least - 1) + 1);
      assertEquals(found.shown.size, found.failedSize ?? found.passedSize);
      assertEquals(tries < 36, true, `${tries} tries`);
    }
  }
});

Deno.test("--sizes takes two numbers in order", () => {
  const { read: readSizes } = flags.sizes;
  assertEquals(readSizes("100..9000", "--sizes"), { least: 100, most: 9000 });
  for (
    const text of ["", "5", "9..5", "0..5", "1..65538", "1-5", "1...5", "1..", "a..b", "-1..5"]
  ) {
    assertEquals(assertThrows(() => readSizes(text, "--sizes"), Failure).kind, "USAGE", text);
  }
});

Deno.test("percentiles are measured durations, by nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assertEquals(spreadOf(hundred), { p50: 50, p95: 95, p99: 99, max: 100 });
  assertEquals(spreadOf([3, 1, 2]), { p50: 2, p95: 3, p99: 3, max: 3 });
  assertEquals(spreadOf([7]), { p50: 7, p95: 7, p99: 7, max: 7 });
  assertEquals(spreadOf([]), undefined);
});

const challengeOf = (send: string | undefined, reply: string): Challenge =>
  customQuestion(send, reply).challenge();
const sent = (send: string): string => decoder.decode(challengeOf(send, "x").request);

Deno.test("--send and --reply share a random word, new for each probe", () => {
  const question = customQuestion("ECHO {nonce} {nonce}\\n", "={nonce}");
  const [one, other] = [question.challenge(), question.challenge()];
  const matched = (it: Challenge, text: string) => it.match(encoder.encode(text)).is;
  const [, nonce = ""] = /^ECHO (\w{16}) \1\n$/.exec(decoder.decode(one.request)) ?? [];
  assertEquals(matched(one, `=${nonce}\r\n`), "right");
  assertEquals(matched(other, `=${nonce}`), "wrong");
  assertEquals([one.fresh, one.echo], [true, false]);
  assertThrows(() => customQuestion("PING", undefined), Failure, "--send needs --reply");
  assertThrows(() => customQuestion("PING", "{nonce}"), Failure, "as --send does not");
  assertThrows(() => customQuestion(undefined, "{nonce}"), Failure, "as --send does not");
});

/** Replies to a fixed question: what `--reply` says, what came, and what to make of it. */
const replies: readonly (readonly [reply: string, came: string, is: "right" | "part" | "wrong"])[] =
  [
    ["30", "30\n", "right"],
    ["30", "30\r\n", "right"],
    ["30", "30", "right"],
    ["30", "130\n", "wrong"],
    ["30", "-30\n", "wrong"],
    ["30", "30.5\n", "wrong"],
    ["30", "300\n", "wrong"],
    ["30", "3", "part"],
    ["30", "30\nOK\n", "wrong"], // nothing may follow
    ["{...}30{...}", "sum: 30 points\n", "right"],
    ["{...}{(10 + 20)}{...}", "sum: 30.0 points\n", "right"],
    ["{...}{(10 + 20)}{...}", "sum: 130 points\n", "part"],
    ["220 {...}", "220 mail ESMTP\r\n", "right"],
    ["+PONG\\r\\n", "+PONG\n", "wrong"], // exactly CRLF
    ["+PONG\\n", "+PONG\r\n", "right"],
    ["S", "S", "right"],
    ["\\xd2", "\xd2", "right"],
  ];

Deno.test("a reply is compared whole; {...} says that more may be there", () => {
  for (const [reply, came, is] of replies) {
    const bytes = Uint8Array.from(came, (byte) => byte.charCodeAt(0));
    assertEquals(challengeOf("10 + 20", reply).match(bytes).is, is, `${reply}: ${came}`);
  }
});

Deno.test("a reply that was cut is a part, and one that lacks what it must hold is wrong", () => {
  const over = (reply: string, came: string) =>
    challengeOf("x", reply).match(encoder.encode(came), "end").is;
  assertEquals(over("Sum is 30\\n", "Sum is"), "part");
  assertEquals(over("Sum is 30\\n", ""), "part");
  assertEquals(over("{...}ready{...}", "HTTP/1.1 400 Bad Request\r\n"), "wrong");
  assertEquals(over("bye{end}", "bye"), "right");
});

Deno.test("an echo of what is really sent is known for what it is", () => {
  for (
    const [send, reply, echo] of [
      ["{nonce}", "{nonce}", true],
      ["{nonce}", "{nonce}\\n", true], // a line end is sent, too
      ["{nonce}\\r", "{nonce}\\r\\n", false], // an echo sends no LF
      ["{nonce}\\r\\n", "{nonce}\\n", true],
      ["ECHO {nonce}", "{...}{nonce}{...}", true],
      ["ECHO {nonce}", "{nonce}", false],
      ["ECHO {nonce}", "={nonce}", false],
    ] as const
  ) {
    assertEquals(challengeOf(send, reply).echo, echo, `${send} -> ${reply}`);
  }
});

Deno.test("a line end is added, unless the text ends in an escape; an escape is a byte", () => {
  const binary = (send: string) => Array.from(challengeOf(send, "x").request ?? []);
  assertEquals(sent("PING"), "PING\n");
  assertEquals(sent("PING\\r\\n"), "PING\r\n");
  assertEquals(sent("a\\\\"), "a\\");
  assertEquals(sent("a\\\\n"), "a\\n\n");
  assertEquals(sent("a "), "a \n");
  assertEquals(sent("caf\\u00e9"), "caf\u00e9");
  assertEquals(binary("\\x00\\x00\\x00\\x08\\x04\\xd2\\x16\\x2f"), [0, 0, 0, 8, 4, 0xd2, 22, 47]);
  assertEquals(binary("\\xd2\u00e9"), [0xd2, 0xc3, 0xa9, 10]);
  for (const text of ["\\", "\\q", "\\x4", "{nonce"]) {
    const failure = assertThrows(() => customQuestion(text, "x"), Failure);
    assertEquals([failure.kind, failure.message.startsWith("--send: ")], ["USAGE", true], text);
  }
});
