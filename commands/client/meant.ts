import { calculate } from "../../protocol/calculator.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";

/** What was probably meant by a line, and why it is not what was typed. */
export interface Meant {
  readonly line: string;
  readonly why: string;
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
export function calcMeant(typed: string): Meant | undefined {
  const words = typed.trim().replaceAll(/\s+/g, " ");
  const signed = words.replaceAll(/[×·xX÷:−–]/g, (sign) => signs[sign] ?? sign);
  const [order, meant] = orders.find(([order]) => order.test(signed)) ?? [];
  const line = order === undefined ? signed : signed.replace(order, meant ?? "");
  if (line === words || calculate(line).startsWith(ERROR_PREFIX)) return undefined;
  const why = line === signed ? "the operators are + - * /" : "the operator comes last";
  return { line, why };
}
