import { Matcher } from "../talk/matcher.ts";
import { render } from "../talk/render.ts";
import type { Line, Talk } from "../talk/talk.ts";
import type { Value } from "../talk/value.ts";
import { challengeOf, padded, randomWord } from "./challenge.ts";
import { type Client, RequestError } from "./client.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The client of a service that is a conversation of one request and its reply, of which the
 * request is a value: it sends any text, and knows the reply.
 */
export function talkClient(name: string, talk: Talk): Client {
  const [request, reply] = talk.conversations[0]?.lines ?? [];
  const [value] = request?.tokens ?? [];
  if (request === undefined || reply === undefined || value?.kind !== "value") {
    throw new TypeError(`Cannot ask a conversation of more than one value: received ${name}`);
  }
  const expected = (text: string): string => replyTo(text, { talk, request, reply });
  return {
    name,
    requests(words) {
      if (words.length === 0) return undefined;
      const text = words.join(" ");
      if (text !== "" && !/[\r\n]/.test(text)) return [text];
      throw new RequestError("a request must be one line that is not empty");
    },
    expected,
    challenge(_, size = 0) {
      const text = padded(randomWord(), ".", "", size);
      return challengeOf(text, { expected: expected(text) }, { fresh: true });
    },
  };
}

/** The right reply to a text, as the conversation shows it. */
function replyTo(
  text: string,
  { talk, request, reply }: { readonly talk: Talk; readonly request: Line; readonly reply: Line },
): string {
  const options = { talk, values: new Map<string, Value>() };
  const matcher = new Matcher([request], { bytes: encoder.encode(text) }, options);
  matcher.finish("silent");
  return decoder.decode(render(reply.tokens, matcher.said, { talk, random: () => 0 }));
}
