/** What clients must do when something goes wrong: report it and exit with an error. */
import { canReset } from "../../../../sockets/runtime.ts";
import { type Evidence, Finding, Skipped } from "../../../../suite/test.ts";
import {
  type ClientUnderTest,
  lastLine,
  printedBy,
  type Run,
} from "../../clients/client_under_test.ts";
import { CLIENT_MS, type Scenario } from "../../clients/scripted_server.ts";
import { shown } from "../../evidence.ts";
import { endingOf } from "../../program/child.ts";
import { CANNOT_RESET, type Check } from "../check.ts";
import { lacksCalculator, lacksRequest } from "../lacks.ts";
import { erringServer, goodServer, shownParts } from "./lesson.ts";

/** A check of a client, with the situation that it is put into, if that is its own. */
export interface ClientCheck extends Check<ClientUnderTest> {
  readonly scenario?: Scenario;
}

/** A check in which something goes wrong: the client must report it and exit with an error. */
function trouble(
  facts: Omit<ClientCheck, "level" | "needs" | "run" | "limit" | "scenario"> & {
    /** What the server did, as reports show it. @default {the error that it replied with} */
    readonly situation?: string;
    /** @default {it replies with an error} */
    readonly scenario?: Omit<Scenario, "id">;
    /** Why this runtime can't do it, if so. */
    readonly impossible?: string | undefined;
  },
): ClientCheck {
  const { situation, scenario: behaviour, impossible, ...rest } = facts;
  const scenario = behaviour && { id: facts.id, ...behaviour };
  return {
    ...rest,
    ...(scenario && { scenario }),
    level: "robust",
    needs: ["connects", "sends", "prints", "ends"],
    limit: CLIENT_MS + 5_000,
    async run(client) {
      if (impossible !== undefined) throw new Skipped(impossible);
      const run = await client.observe(scenario ?? erringServer(client.error));
      const evidence = troubleWith(run, situation ?? client.error);
      if (evidence !== undefined) throw new Finding(evidence);
    },
  };
}

/** Returns what the client did wrong; `undefined` if it reported the trouble and failed. */
function troubleWith(run: Run, sent: string): Evidence | undefined {
  const about = { sent, said: run.said };
  if (run.status === undefined || run.waitedForClose) {
    return { ...about, saw: `it was still running after ${CLIENT_MS / 1_000} s` };
  }
  const output = (run.stdout + run.stderr).trim();
  if (run.status.success) {
    const printed = output === ""
      ? "and printed nothing"
      : `and printed ${shown(lastLine(output))}`;
    return { ...about, saw: `it ended with exit code 0, as if all were well, ${printed}` };
  }
  return output === ""
    ? { ...about, saw: `it ${endingOf(run.status)} and printed nothing` }
    : undefined;
}

const errorReply = trouble({
  id: "error-reply",
  isLessonOnly: true,
  lacks: lacksCalculator,
  sentence: "shows an error reply as an error",
  how: 'The server replies "Error: ..."; the program must show it and end with an exit code ' +
    "other than 0.",
  why: "a script that runs the client sees only the exit code: 0 means success",
  fix: 'if the reply starts with "Error: ", end with exit code 1',
});

export const tcpTroubles: readonly ClientCheck[] = [
  trouble({
    id: "refused",
    situation: "nothing: no server listens on the port",
    sentence: "reports that no server is listening",
    how:
      "Nothing listens on the port: the program must say so and end with an exit code other than 0.",
    why: "this is the most common problem of all, and silence about it costs hours",
    fix: "check the result of connect(), print the reason on stderr, end with exit code 1",
    scenario: { noServer: true },
  }),
  trouble({
    id: "closed",
    situation: "nothing: the server closes the connection once it has the request",
    lacks: lacksRequest,
    sentence: "reports that the server closed without a reply",
    how: "The server reads the request and closes the connection.",
    why: "no reply is not an empty reply",
    fix: "if recv() returns nothing, say that the server closed, and end with exit code 1",
    scenario: { answer: ({ close }) => Promise.resolve(close()) },
  }),
  trouble({
    id: "reset",
    situation: "nothing: the server resets the connection once it has the request",
    lacks: lacksRequest,
    sentence: "reports that the connection was reset",
    how: "The server reads the request and resets the connection.",
    why: "a server that crashes resets its connections",
    fix: "check the result of recv(): an error is neither a reply nor a normal end",
    scenario: { answer: ({ reset }) => Promise.resolve(reset()) },
    impossible: canReset ? undefined : CANNOT_RESET,
  }),
  errorReply,
  trouble({
    id: "silent",
    situation: "nothing, and the connection stays open",
    lacks: lacksRequest,
    sentence: "does not wait forever",
    how: "The server reads the request and never replies; the program must give up within 10 s.",
    why: "a server that hangs must not make its clients hang, too",
    fix: "set a timeout on the socket: settimeout(5), SO_RCVTIMEO, setTimeout()",
    scenario: { waits: true },
  }),
];

/** What a datagram from another port says. */
const STRANGE = "a stranger's reply";

const stranger: Scenario = {
  id: "stranger",
  replies: true,
  async answer(asked) {
    await asked.sendFromElsewhere(STRANGE);
    await goodServer.answer?.(asked);
  },
};

const strangerCheck: ClientCheck = {
  id: "stranger",
  level: "robust",
  sentence: "accepts a reply only from the server",
  how: "A datagram from another port arrives first, then the reply: only the reply may be printed.",
  why: "anyone can send a datagram: only its address shows who sent it",
  fix: "connect() the socket, or compare the address that recvfrom() returns",
  needs: ["sends", "prints", "ends"],
  lacks: lacksRequest,
  async run(client) {
    const run = await client.observe(stranger);
    const printed = run.stdout + run.stderr;
    const missing = run.heard.flatMap((heard) => shownParts(heard, client.settings.subject))
      .find((part) => !printed.includes(part));
    // A client that takes it for the reply may not print it: what it expects in it may be missing.
    if (!run.stdout.includes(STRANGE) && missing === undefined) return;
    throw new Finding({
      sent: `${STRANGE} (from another port)`,
      want: missing,
      saw: printedBy(run),
      said: run.said,
    });
  },
};

export const udpTroubles: readonly ClientCheck[] = [
  trouble({
    id: "gone",
    situation: "nothing: no program has the port",
    sentence: "reports that no server replied",
    how: "No server has the port; the program must give up within 10 s.",
    why: "UDP does not report a missing server: only a timeout reveals it",
    fix: "connect() the socket and set a timeout: settimeout(5), SO_RCVTIMEO",
    scenario: { noServer: true, waits: true },
  }),
  errorReply,
  trouble({
    id: "silent",
    situation: "nothing",
    sentence: "does not wait forever",
    how: "The request is received and never answered; the program must give up within 10 s.",
    why: "datagrams get lost: a client that waits for one without a timeout hangs",
    fix: "set a timeout on the socket: settimeout(5), SO_RCVTIMEO, setTimeout()",
    scenario: { waits: true },
  }),
  strangerCheck,
];
