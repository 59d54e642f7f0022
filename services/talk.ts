import { Dialogue } from "../talk/dialogue.ts";
import type { Talk } from "../talk/talk.ts";
import type { Service } from "./service.ts";

/**
 * A conversation file as a service: the server says what the file shows, to any client that does.
 *
 * @param random Draws what the server is the first to name: numbers from 0 up to 1.
 */
export function talkService(name: string, talk: Talk, random: () => number): Service {
  return {
    name,
    running: `${name} is running....`,
    reply: () => "",
    converse: () => new Dialogue(talk, random),
  };
}
