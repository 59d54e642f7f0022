import type { Service } from "./service.ts";

/** Shows each message to the server's user and thanks for it. */
export const service: Service = withReply("Thanks...");

function withReply(reply: string): Service {
  return {
    name: "message",
    running: "Message Server is running....",
    connected: "Connection Established",
    showsRequests: true,
    reply: () => reply,
    withReply,
  };
}
