/** What every server does: it can be reached, and answers as its conversation shows. */
import { Finding } from "../../../../suite/test.ts";
import type { Conversation, Token } from "../../../../talk/talk.ts";
import { firstRequest, playable, requestsOf, sampleOf } from "../../conversations.ts";
import { withEvidence } from "../../evidence.ts";
import { Client, exchange, sampleHolding, wrongLater } from "../../servers/exchange.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Subject } from "../../subjects.ts";
import type { Check } from "../check.ts";
import { lacksRequest } from "../lacks.ts";

export const listens: Check<ServerUnderTest> = {
  id: "listens",
  level: "lesson",
  sentence: "starts and listens",
  how:
    "The program is started, and the first client tries to connect every 20 ms for up to 10 s. " +
    "If the program listens on another port or address, the report names it.",
  why: "a client can reach a server only at the address and port where it listens",
  fix: "bind() to the given port (in C with htons()), then listen() and accept()",
  limit: 40_000,
  run: (server) => server.isReachable(),
};

export const listensForDatagrams: Check<ServerUnderTest> = {
  ...listens,
  sentence: "starts and binds its port",
  how: "The program is started, and the system's tools show what it binds, for up to 10 s.",
  fix: "bind() a datagram socket (SOCK_DGRAM) to the given port, then recvfrom() and sendto()",
};

export const answers: Check<ServerUnderTest> = {
  id: "answers",
  level: "lesson",
  sentence: ({ answers }) => answers,
  how: "The first conversation is held, and every byte of the answers is compared.",
  why: "clients compare bytes: an answer that only looks right is wrong",
  fix: "send exactly the text that is expected, as bytes, with one send()",
  needs: ["listens"],
  lacks: (subject) => subject.isFile ? undefined : lacksRequest(subject),
  run: answersInTheEnd,
};

export const noNewline: Check<ServerUnderTest> = {
  id: "no-newline",
  level: "lesson",
  sentence: "answers a request without a line end",
  how: "A request is sent without a line end; if nothing comes, a line end follows, then the " +
    "client ends its side. The report says which of them brought the answer.",
  why: "this client sends no line end: a server that waits for one never answers it",
  fix: ({ isFile }) =>
    `read with recv() instead of readLine(); if your client sends line ends, ${
      isFile ? "show them in the file: \\n" : "use --lines"
    }`,
  needs: ["answers"],
  lacks: ({ talk }) =>
    leavesEndOpen(firstRequest(talk)?.tokens)
      ? undefined
      : "the file shows where its first request ends",
  async run(server) {
    const awaited = server.requestEnd;
    if (awaited === "nothing") return;
    // It may only have been slow to start: one more try.
    server.markSuspect();
    server.requestEnd = "nothing";
    const seen = await exchange(server).then(() => undefined, (error) => error);
    if (seen === undefined) return;
    server.markSuspect();
    server.requestEnd = awaited;
    if (!(seen instanceof Finding)) throw seen;
    const observed = {
      line: "nothing until a line end was sent, then the answer",
      "end of stream": "nothing until the client ended its side, then the answer",
    };
    const { sent = "a request" } = seen.evidence;
    throw new Finding({ sent: `${sent} (without a line end)`, saw: observed[awaited] });
  },
};

export const nextClient: Check<ServerUnderTest> = {
  id: "next-client",
  level: ({ several }) => several,
  sentence: "serves one client after another",
  how: "Three clients come, each after the previous one has left.",
  why: "a server that ends with its first client must be restarted for the next",
  fix: "put accept() inside the loop; once recv() returns nothing, close the client's socket",
  needs: ["listens", "answers"],
  run: servesThreeClients,
};

export const nextDatagram: Check<ServerUnderTest> = {
  ...nextClient,
  how: "Three clients ask, one after another.",
  why: "a server that ends with its first datagram must be restarted for the next",
  fix: "put recvfrom() and sendto() inside a loop; answer the address that recvfrom() returned",
};

/** The other conversations of a file, each by its title. */
export function conversationChecks({ talk }: Subject): readonly Check<ServerUnderTest>[] {
  const sample = sampleOf(talk);
  return playable(talk).flatMap((conversation, index) =>
    conversation === sample ? [] : [conversationCheck(conversation, index)]
  );
}

function conversationCheck(conversation: Conversation, index: number): Check<ServerUnderTest> {
  return {
    id: `talk-${index + 1}`,
    level: "lesson",
    sentence: conversation.title || `holds conversation ${index + 1}`,
    how: "The conversation is held as the file shows it.",
    why: "the file shows what this program must be able to do",
    fix: "compare what the program sends with the line of the file, byte by byte",
    needs: ["answers"],
    run: (server) => {
      // The one of this server, with the request ends that it needs.
      const own = server.talk.conversations.find(({ number }) => number === conversation.number);
      return exchange(server, own && { conversation: own });
    },
  };
}

function leavesEndOpen(tokens: readonly Token[] | undefined): boolean {
  return tokens?.at(-1)?.kind === "optional newline";
}

/** Holds the sample; if nothing came, adds what else may end a request. @throws {Finding} */
async function answersInTheEnd(server: ServerUnderTest): Promise<void> {
  let first: unknown;
  while (true) {
    using client = new Client(server, sampleHolding(server));
    try {
      return await client.hold();
    } catch (error) {
      first ??= error;
      const [request] = requestsOf(client.conversation);
      // Where the file shows the end of a request, a server that waits for more is wrong.
      const needed = leavesEndOpen(request?.tokens) ? client.needs : undefined;
      if (needed === undefined || needed === server.requestEnd) {
        server.requestEnd = "nothing";
        throw first;
      }
      server.markSuspect();
      server.requestEnd = needed;
    }
  }
}

async function servesThreeClients(server: ServerUnderTest): Promise<void> {
  for (let client = 1; client <= 3; client++) {
    await withEvidence(exchange(server, sampleHolding(server)), (evidence) => {
      server.servesSeveral = false;
      // Words in front of an answer would move it away from its caret.
      if (evidence.blames !== undefined) return wrongLater(evidence);
      const saw = client === 1 ? evidence.saw : `after the first client had left: ${evidence.saw}`;
      const isLater = client > 1 && server.program.hasCrashed;
      const advice = server.program.hasCrashed && !isLater
        ? {}
        : { fix: undefined, why: undefined };
      return { ...evidence, saw, ...advice };
    });
    // From here on the program is not started afresh for each client.
    server.servesSeveral = true;
  }
}
