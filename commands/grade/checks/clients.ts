import { type Check, everyService } from "../check.ts";
import type { ExaminedClient } from "../client.ts";
import type { Scenario } from "../stages.ts";
import { lessonClientChecks } from "./lesson_client.ts";
import { streamClientChecks } from "./stream_client.ts";
import { strangerCheck, tcpTroubles, udpTroubles } from "./trouble_client.ts";

/** The checks for clients over TCP, in the order they run. */
export const tcpClientChecks: readonly Check<ExaminedClient>[] = [
  ...lessonClientChecks,
  ...tcpTroubles,
  ...streamClientChecks,
];

/** The checks for clients over UDP, in the order they run. */
export const udpClientChecks: readonly Check<ExaminedClient>[] = [
  ...lessonClientChecks.map((check): Check<ExaminedClient> =>
    check.id === "connects"
      ? {
        ...check,
        sentence: "reaches the server",
        how: "A socket bound to the given port on 127.0.0.1 and ::1 waits for a datagram.",
        fix: "sendto() localhost and the given port on a datagram socket (SOCK_DGRAM)",
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

/** Returns the scenarios of the checks in which a client waits for its own timeout. */
export function waitingIn(checks: readonly Check<ExaminedClient>[]): Scenario[] {
  return checks.flatMap((check) => "scenario" in check ? [check.scenario as Scenario] : [])
    .filter(({ waits }) => waits);
}
