/** What the lesson's own clients do. */
import { Finding } from "../../../../suite/test.ts";
import { type ClientUnderTest, END_MS, type Run } from "../../clients/client_under_test.ts";
import { CLIENT_MS, type Scenario } from "../../clients/scripted_server.ts";
import { wrongAnswer } from "../../judge.ts";
import { endingOf } from "../../program/child.ts";
import { everyService } from "../../subjects.ts";
import type { Check } from "../check.ts";
import { printedBy } from "./client_output.ts";

/** The services whose clients send a request. */
export const asking = ["message", "calc"] as const;

/** The lesson's own server: it replies and leaves the connection open. hello's only closes. */
const goodServer: Scenario = {
  id: "good",
  isOrdinary: true,
  replies: true,
  answer: ({ send, reply }) => send(reply),
};

const helloServer: Scenario = { id: "hello", isOrdinary: true, replies: true };

/** A server whose reply can't be known without reading it. */
export const erringServer: Scenario = {
  id: "error-reply",
  isOrdinary: true,
  answer: ({ send, errorReply }) => send(errorReply),
};

function ordinary({ settings: { service, protocol } }: ClientUnderTest): Scenario {
  return service === "hello" && protocol === "tcp" ? helloServer : goodServer;
}

export const lessonClientChecks: readonly Check<ClientUnderTest>[] = [
  {
    id: "connects",
    level: "lesson",
    services: everyService,
    sentence: "connects to the server",
    how: "A server listens on the given port on 127.0.0.1 and ::1; the program must connect to it.",
    why: "a client that does not reach its server can't ask it anything",
    fix: "connect() to localhost and the given port (in C with htons())",
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
    how:
      "The bytes that reach the server are examined. A calculator client gets its command on stdin.",
    why: "the server gets bytes: quotes, NULs or b'...' become part of the request",
    fix: "encode the text once: text.encode() in Python; in C send strlen(text) bytes",
    needs: ["connects"],
    limit: 20_000,
    run: (client) => sendsWell(client),
  },
  {
    id: "prints",
    level: "lesson",
    services: asking,
    sentence: "prints the reply",
    how:
      "The program's stdout must contain the reply. A calculator client is run once more, with a " +
      "reply that only the server can know: an error with a random number.",
    why: "the reply is what the user asked for",
    fix: "decode what recv() returned, and print it",
    needs: ["sends"],
    run: printsReply,
  },
  {
    id: "ends",
    level: "lesson",
    services: everyService,
    sentence: "ends once it has its reply",
    how: "The server leaves the connection open; the program has 4 s to end by itself.",
    why: "the lesson's server leaves the connection open: a client that waits for its end hangs",
    fix: "read one reply, print it, close the socket; don't loop until recv() returns nothing",
    needs: ["connects", "sends"],
    limit: 20_000,
    async run(client) {
      const run = await client.observe(ordinary(client));
      if (run.status !== undefined && !run.waitedForClose) return;
      throw new Finding({
        saw: run.waitedForClose
          ? "it ended only after the server closed the connection"
          : `it was still running ${END_MS / 1_000} s after the reply`,
      });
    },
  },
];

async function printsReply(client: ClientUnderTest): Promise<void> {
  const run = await client.observe(ordinary(client));
  const missing = run.replies.find((reply) => !run.stdout.includes(reply));
  if (missing !== undefined) {
    throw new Finding({ want: missing, saw: printedBy(run), said: run.said });
  }
  const asBytes = run.replies.find((reply) => isShownAsBytes(reply, run.stdout));
  if (asBytes !== undefined) {
    throw new Finding({
      want: asBytes,
      saw: `${printedBy(run)}\nb'...' is Python's way of showing bytes`,
      fix: "turn the bytes into text before you print them: data.decode()",
    });
  }
  if (client.settings.service !== "calc") return;
  // A sum can be worked out without the server.
  const erred = await client.observe(erringServer);
  const { error } = client;
  if ((erred.stdout + erred.stderr).includes(error)) return;
  throw new Finding({
    sent: error,
    want: error,
    saw: printedBy(erred),
    said: erred.said,
    fix: "print what recv() returned, whatever it is: the answer comes from the server",
  });
}

/** Whether a text is printed as Python shows bytes, and only so. */
function isShownAsBytes(text: string, output: string): boolean {
  const before = output.split(text).slice(0, -1);
  return before.every((part) => /b(['"])$/.test(part));
}

async function sendsWell(client: ClientUnderTest): Promise<void> {
  const run = await client.observe(ordinary(client));
  const { service } = client.settings;
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
    // A command of its own is as good as the one that was typed.
    if (text.trim() === typed || /^Sum|^Diff|^Product|^Div/.test(run.replies[0] ?? "")) return;
    throw new Finding({
      ...wrongAnswer(request, { text: typed ?? "10 20 +" }, ""),
      sent: `${typed} (typed)`,
    });
  }
  const isText = text !== "" && !/[\0\ufffd]/.test(text) && !/^b(['"]).*\1$/s.test(text);
  if (!isText) throw new Finding({ ...wrongAnswer(request, { text: "" }, ""), want: "plain text" });
}

function endOf(run: Run): string {
  return run.status === undefined
    ? `was still running after ${CLIENT_MS / 1_000} s`
    : endingOf(run.status);
}
