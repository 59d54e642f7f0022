import { calculate, isAnswer } from "../protocol/calculator.ts";
import type { Service } from "./service.ts";

/** Answers calculator commands. */
export const service: Service = {
  name: "calc",
  running: "Calculator Server is running....",
  reply: calculate,
  isReply: isAnswer,
  isWhole: (text) => /\S\s+\S+\s+\S/.test(text),
};
