/**
 * The lines that commands print with `--json`: each is one object with the name
 * of its event. One table defines the types, the checks that the tests apply to
 * each printed line, and what `netdemo help json` shows.
 *
 * A thing has the same name and shape in all events: an endpoint is
 * `10.0.0.7:4040`, the name of a duration ends in `Ms`, `remote` and `local` are
 * the two ends of a socket. Values that are unknown or were not reached are absent.
 */
import {
  count,
  either,
  endpoint,
  type Fields,
  listOf,
  mapOf,
  milliseconds,
  nothing,
  number,
  type ObjectOf,
  objectOf,
  oneOf,
  optional,
  optionals,
  port,
  text,
  time,
  truth,
} from "./event_fields.ts";

const protocol = oneOf("tcp", "udp", "unix");
const status = oneOf("pass", "note", "fail", "allowed", "skip", "not-judged");
const side = oneOf("client", "server");
/** The distribution of a duration over many tries. */
const spread = objectOf({
  p50Ms: milliseconds,
  p95Ms: milliseconds,
  p99Ms: milliseconds,
  maxMs: milliseconds,
});

/** Fields in every event of a server. */
const server = { time, service: text };
/** The two ends of a socket. */
const ends = { remote: endpoint, local: endpoint };
/** A connection to a server. */
const accepted = { ...server, connection: count, ...ends };
/** A request to a server, on a connection or as a datagram. */
const asked = { ...server, connection: optional(count), datagram: optional(count), ...ends };
/** What one side of a relayed connection did. */
const sideOfRelay = { connection: count, from: side, timeMs: milliseconds };
/** What check tries, and what it expects. */
const probed = {
  target: text,
  protocol,
  service: text,
  remote: optional(endpoint),
  expect: text,
};
/** Bytes as text, or as base64 if they are not UTF-8. */
const bytes = { bytes: optional(count), data: optional(text), base64: optional(text) };

function event<F extends Fields>(about: string, fields: F) {
  return { about, fields };
}

/** Every event: what it reports, and its fields. */
export const events = {
  failure: event("a command failed, as reported on stderr", {
    failure: text,
    exitCode: count,
    message: text,
    hint: optional(text),
  }),

  // Clients.
  connected: event("hello-client, or relay for one of its clients, has connected", {
    connection: optional(count),
    ...ends,
    server: optional(endpoint),
    elapsedMs: milliseconds,
  }),
  answer: event("a client's request and its reply", {
    ok: truth,
    request: text,
    reply: text,
    ...ends,
    elapsedMs: milliseconds,
  }),

  // Servers.
  listening: event("a server is listening", {
    ...server,
    protocols: listOf(protocol),
    addresses: listOf(endpoint),
    port: optional(port),
    target: optional(text),
    seed: optional(count),
  }),
  page: event("the live page is open", { url: text }),
  connection: event("a server has accepted a connection", accepted),
  request: event("a server has answered a request, which is null if it was not UTF-8", {
    ...asked,
    request: either(text, nothing),
    reply: text,
  }),
  ignored: event("a server has ignored a datagram, or what fits no line of its conversation", {
    ...asked,
    reason: text,
  }),
  closed: event("a connection has ended", {
    ...accepted,
    reason: text,
    requests: optional(count),
    clientBytes: optional(count),
    serverBytes: optional(count),
    elapsedMs: milliseconds,
  }),
  rejected: event("a connection was rejected", { ...accepted, reason: text }),
  "accept-failed": event("a server could not accept a connection, and is retrying", {
    ...server,
    errno: optional(text),
    message: text,
  }),
  stopped: event("a server has stopped", {
    ...server,
    reason: text,
    connections: count,
    requests: optional(count),
    rejected: count,
    ignored: optional(count),
    droppedLines: count,
    elapsedMs: milliseconds,
  }),

  // relay.
  refused: event("a relay could not reach its server, so it resets its client", {
    connection: count,
    ...ends,
    server: endpoint,
    errno: text,
    elapsedMs: milliseconds,
  }),
  data: event("a relay passes on data from one side; its first 4,096 bytes are shown", {
    connection: count,
    from: side,
    remote: optional(endpoint),
    ...bytes,
    lost: optional(truth),
    timeMs: milliseconds,
  }),
  fault: event("a fault struck a connection, or data from one side", {
    connection: count,
    fault: text,
    from: optional(side),
    timeMs: milliseconds,
  }),
  ended: event("one side has ended its sending", sideOfRelay),
  reset: event("one side has reset the connection", sideOfRelay),

  // address.
  address: event("an address of this host, or of a name", {
    name: optional(text),
    interface: optional(text),
    address: text,
    family: oneOf("IPv4", "IPv6"),
    kind: text,
    reach: text,
    source: text,
    reverseName: optional(text),
    elapsedMs: optional(milliseconds),
  }),
  port: event("a port, its kind and its services", {
    port,
    kind: text,
    about: text,
    source: text,
    services: listOf(objectOf({ name: text, protocols: listOf(text) })),
  }),

  // demo.
  call: event("a socket call in a scene of the demo", {
    scene: text,
    timeMs: milliseconds,
    side,
    who: text,
    socket: count,
    call: text,
    local: optional(endpoint),
    remote: optional(endpoint),
    ...bytes,
    error: optional(text),
  }),

  // check.
  probe: event("one address of a target was tried", {
    ...probed,
    try: count,
    verdict: text,
    asExpected: truth,
    control: optional(truth),
    phase: text,
    ...optionals(text, "detail", "errno"),
    bytes: optional(count),
    stranger: optional(endpoint),
    httpStatus: optional(count),
    location: optional(text),
    certificateDays: optional(number),
    line: optional(count),
    ...optionals(text, "wanted", "came"),
    ...optionals(milliseconds, "resolveMs", "connectMs", "tlsMs"),
    ...optionals(milliseconds, "sendMs", "firstByteMs", "replyMs"),
    elapsedMs: milliseconds,
  }),
  statistics: event("the results of trying one address of a target several times", {
    ...probed,
    tries: count,
    triesAsExpected: count,
    verdicts: mapOf(count),
    loss: number,
    connect: optional(spread),
    reply: optional(spread),
  }),
  sizes: event("the largest request that one address answers", {
    ...probed,
    verdict: text,
    asExpected: truth,
    passedBytes: optional(count),
    failedBytes: optional(count),
  }),

  // path.
  question: event("a question of path and its answer", {
    id: text,
    status,
    detail: optional(text),
    elapsedMs: milliseconds,
    explain: optional(text),
  }),
  explanation: event("what a question of path means for an application", {
    id: text,
    sentence: text,
    explain: text,
  }),

  // grade.
  check: event("a check of grade and its result", {
    submission: optional(text),
    id: text,
    level: text,
    status,
    sentence: text,
    ...optionals(text, "reason", "sent", "want", "saw", "said", "why", "fix"),
    elapsedMs: milliseconds,
  }),

  // check, path and grade.
  summary: event("the outcome of check, path or grade; if it failed, a failure event follows", {
    submission: optional(text),
    ok: truth,
    name: optional(text),
    ...optionals(count, "targets", "asExpected", "questions", "strays"),
    ...optionals(text, "subject", "level"),
    ...optionals(count, "checks", "passed", "failed"),
    ...optionals(listOf(text), "failedIds", "allowedIds"),
    ...optionals(count, "skipped", "notJudged", "submissions", "passedAll"),
    reason: optional(text),
    offences: optional(listOf(text)),
    seed: optional(count),
    containment: optional(text),
    exitCode: count,
    failure: optional(text),
    elapsedMs: milliseconds,
  }),
} as const;

/** The name of an event. */
export type EventName = keyof typeof events;

/** The event with a given name. */
export type EventOf<Name extends EventName> = Name extends EventName
  ? { readonly event: Name } & ObjectOf<(typeof events)[Name]["fields"]>
  : never;

/** A line of `--json`. */
export type Event = EventOf<EventName>;
