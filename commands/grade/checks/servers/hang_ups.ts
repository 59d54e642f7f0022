/** Clients that come to a TCP server and leave at once, and what is left of them. */
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import { servesAnother } from "../../servers/reactions.ts";
import { everyService } from "../../subjects.ts";
import type { Check } from "../check.ts";
import { restsWhenIdle } from "./process.ts";

export const hangUpChecks: readonly Check<ServerUnderTest>[] = [
  {
    id: "hangs-up",
    level: "robust",
    services: everyService,
    sentence: "survives a client that leaves at once",
    how: "Three clients connect and leave without sending anything; another must be answered.",
    why: "port scanners, health checks and impatient people do this all day",
    fix: "if recv() returns nothing, the client has left: close its socket and wait for the next",
    needs: ["next-client"],
    async run(server) {
      for (let times = 0; times < 3; times++) (await server.connect()).close();
      await servesAnother(
        server,
        "nothing",
        "a client connected and left without sending anything",
      );
    },
  },
  {
    id: "busy",
    level: "robust",
    services: everyService,
    sentence: "is idle when there is nothing to do",
    how: "The program's CPU time is measured over 0.5 s, after clients have come and gone.",
    why: "a busy loop heats the machine and slows down everything else",
    fix: "leave the loop when recv() returns nothing: that is the end, not an empty message",
    needs: ["hangs-up"],
    async run(server) {
      await server.exchange();
      await restsWhenIdle(server.program);
    },
  },
];
