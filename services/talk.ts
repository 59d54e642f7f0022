import { Dialogue } from "../talk/dialogue.ts";
import { GroupDialogue } from "../talk/group_dialogue.ts";
import { namesClients, type Talk } from "../talk/talk.ts";
import { fileName } from "../text/file_name.ts";
import type { Service } from "./service.ts";

/** What a service draws where it is the first to name a value: numbers from 0 up to 1. */
const random = Math.random;

/**
 * A conversation as a service: to a client that says what the conversation shows, the server does
 * too.
 */
export function talkService(name: string, talk: Talk): Service {
  const group = namesClients(talk) ? new GroupDialogue(talk, random) : undefined;
  return {
    name,
    running: `${name} is running....`,
    reply: () => "",
    converse: (protocol) =>
      group?.join() ?? new Dialogue({ ...talk, udp: protocol === "udp" }, random),
  };
}

/** The service of a file that its user has named: over UDP if its lines are datagrams, else over TCP. */
export function fileService(path: string, talk: Talk): Service {
  return {
    ...talkService(fileName(path), talk),
    protocols: [talk.udp ? "udp" : "tcp"],
    file: path,
  };
}
