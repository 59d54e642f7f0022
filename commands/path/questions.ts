import type { Test, TestFacts } from "../../suite/test.ts";
import { udpQuestions } from "./questions/datagrams.ts";
import { endQuestions } from "./questions/ends.ts";
import {
  addressQuestion,
  bulkQuestion,
  idleQuestion,
  replyQuestion,
} from "./questions/exchanges.ts";
import { manyQuestion } from "./questions/many.ts";
import { nobodyQuestion } from "./questions/nobody.ts";
import { serverFirstQuestion } from "./questions/server_first.ts";
import type { TcpDriver } from "./tcp_driver.ts";

export { udpQuestions };

/** The questions over TCP, in order; `idle` is only asked if a time is given for it. */
export const tcpQuestions: readonly Test<TcpDriver>[] = [
  replyQuestion,
  addressQuestion,
  serverFirstQuestion,
  bulkQuestion,
  ...endQuestions,
  manyQuestion,
  idleQuestion,
  nobodyQuestion,
];

/** All questions over TCP or UDP. */
export function questionsOver(protocol: "tcp" | "udp"): readonly TestFacts[] {
  return protocol === "tcp" ? tcpQuestions : udpQuestions;
}
