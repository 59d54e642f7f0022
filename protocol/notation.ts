import { calculate } from "./calculator.ts";
import { ERROR_PREFIX } from "./reply.ts";

/** The request that was probably meant by another. */
export interface Meant {
  readonly request: string;
  /** What is wrong with the other. */
  readonly wrong: "order" | "signs";
}

/** Signs that people write for the operators of a calculator. */
const signs: Readonly<Record<string, string>> = {
  "×": "*",
  "·": "*",
  x: "*",
  X: "*",
  "÷": "/",
  ":": "/",
  "−": "-",
  "–": "-",
};

const NUMBER = String.raw`([-+]?\d[\d_]*)`;
const OPERATOR = "([-+*/])";

/** Orders in which people write a command, each with the one that a calculator reads. */
const orders = [
  [`^${NUMBER} ?${OPERATOR} ?${NUMBER} ?=?$`, "$1 $3 $2"],
  [`^${OPERATOR} ?${NUMBER} ${NUMBER}$`, "$2 $3 $1"],
  [`^${NUMBER} ${NUMBER} ?${OPERATOR}$`, "$1 $2 $3"],
].map(([typed = "", meant = ""]) => [new RegExp(typed), meant] as const);

/** The command that a calculator's user meant; `undefined` if it can be read, or not be guessed. */
export function commandMeant(typed: string): Meant | undefined {
  const words = typed.trim().replaceAll(/\s+/g, " ");
  const signed = words.replaceAll(/[×·xX÷:−–]/g, (sign) => signs[sign] ?? sign);
  const [order, meant] = orders.find(([order]) => order.test(signed)) ?? [];
  const request = order === undefined ? signed : signed.replace(order, meant ?? "");
  if (request === words || calculate(request).startsWith(ERROR_PREFIX)) return undefined;
  return { request, wrong: request === signed ? "signs" : "order" };
}
