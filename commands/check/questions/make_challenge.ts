import type { Client } from "../../../clients/client.ts";
import { type Expectation, hostHeader, OPEN } from "../targets/targets.ts";
import type { Challenge } from "./challenge.ts";
import { customChallenge } from "./custom.ts";
import { httpChallenge } from "./http.ts";
import type { TalkQuestion } from "./talk_question.ts";

/** The clients that know what to ask, by the name of their service. */
export type Clients = ReadonlyMap<string, Client>;

/**
 * Makes a new question for a probe; `undefined` if the probe only connects.
 *
 * @param size Bytes of the request, its line end included. @default {as few as it needs}
 */
export function challengeFor(
  expected: Expectation,
  clients: Clients,
  size?: number,
): Challenge | TalkQuestion | undefined {
  const { service, target, question, http } = expected;
  if (service === OPEN) return undefined;
  if (http !== undefined) return httpChallenge(http, hostHeader(expected));
  if (service === undefined) {
    if (question === undefined) throw new TypeError(`Cannot ask ${target.text} without a question`);
    return "form" in question ? question : customChallenge(question);
  }
  const client = clients.get(service);
  if (client === undefined) throw new TypeError(`Cannot ask an unknown service ${service}`);
  return client.challenge(target.protocol, size === undefined ? undefined : size - 1);
}

/** Bytes of the smallest request to a target, its line end included. */
export function leastSize(expected: Expectation, clients: Clients): number {
  const challenge = challengeFor(expected, clients, 1);
  return challenge?.form === "talk" ? 0 : challenge?.request?.length ?? 0;
}
