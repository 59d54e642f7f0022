/** Clients that come to a TCP server and leave at once, and what is left of them. */
import { Client } from "../../servers/exchange.ts";
import { servesAnother } from "../../servers/survival.ts";
import type { ServerUnderTest } from "../../servers/server_under_test.ts";
import type { Check } from "../check.ts";
import { busy } from "./process.ts";

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
  busy,
];
