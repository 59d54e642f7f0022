import { challengeOf } from "./challenge.ts";
import { type Client, RequestError } from "./client.ts";

/** Connects, and ends. */
export const client: Client = {
  name: "hello",
  greeting: "Hello",
  requests(words) {
    const [surplus] = words;
    if (surplus === undefined) return [];
    throw new RequestError(`hello-client takes no arguments: received '${surplus}'`);
  },
  expected: () => "Hello",
  challenge(protocol) {
    if (protocol === "udp") return challengeOf("Hello", { expected: "Hello" }, { fresh: false });
    // A hello-server closes each connection that it accepts, and sends nothing.
    return {
      request: undefined,
      fresh: false,
      echo: false,
      form: "end",
      expected: "",
      match({ length }, over) {
        return { is: length > 0 ? "wrong" : over === "end" ? "right" : "part" };
      },
    };
  },
};
