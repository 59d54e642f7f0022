import { formatEndpoint } from "../../protocol/addresses.ts";
import type { ServerSide } from "../../talk/dialogue.ts";
import type { ReplyPlan, Service } from "../service.ts";
import { shownReply } from "./conversation.ts";
import type { Exchange } from "./exchange.ts";
import { LruMap } from "../../sockets/lru_map.ts";

/** The conversations of a server over UDP, one for each address that sends to it. */
export class DatagramDialogues {
  readonly #converse: NonNullable<Service["converse"]>;
  readonly #dialogues = new LruMap<ServerSide>();

  constructor(converse: NonNullable<Service["converse"]>) {
    this.#converse = converse;
  }

  /** What a datagram gets, a datagram for each line; `undefined` if it fits no line of the file. */
  reply({ remote }: Exchange, bytes: Uint8Array): ReplyPlan | undefined {
    const name = formatEndpoint(remote);
    const dialogue = this.#dialogues.get(name) ?? this.#converse("udp");
    this.#dialogues.set(name, dialogue);
    const turn = dialogue.next(bytes, "quiet");
    if (turn?.about !== "request") return undefined;
    const { replies } = turn;
    return { shown: shownReply(replies), steps: () => replies.map((send) => ({ send })) };
  }
}
