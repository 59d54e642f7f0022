import { challengeOf, padded, randomWord } from "./challenge.ts";
import { type Client, RequestError } from "./client.ts";

/** Sends one message; any reply will do. */
export const client: Client = {
  name: "message",
  usage: "[TEXT...]",
  takesText: true,
  about: `Sends TEXT, or Hello Server HBD if none is given, and prints the reply.
With - it sends every line of stdin, and at a terminal asks for messages until
end of file (Ctrl-D). Put -- before a TEXT that begins with a dash, or looks
like a target.`,
  examples: ["Good morning", "-", "-- --not-a-flag"],
  prompt: "Enter Message ",
  dialogue: {
    toType: "a message and Enter",
    help: "Each line is one message. The arrow keys edit the line and bring back earlier ones. A " +
      "space before help, quit or exit sends that word as a message.",
  },
  requests(words) {
    const text = words.length === 0 ? "Hello Server HBD" : words.join(" ");
    if (text === "") {
      throw new RequestError("a message must not be empty: received ''");
    }
    if (/[\r\n]/.test(text)) {
      throw new RequestError("a message must be one line: received a line break");
    }
    return [text];
  },
  challenge(_, size = 0) {
    const request = padded(`netdemo check ${randomWord()}`, ".", "", size);
    return challengeOf(request, "Thanks...", { fresh: false });
  },
};
