/** What clients must do, over TCP and UDP. */
import { type Check, everyService, type Evidence, Finding } from "../check.ts";
import { endingOf } from "../child.ts";
import { END_MS, type ExaminedClient, type Run } from "../client.ts";
import { CLIENT_MS, type Scenario } from "../stages.ts";
import { shown, wrongAnswer } from "../judge.ts";

/** Bytes of the long reply. */
const LONG = 200_000;

const asking = ["message", "calc"] as const;

/** The lesson's own server: it replies and leaves the connection open. hello's only closes. */
const goodServer: Scenario = {
  id: "good",
  isOrdinary: true,
  replies: true,
  answer: ({ send, reply }) => send(reply),
};

const helloServer: Scenario = { id: "hello", isOrdinary: true, replies: true };

function ordinary({ examination: { service, protocol } }: ExaminedClient): Scenario {
  return service === "hello" && protocol === "tcp" ? helloServer : goodServer;
}

const lessonChecks: readonly Check<ExaminedClient>[] = [
  {
    id: "connects",
    level: "lesson",
    services: everyService,
    sentence: "connects to the server",
    seen: "A server listens on the port that the program is given, on 127.0.0.1 and ::1.",
    why: "without a connection nothing can be asked",
    fix: "connect() to localhost and the given port (in C with htons())",
    needs: [],
    limit: 20_000,
    async run(client) {
      const run = await client.observe(ordinary(client));
      if (run.connected) return;
      throw new Finding({ saw: `no connection; your program ${endOf(run)}`, said: run.said });
    },
  },
  {
    id: "sends",
    level: "lesson",
    services: asking,
    sentence: {
      hello: "",
      message: "sends its message as text",
      calc: "sends the command as typed",
    },
    seen: "The bytes that reach the server. A calculator's client gets its command on stdin.",
    why: "the server sees bytes: quotes, NULs or b'...' around them are part of the request",
    fix: "turn the text into bytes once: text.encode() in Python, strlen(text) bytes in C",
    needs: ["connects"],
    limit: 20_000,
    run: (client) => sendsWell(client),
  },
  {
    id: "prints",
    level: "lesson",
    services: asking,
    sentence: "prints the reply",
    seen: "The program's stdout must hold the reply, which has a number that is new in each run.",
    why: "the reply is what the user asked for",
    fix: "print what recv() gave, decoded",
    needs: ["sends"],
    async run(client) {
      const run = await client.observe(ordinary(client));
      const missing = run.replies.find((reply) => !run.stdout.includes(reply));
      if (missing === undefined) return;
      throw new Finding({ want: missing, saw: printedBy(run), said: run.said });
    },
  },
  {
    id: "ends",
    level: "lesson",
    services: everyService,
    sentence: "ends once it has its reply",
    seen: "The server leaves the connection open; the program has 4 s to end by itself.",
    why: "the lesson's server leaves the connection open: who waits for its end waits for ever",
    fix: "read one reply, print it, close the socket; don't loop until recv() gives nothing",
    needs: ["connects", "sends"],
    limit: 20_000,
    async run(client) {
      const run = await client.observe(ordinary(client));
      if (run.status !== undefined && !run.waitedForClose) return;
      throw new Finding({
        saw: run.waitedForClose
          ? `it ended only when the server had closed the connection`
          : `it still ran ${END_MS / 1_000} s after the reply`,
      });
    },
  },
];

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

const tcpTroubles: readonly TroubleCheck[] = [
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

const udpTroubles: readonly TroubleCheck[] = [
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

const strangerCheck: Check<ExaminedClient> & { readonly scenario: Scenario } = {
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

/** A long error reply: right for every request, and of any length. */
const longReply = `Error: ${"sorry ".repeat(LONG / 6)}end`;

const streamReplies: readonly {
  readonly facts: Pick<Check<ExaminedClient>, "id" | "sentence" | "seen" | "why" | "fix">;
  readonly pieces: (reply: string) => readonly string[];
  readonly needs?: readonly string[];
}[] = [
  {
    facts: {
      id: "split-reply",
      sentence: "takes a reply that comes in pieces",
      seen: "The reply comes in two pieces, 100 ms apart.",
      why: "TCP carries bytes, not messages: what was sent at once may arrive in pieces",
      fix: "loop over recv() until the line end, or the end of the connection",
    },
    pieces: (reply) => [reply.slice(0, 6), reply.slice(6)],
  },
  {
    facts: {
      id: "long-reply",
      sentence: "takes a reply that is longer than one recv()",
      seen: "A reply of 200,000 bytes.",
      why: "recv(1024) gives a part of a long reply: the rest is still to come",
      fix: "loop over recv() until the line end, or the end of the connection",
    },
    pieces: () => [longReply],
    needs: ["split-reply"],
  },
];

const streamChecks = streamReplies.map(({ facts, pieces, needs = [] }) => {
  const scenario: Scenario = {
    id: facts.id,
    replies: true,
    async answer({ send, reply, isLine, close }) {
      for (const [index, piece] of pieces(reply.trimEnd()).entries()) {
        if (index > 0) await new Promise((resolve) => setTimeout(resolve, 100));
        await send(piece);
      }
      // Whoever sends no line end finds the end of a long reply at the end of the connection.
      if (isLine) await send("\n");
      else close();
    },
  };
  return {
    ...facts,
    level: "stream" as const,
    services: asking,
    needs: ["connects", "sends", "prints", "ends", ...needs],
    scenario,
    async run(client: ExaminedClient) {
      const run = await client.observe(scenario);
      const output = run.stdout + run.stderr;
      const wanted = pieces(run.replies[0] ?? "").join("");
      if (output.includes(wanted)) return;
      throw new Finding({ want: shown(wanted), saw: printedBy(run), said: run.said });
    },
  };
});

/** The checks of clients over TCP, in the order in which they are made. */
export const tcpClientChecks: readonly Check<ExaminedClient>[] = [
  ...lessonChecks,
  ...tcpTroubles,
  ...streamChecks,
];

/** The checks of clients over UDP, in the order in which they are made. */
export const udpClientChecks: readonly Check<ExaminedClient>[] = [
  ...lessonChecks.map((check): Check<ExaminedClient> =>
    check.id === "connects"
      ? {
        ...check,
        sentence: "reaches the server",
        seen: "A socket is bound to the port that the program is given, on 127.0.0.1 and ::1.",
        fix: "sendto() localhost and the given port, on a datagram socket (SOCK_DGRAM)",
      }
      : {
        ...check,
        services: everyService,
        sentence: typeof check.sentence === "string"
          ? check.sentence
          : { ...check.sentence, hello: "sends a datagram" },
      }
  ),
  ...udpTroubles,
  strangerCheck,
];

/** The situations of the chosen checks in which a client waits for its own time-out. */
export function waitingIn(checks: readonly Check<ExaminedClient>[]): Scenario[] {
  return checks.flatMap((check) => "scenario" in check ? [check.scenario as Scenario] : [])
    .filter(({ waits }) => waits);
}

async function sendsWell(client: ExaminedClient): Promise<void> {
  const run = await client.observe(ordinary(client));
  const { service } = client.examination;
  const [request] = run.requests;
  if (request === undefined) {
    throw new Finding({
      saw: `it connected and sent nothing; your program ${endOf(run)}`,
      said: run.said,
    });
  }
  const text = new TextDecoder().decode(request).replace(/[\r\n]+$/, "");
  const typed = client.input?.split("\n")[0]?.trim();
  if (service === "calc") {
    // A command of its own is as good as the one that it was given to type.
    if (text.trim() === typed || /^Sum|^Diff|^Product|^Div/.test(run.replies[0] ?? "")) return;
    throw new Finding({
      ...wrongAnswer(request, { text: typed ?? "10 20 +" }, ""),
      sent: `${typed} (typed)`,
    });
  }
  const isText = text !== "" && !/[\0\ufffd]/.test(text) && !/^b(['"]).*\1$/s.test(text);
  if (!isText) throw new Finding({ ...wrongAnswer(request, { text: "" }, ""), want: "a text" });
}

function endOf(run: Run): string {
  return run.status === undefined
    ? `was still running after ${CLIENT_MS / 1_000} s`
    : endingOf(run.status);
}

function printedBy(run: Run): string {
  const line = lastLine(run.stdout);
  return line === "" ? "it printed nothing on stdout" : `it printed: ${shown(line)}`;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
