/** What netdemo's clients ask a server, and the answers that are right. */
import { calculate } from "../../protocol/calculator.ts";
import type { Expected } from "./judge.ts";
import type { ServiceName } from "./subjects.ts";

/** The first request of each service, as the lesson's client sends it. */
const samples: Record<ServiceName, string> = {
  hello: "Hello",
  message: "Hello Server HBD",
  calc: "10 20 +",
};

/** A request with the answer that it must get. */
export interface Question {
  readonly request: string;
  readonly expected: Expected;
}

/** The lesson's own request, with its answer. */
export function sampleOf(service: ServiceName): Question {
  return questionOf(service, samples[service]);
}

/** Returns a new question, as far as the service allows. */
export function freshQuestion(service: ServiceName, random: () => number): Question {
  const number = (): number => 1 + Math.floor(random() * 9_999);
  const requests: Record<ServiceName, () => string> = {
    hello: () => samples.hello,
    message: () => `Hello Server ${number()}`,
    calc: () => `${number()} ${number()} +`,
  };
  return questionOf(service, requests[service]());
}

function questionOf(service: ServiceName, request: string): Question {
  const answers: Record<ServiceName, () => string> = {
    hello: () => request,
    message: () => "Thanks...",
    calc: () => calculate(request),
  };
  return { request, expected: { text: answers[service]() } };
}

/** A calculator's question. A quotient may be written in any way: 2, 2.0, 2.00. */
export function calculation(request: string): Question {
  const text = calculate(request);
  const [, after, digits] = /^(Div of .* is )(.*)$/.exec(text) ?? [];
  if (after === undefined) return { request, expected: { text } };
  return { request, expected: { text, number: { after, value: Number(digits) } } };
}
