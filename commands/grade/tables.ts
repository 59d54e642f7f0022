/** Every check, in the order in which they run. */
import type { DatagramPeer } from "../../clients/call/datagram_peer.ts";
import type { EagerPeer } from "../../sockets/eager_peer.ts";
import type { Check, CheckFacts } from "./checks/check.ts";
import { connects, lessonClientChecks } from "./checks/clients/lesson.ts";
import { streamClientChecks } from "./checks/clients/stream.ts";
import { type ClientCheck, tcpTroubles, udpTroubles } from "./checks/clients/trouble.ts";
import { reaches, strangerCheck } from "./checks/clients/udp.ts";
import { badRequestChecks, mistakeChecks } from "./checks/servers/bad_requests.ts";
import {
  calculatorChecks,
  calculatorMistakes,
  operationsCheck,
} from "./checks/servers/calculator.ts";
import { connectionChecks } from "./checks/servers/connections.ts";
import { hangUpChecks } from "./checks/servers/hang_ups.ts";
import {
  answers,
  conversationChecks,
  listens,
  listensForDatagrams,
  nextClient,
  nextDatagram,
  noNewline,
} from "./checks/servers/lesson.ts";
import { prints } from "./checks/servers/prints.ts";
import { processChecks } from "./checks/servers/process.ts";
import { streamChecks } from "./checks/servers/stream.ts";
import { udpChecks } from "./checks/servers/udp.ts";
import type { ServerUnderTest } from "./servers/server_under_test.ts";
import type { Subject } from "./subjects.ts";

/** The checks of a server over TCP. */
export function tcpServerChecks(subject: Subject): readonly Check<ServerUnderTest<EagerPeer>>[] {
  return [
    ...[listens, answers, noNewline, nextClient, operationsCheck, prints],
    ...conversationChecks(subject),
    ...hangUpChecks,
    ...mistakeChecks(subject),
    ...calculatorMistakes,
    ...badRequestChecks,
    ...calculatorChecks,
    ...connectionChecks,
    ...processChecks,
    ...streamChecks,
  ];
}

/** The checks of a server over UDP. */
export function udpServerChecks(
  subject: Subject,
): readonly Check<ServerUnderTest<DatagramPeer>>[] {
  return [
    ...[listensForDatagrams, answers, nextDatagram, operationsCheck],
    ...conversationChecks(subject),
    ...mistakeChecks(subject),
    ...calculatorMistakes,
    ...badRequestChecks,
    ...calculatorChecks,
    ...udpChecks,
  ];
}

export const tcpClientChecks: readonly ClientCheck[] = [
  ...[connects, ...lessonClientChecks],
  ...tcpTroubles,
  ...streamClientChecks,
];

export const udpClientChecks: readonly ClientCheck[] = [
  ...[reaches, ...lessonClientChecks],
  ...udpTroubles,
  strangerCheck,
];

/** The checks of a subject. */
export function tableOf(subject: Subject): readonly CheckFacts[] {
  const { role, protocol } = subject;
  if (role === "client") return protocol === "udp" ? udpClientChecks : tcpClientChecks;
  return protocol === "udp" ? udpServerChecks(subject) : tcpServerChecks(subject);
}
