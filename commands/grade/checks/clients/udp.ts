/** What differs for clients over UDP. */
import { Finding } from "../../../../suite/test.ts";
import type { ClientUnderTest } from "../../clients/client_under_test.ts";
import type { Scenario } from "../../clients/scripted_server.ts";
import { shown } from "../../evidence.ts";
import type { Check } from "../check.ts";
import { lacksRequest } from "../lacks.ts";
import { lastLine } from "./client_output.ts";
import { connects, goodServer } from "./lesson.ts";

export const reaches: Check<ClientUnderTest> = {
  ...connects,
  sentence: "reaches the server",
  how: "A socket bound to the given port on 127.0.0.1 and ::1 waits for a datagram.",
  fix: "sendto() localhost and the given port on a datagram socket (SOCK_DGRAM)",
};

const stranger: Scenario = {
  id: "stranger",
  replies: true,
  async answer(asked) {
    await asked.sendFromElsewhere("a stranger's reply");
    await goodServer.answer?.(asked);
  },
};

export const strangerCheck: Check<ClientUnderTest> = {
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
    if (!run.stdout.includes("a stranger's reply")) return;
    throw new Finding({
      sent: "a stranger's reply (from another port)",
      saw: `it printed: ${shown(lastLine(run.stdout))}`,
    });
  },
};
