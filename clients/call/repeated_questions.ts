import { equals } from "@std/bytes/equals";
import type { DatagramPeer } from "./datagram_peer.ts";

/** How often a question is sent that gets no answer, the first time included. */
const TRIES = 4;

/** Asks over UDP, where datagrams may be lost: a question without an answer is sent again. */
export class RepeatedQuestions {
  /** Answers to questions that were repeated: so many of each may come once more. */
  readonly #answers: { readonly bytes: Uint8Array; count: number }[] = [];

  /**
   * The next datagram; `undefined` if there is none.
   *
   * @param question What was sent, and is sent again meanwhile.
   * @param timeout Milliseconds that all tries have together.
   */
  async answer(
    peer: DatagramPeer,
    question: Uint8Array | undefined,
    timeout: number,
  ): Promise<Uint8Array | undefined> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const end = performance.now() + timeout / TRIES;
      while (true) {
        const datagram = await peer.inbox.next(Math.max(0, end - performance.now()));
        if (datagram === undefined) break;
        const { bytes } = datagram;
        if (this.#comesAgain(bytes)) continue;
        if (tries > 1 && question !== undefined) this.#answers.push({ bytes, count: tries - 1 });
        return bytes;
      }
      if (tries < TRIES && question !== undefined) await peer.send(question);
    }
    return undefined;
  }

  /** The first datagram that is no such answer; it stays in the inbox. */
  surplusOf({ inbox }: DatagramPeer): Uint8Array | undefined {
    inbox.take(({ bytes }) => this.#comesAgain(bytes));
    return inbox.kept[0]?.bytes;
  }

  #comesAgain(bytes: Uint8Array): boolean {
    const answer = this.#answers.find((one) => one.count > 0 && equals(one.bytes, bytes));
    if (answer !== undefined) answer.count--;
    return answer !== undefined;
  }
}
