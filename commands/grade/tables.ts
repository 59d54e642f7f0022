import type { Check } from "./check.ts";
import { badRequestChecks } from "./checks/bad_requests.ts";
import { lessonServerChecks } from "./checks/lesson_server.ts";
import { robustServerChecks } from "./checks/robust_server.ts";
import { streamServerChecks } from "./checks/stream_server.ts";
import { lessonUdpChecks, udpChecks } from "./checks/udp_server.ts";
export { tcpClientChecks, udpClientChecks, waitingIn } from "./checks/clients.ts";
import type { TcpServer } from "./tcp_server.ts";
import type { UdpServer } from "./udp_server.ts";

const [hangsUp, busy, ...afterBadRequests] = robustServerChecks;

/** The checks for servers over TCP, in the order they run. */
export const tcpServerChecks: readonly Check<TcpServer>[] = [
  ...lessonServerChecks,
  ...[hangsUp, busy].filter((check) => check !== undefined),
  ...badRequestChecks,
  ...afterBadRequests,
  ...streamServerChecks,
];

/** The checks for servers over UDP, in the order they run. */
export const udpServerChecks: readonly Check<UdpServer>[] = [
  ...lessonUdpChecks,
  ...badRequestChecks,
  ...udpChecks,
];
