import { challengeOf, padded, randomWord } from "./challenge.ts";
import { type Client, RequestError } from "./client.ts";

/** Sends one message; any reply will do. */
export const client: Client = {
  name: "message",
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
    return challengeOf(request, { expected: "Thanks..." }, { fresh: false });
  },
};
