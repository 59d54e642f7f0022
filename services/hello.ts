import type { Service } from "./service.ts";

/** Accepts a connection, says so, and closes it. */
export const service: Service = {
  name: "hello",
  running: "Server is Running....",
  connected: "Connection is established...",
};
