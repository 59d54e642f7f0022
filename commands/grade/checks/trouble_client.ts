/** What clients do when something goes wrong: say so, end, and not with exit code 0. */
import { canReset } from "../../../sockets/node_stream.ts";
import {
  CANNOT_RESET,
  type Check,
  everyService,
  type Evidence,
  Finding,
  Skipped,
} from "../check.ts";
import { endingOf } from "../child.ts";
import type { ExaminedClient, Run } from "../client.ts";
import { shown } from "../judge.ts";
import { CLIENT_MS, type Scenario } from "../stages.ts";
import { lastLine } from "./client_output.ts";
import { asking } from "./lesson_client.ts";

/** A situation in which something goes wrong: the client must say so, end, and not with exit code 0. */
function trouble(
  facts: Omit<Check<ExaminedClient>, "level" | "needs" | "run" | "limit"> & {
    readonly scenario: Omit<Scenario, "id">;
  },
): TroubleCheck {
  const { scenario: how, ...rest } = facts;
  const scenario = { id: facts.id, ...how };
  return {
    ...rest,
    level: "robust",
    needs: ["connects", "sends", "prints", "ends"],
    limit: CLIENT_MS + 5_000,
    scenario,
    async run(client) {
      if (facts.id === "reset" && !canReset) throw new Skipped(CANNOT_RESET);
      const run = await client.observe(scenario);
      const evidence = troubleWith(run, facts.id);
      if (evidence !== undefined) throw new Finding(evidence);
    },
  };
}

/** A check that puts the client into a situation of its own. */
type TroubleCheck = Check<ExaminedClient> & { readonly scenario: Scenario };

/** What is wrong with how a client met trouble; nothing if it reported and ended with a code. */
function troubleWith(run: Run, sent: string): Evidence | undefined {
  const about = { sent: situations[sent], said: run.said };
  if (run.status === undefined || run.waitedForClose) {
    return { ...about, saw: `it still ran after ${CLIENT_MS / 1_000} s` };
  }
  const output = (run.stdout + run.stderr).trim();
  if (run.status.success) {
    const said = output === "" ? "and printed nothing" : `and printed ${shown(lastLine(output))}`;
    return { ...about, saw: `it ended with exit code 0, as if all were well, ${said}` };
  }
  return output === ""
    ? { ...about, saw: `it ${endingOf(run.status)} and said nothing` }
    : undefined;
}

/** What the server did, in place of what it sent. */
const situations: Readonly<Record<string, string>> = {
  refused: "nothing: no server listens on the port",
  closed: "nothing: the connection is closed once the request is there",
  reset: "nothing: the connection is reset once the request is there",
  silent: "nothing, and the connection stays open",
  gone: "nothing: nobody has the port",
  "error-reply": "Error: the server is tired",
};

const errorReply = trouble({
  id: "error-reply",
  services: ["calc"],
  sentence: "shows an error reply as an error",
  seen: 'The server replies "Error: ..."; the program must show it and end with an exit code ' +
    "other than 0.",
  why: "a script that runs the client sees only the exit code: 0 means that all is well",
  fix: 'look whether the reply starts with "Error: ", and end with exit code 1 then',
  scenario: {
    answer: ({ send, isLine }) => send(`Error: the server is tired${isLine ? "\n" : ""}`),
  },
});

export const tcpTroubles: readonly TroubleCheck[] = [
  trouble({
    id: "refused",
    services: everyService,
    sentence: "says that no server is there",
    seen: "Nobody listens: the program must say so and end with an exit code other than 0.",
    why: "it is the most common trouble of all, and silence about it costs hours",
    fix: "check what connect() gives, print the reason on stderr, end with exit code 1",
    scenario: { nobody: true },
  }),
  trouble({
    id: "closed",
    services: asking,
    sentence: "says that the server closed without a reply",
    seen: "The server takes the request and closes.",
    why: "no reply is not an empty reply",
    fix: "if recv() gives nothing, say that the server closed, and end with exit code 1",
    scenario: {
      answer: ({ close }) => Promise.resolve(close()),
    },
  }),
  trouble({
    id: "reset",
    services: asking,
    sentence: "says that the connection was reset",
    seen: "The server takes the request and resets the connection.",
    why: "a server that crashes resets its connections",
    fix: "check what recv() gives: an error is neither a reply nor an ordinary end",
    scenario: {
      answer: ({ reset }) => Promise.resolve(reset()),
    },
  }),
  errorReply,
  trouble({
    id: "silent",
    services: asking,
    sentence: "does not wait for ever",
    seen: "The server takes the request and never replies; the program must give up within 10 s.",
    why: "a server that hangs must not hang its clients with it",
    fix: "set a timeout on the socket: settimeout(5), SO_RCVTIMEO, setTimeout()",
    scenario: { waits: true },
  }),
];

export const udpTroubles: readonly TroubleCheck[] = [
  trouble({
    id: "gone",
    services: everyService,
    sentence: "says that no reply came from where nobody is",
    seen: "Nobody has the port; the program must give up within 10 s.",
    why: "UDP does not say that nobody is there: only a timeout does",
    fix: "connect() the socket and set a timeout: settimeout(5), SO_RCVTIMEO",
    scenario: { nobody: true, waits: true },
  }),
  errorReply,
  trouble({
    id: "silent",
    services: everyService,
    sentence: "does not wait for ever",
    seen: "The request is taken and never answered; the program must give up within 10 s.",
    why: "datagrams get lost: a client that waits for one without a limit hangs",
    fix: "set a timeout on the socket: settimeout(5), SO_RCVTIMEO, setTimeout()",
    scenario: { waits: true },
  }),
];

const stranger: Scenario = {
  id: "stranger",
  replies: true,
  async answer({ send, sendFromElsewhere, reply }) {
    await sendFromElsewhere("a stranger's reply");
    await send(reply);
  },
};

export const strangerCheck: Check<ExaminedClient> & { readonly scenario: Scenario } = {
  id: "stranger",
  level: "robust",
  services: everyService,
  sentence: "takes a reply only from the server",
  seen: "A datagram from another port comes first, then the reply: only the reply may be printed.",
  why: "anybody can send a datagram: only its address shows whose it is",
  fix: "connect() the socket, or compare the address that recvfrom() gives",
  needs: ["sends", "prints", "ends"],
  scenario: stranger,
  async run(client) {
    const run = await client.observe(stranger);
    if (!run.stdout.includes("a stranger's reply")) return;
    throw new Finding({
      sent: "a stranger's reply (from another port)",
      saw: `it printed: ${shown(lastLine(run.stdout))}`,
    });
  },
};
