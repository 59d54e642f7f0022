/** Clients that come to a TCP server and leave at once, and what is left of them. */
import { Client, exchange } from "../../servers/exchange.ts";
import { servesAnother } from "../../servers/survival.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Check } from "../check.ts";
import { restsWhenIdle } from "./process.ts";

export const hangUpChecks: readonly Check<ServerUnderTest>[] = [
  {
    id: "hangs-up",
    level: "robust",
    sentence: "survives a client that leaves at once",
    how: "Three clients connect and leave without sending anything; another must be answered.",
    why: "port scanners, health checks and impatient people do this all day",
    fix: "if recv() returns nothing, the client has left: close its socket and wait for the next",
    needs: ["listens", "answers"],
    async run(server) {
      // One that serves a single client has served it then.
      const times = server.servesSeveral ? 3 : 1;
      for (let client = 0; client < times; client++) {
        // A greeting that is not read would turn the end into a reset.
        using leaving = new Client(server);
        await leaving.begin();
      }
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
    sentence: "is idle when there is nothing to do",
    how: "The program's CPU time is measured over 0.5 s, after clients have come and gone.",
    why: "a busy loop heats the machine and slows down everything else",
    fix: "leave the loop when recv() returns nothing: that is the end, not an empty message",
    needs: ["next-client", "hangs-up"],
    async run(server) {
      await exchange(server);
      await restsWhenIdle(server.program);
    },
  },
];
