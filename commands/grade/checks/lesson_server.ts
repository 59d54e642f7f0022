/** What the lesson's own servers do, over TCP: no line ends, one client at a time. */
import { type Check, everyService, Finding, NO_PROCESS, Skipped } from "../check.ts";
import { calculation, freshQuestion, sampleOf } from "../server.ts";
import type { TcpServer } from "../tcp_server.ts";
import { asThreeClients } from "./next_client.ts";

const operations = ["10 20 +", "10 5 -", "6 7 *", "10 4 /", "10 5 /", "10 20 -", "-7 2 +"];

/** Milliseconds that a program gets to prove that it does not wait for a line end. */
const LAST_CHANCE_MS = 3_000;

export const lessonServerChecks: readonly Check<TcpServer>[] = [
  {
    id: "listens",
    level: "lesson",
    services: everyService,
    sentence: "starts and listens",
    how:
      "The program is started, and the first client tries to connect every 20 ms for up to 10 s. " +
      "If the program listens on another port or address, the report names it.",
    why: "a client can reach a server only at the address and port where it listens",
    fix: "bind() to the given port (in C with htons()), then listen() and accept()",
    needs: [],
    limit: 40_000,
    async run(server) {
      server.keep(await server.connect());
    },
  },
  {
    id: "answers",
    level: "lesson",
    services: ["message", "calc"],
    sentence: { hello: "", message: "thanks for a message", calc: 'answers "10 20 +"' },
    how: "The lesson's request is sent, and every byte of the answer is compared.",
    why: "clients compare bytes: an answer that only looks right is wrong",
    fix: "send exactly the lesson's text, as bytes, with one send()",
    needs: ["listens"],
    async run(server) {
      await server.learn();
      await server.preferLines();
    },
  },
  {
    id: "no-newline",
    level: "lesson",
    services: ["message", "calc"],
    sentence: "answers a request without a line end",
    how:
      "A request is sent without a line end; after 1 s a line end follows, then the client ends " +
      "its side. The report says which of them brought the answer.",
    why: "the lesson's client sends no line end: a server that waits for one never answers it",
    fix: "read with recv() instead of readLine(); if your client sends line ends, use --lines",
    needs: ["answers"],
    async run(server) {
      const awaited = server.firstAnswerAfter;
      if (awaited === undefined || awaited === "nothing") return;
      // It may only have been slow to start: one more try, with more time.
      server.doubt();
      if (await server.answersWithoutLineEnd(LAST_CHANCE_MS)) {
        server.requestEnd = "nothing";
        return;
      }
      const { request } = sampleOf(server.examination);
      const observed = {
        line: "nothing until a line end was sent, then the answer",
        "end of stream": "nothing until the client ended its side, then the answer",
      };
      throw new Finding({ sent: `${request} (without a line end)`, saw: observed[awaited] });
    },
  },
  {
    id: "operations",
    level: "lesson",
    services: ["calc"],
    sentence: "calculates + - * /, also with negative numbers",
    how:
      "Seven requests are sent on one connection. Below level stream, quotients are compared as " +
      "numbers.",
    why: "nobody trusts a calculator that was wrong once",
    fix: "split the request at whitespace, convert the operands to integers, choose by operator",
    needs: ["answers"],
    async run(server) {
      const { level } = server.examination;
      await server.ask(...operations.map((request) => calculation(request, level)));
    },
  },
  {
    id: "next-client",
    level: { hello: "robust", message: "robust", calc: "lesson" },
    services: everyService,
    sentence: "serves one client after another",
    how: "Three clients connect, each after the previous one has left.",
    why: "a server that ends with its first client must be restarted for the next",
    fix: "put accept() inside the loop, and close only the client's socket",
    needs: ["listens", "answers"],
    async run(server) {
      await asThreeClients(() => server.exchange(), "after the first client had left");
      server.servesSeveral = server.starter.child !== undefined;
    },
  },
  {
    id: "prints",
    level: "lesson",
    services: ["hello", "message"],
    sentence: {
      hello: "reports that a client has connected",
      message: "shows the message",
      calc: "",
    },
    how:
      "The program's stdout is read. Many languages buffer what they print to a pipe, so empty " +
      "output is not a failure.",
    why: "the person who runs the server wants to see what is going on",
    fix: "print a line for each client or message, and flush stdout",
    needs: ["listens", "answers"], // hello has no "answers"
    async run(server) {
      const { service, target } = server.examination;
      if (target !== undefined) throw new Skipped(NO_PROCESS);
      const sample = sampleOf(server.examination).request;
      if (service === "message" && server.starter.child?.stdout.text.includes(sample)) return;
      const { request } = service === "message"
        ? freshQuestion(server.examination)
        : { request: "" };
      if (service === "message") {
        const conversation = await server.connect();
        await server.request(conversation, request);
        await conversation.until((bytes) => bytes.length > 0, server.examination.timeout);
        await server.leave(conversation);
      } else await server.exchange();
      const child = server.starter.process();
      const shows = (text: string): boolean =>
        service === "message" ? text.includes(request) : /connect|client|accept/i.test(text);
      if (await child.stdout.shows(shows, 300)) return;
      const endedByItself = await child.endsWithin(200) && child.ended?.signal === null;
      // Buffered output appears when the program ends by itself.
      child.signal("SIGINT");
      await child.endsWithin(1_000);
      if (await child.stdout.shows(shows, 300)) return;
      const { text } = child.stdout;
      if (text === "" || !endedByItself) {
        throw new Skipped("nothing appeared on stdout: it may be buffered until it is flushed");
      }
      throw new Finding({
        sent: request === "" ? undefined : request,
        saw: `only this on stdout: ${text.trim().split("\n").at(-1) ?? ""}`,
      });
    },
  },
];
