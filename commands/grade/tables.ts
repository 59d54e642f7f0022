/** Every check, in the order in which they run. */
import type { Check, CheckFacts } from "./checks/check.ts";
import type { ClientCheck } from "./checks/clients/client_check.ts";
import { lessonClientChecks } from "./checks/clients/lesson.ts";
import { streamClientChecks } from "./checks/clients/stream.ts";
import { tcpTroubles, udpTroubles } from "./checks/clients/trouble.ts";
import { lessonUdpClientChecks, strangerCheck } from "./checks/clients/udp.ts";
import { badRequestChecks } from "./checks/servers/bad_requests.ts";
import { connectionChecks } from "./checks/servers/connections.ts";
import { hangUpChecks } from "./checks/servers/hang_ups.ts";
import { lessonChecks } from "./checks/servers/lesson.ts";
import { processChecks } from "./checks/servers/process.ts";
import { streamChecks } from "./checks/servers/stream.ts";
import { lessonUdpChecks, udpChecks } from "./checks/servers/udp.ts";
import type { EagerPeer } from "../../sockets/eager_peer.ts";
import type { UdpPeer } from "./servers/peer.ts";
import type { ServerUnderTest } from "./servers/server_under_test.ts";
import type { Subject } from "./subjects.ts";

export const tcpServerChecks: readonly Check<ServerUnderTest<EagerPeer>>[] = [
  ...lessonChecks,
  ...hangUpChecks,
  ...badRequestChecks,
  ...connectionChecks,
  ...processChecks,
  ...streamChecks,
];

export const udpServerChecks: readonly Check<ServerUnderTest<UdpPeer>>[] = [
  ...lessonUdpChecks,
  ...badRequestChecks,
  ...udpChecks,
];

export const tcpClientChecks: readonly ClientCheck[] = [
  ...lessonClientChecks,
  ...tcpTroubles,
  ...streamClientChecks,
];

export const udpClientChecks: readonly ClientCheck[] = [
  ...lessonUdpClientChecks,
  ...udpTroubles,
  strangerCheck,
];

/** The checks of a role over a protocol. */
export function tableOf(role: Subject["role"], protocol: "tcp" | "udp"): readonly CheckFacts[] {
  if (role === "client") return protocol === "udp" ? udpClientChecks : tcpClientChecks;
  return protocol === "udp" ? udpServerChecks : tcpServerChecks;
}
