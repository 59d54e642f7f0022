import type { Service } from "./service.ts";

/**
 * Says that a client has come. A connection is greeting enough; where there is
 * none, as over UDP, a datagram is answered with `Hello`.
 */
export const service: Service = {
  name: "hello",
  running: "Server is Running....",
  connected: "Connection is established...",
  closesAtOnce: true,
  reply: () => "Hello",
};
