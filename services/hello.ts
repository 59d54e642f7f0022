import type { Service } from "./service.ts";

/**
 * Reports that a client has connected, and sends nothing. A UDP datagram, which
 * makes no connection, is answered with `Hello`.
 */
export const service: Service = {
  name: "hello",
  running: "Server is Running....",
  connected: "Connection is established...",
  closesAtOnce: true,
  reply: () => "Hello",
};
