import type { Service } from "./service.ts";

/** The reply of the lesson's server. */
const THANKS = "Thanks...";

/** Shows each message to the server's user and thanks its client. */
export const service: Service = replying(THANKS);

function replying(reply: string): Service {
  return {
    name: "message",
    running: "Message Server is running....",
    connected: "Connection Established",
    showsRequests: true,
    reply: () => reply,
    isReply: (text) => text === THANKS,
    flag: {
      name: "reply",
      value: "TEXT",
      about: "the reply to every message",
      default: THANKS,
      apply(text) {
        if (text === "" || /[\r\n]/.test(text)) {
          throw new RangeError("must be one line that is not empty");
        }
        return replying(text);
      },
    },
  };
}
