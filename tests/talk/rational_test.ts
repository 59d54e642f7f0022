import { assertEquals } from "@std/assert";
import {
  calculate,
  formatRational,
  isShownAs,
  MAX_DIGITS,
  parseRational,
} from "../../talk/rational.ts";
import type { Operator, Rational } from "../../talk/talk.ts";

const number = (text: string): Rational => parseRational(text) as Rational;

Deno.test("numbers are calculated exactly", () => {
  const results: readonly (readonly [string, Operator, string, string | undefined])[] = [
    ["0.1", "+", "0.2", "0.3"],
    ["9007199254740993", "+", "1", "9007199254740994"],
    ["10", "/", "4", "2.5"],
    ["10", "/", "3", "3.333333"],
    ["-1", "/", "7", "-0.1428571"],
    ["1", "/", "3000000", "0.0000003333333"],
    ["123456789", "/", "1000", "123456.789"],
    ["29.5", "/", "10", "2.95"],
    ["99999999", "/", "3333333.5", "29.999998"],
    ["-7", "//", "2", "-3"],
    ["-7", "%", "2", "-1"],
    ["7.5", "%", "2", "1.5"],
    ["1", "/", "0", undefined],
    ["1", "%", "0", undefined],
    [`1${"0".repeat(6_000)}`, "*", `1${"0".repeat(6_000)}`, undefined],
  ];
  for (const [a, operator, b, wanted] of results) {
    const result = calculate(number(a), operator, number(b));
    assertEquals(result && formatRational(result), wanted, `${a} ${operator} ${b}`);
  }
});

Deno.test("a number is recognized in any of its forms, and no other is taken for it", () => {
  const quotient = calculate(number("2"), "/", number("3")) as Rational;
  const forms: readonly (readonly [Rational, readonly string[], readonly string[]])[] = [
    [number("30"), ["30", "30.0", "+30", "3e1", "030", "30.0000000001"], [
      "31",
      "-30",
      "30.1",
      "3",
    ]],
    [number("9007199254740993"), ["9007199254740993"], [
      "9007199254740992",
      "9.007199254740992e15",
    ]],
    [quotient, ["0.6666666", "0.67", "0.66", "0.7", "0.6", ".667", "6.67e-1"], [
      "0.65",
      "1",
      "0",
      "0.8",
    ]],
    [number("2.5"), ["2.5", "2.50", "25e-1"], ["2", "3", "2.4", "2.6"]],
    [number("1234567.5"), ["1234567.5", "1.23457e+06"], ["1234567", "1234568"]],
    [number("-2.75"), ["-2.75", "-2.7", "-2.8"], ["2.75", "-2.6"]],
    [number("0"), ["0", "0.0", "-0"], ["1", "0.1"]],
  ];
  for (const [wanted, right, wrong] of forms) {
    for (const text of right) assertEquals(isShownAs(wanted, text), true, text);
    for (const text of wrong) assertEquals(isShownAs(wanted, text), false, text);
  }
});

Deno.test("numbers have a limit", () => {
  assertEquals(parseRational("9".repeat(MAX_DIGITS + 1)), undefined);
  assertEquals(parseRational("1e999999999"), undefined);
  assertEquals(formatRational(number("9".repeat(MAX_DIGITS))), "9".repeat(MAX_DIGITS));
});
