import calc from "./files/calc.talk" with { type: "text" };
import echo from "./files/echo.talk" with { type: "text" };
import hello from "./files/hello.talk" with { type: "text" };
import helloUdp from "./files/hello-udp.talk" with { type: "text" };
import message from "./files/message.talk" with { type: "text" };
import upper from "./files/upper.talk" with { type: "text" };
import { parseTalk } from "./parse.ts";
import type { Talk } from "./talk.ts";

const files = { calc, echo, hello, "hello-udp": helloUdp, message, upper } as const;

/** A conversation that is part of netdemo. */
export type BuiltInTalk = keyof typeof files;

/** Reads a conversation that is built in. */
export function builtInTalk(name: BuiltInTalk): Talk {
  return parseTalk(files[name]);
}
