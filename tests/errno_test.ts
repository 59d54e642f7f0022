/** What errors of the three systems mean. Their texts are in the user's language: only numbers tell. */
import { assertEquals } from "@std/assert";
import { errnoOf, kindOf, kindOfPath, type SocketFailureKind } from "../sockets/errno.ts";

/** An error as Deno throws it. */
function error(number: number, code?: string): Error {
  return Object.assign(new Error(`Wörter des Systems (os error ${number})`), { code });
}

const table: readonly [os: string, number: number, code: string | undefined, SocketFailureKind][] =
  [
    ["windows", 10050, undefined, "UNREACHABLE"],
    ["windows", 10064, undefined, "UNREACHABLE"],
    ["windows", 10042, undefined, "UNREACHABLE"],
    ["windows", 10045, undefined, "UNREACHABLE"],
    ["windows", 10051, "EINVAL", "UNREACHABLE"],
    ["windows", 10065, "EINVAL", "UNREACHABLE"],
    ["windows", 10049, "EADDRNOTAVAIL", "UNREACHABLE"],
    ["windows", 10052, undefined, "RESET"],
    ["windows", 10054, "ECONNRESET", "RESET"],
    ["windows", 10061, "ECONNREFUSED", "REFUSED"],
    ["windows", 10060, "ETIMEDOUT", "TIMEOUT"],
    ["windows", 10101, undefined, "CLOSED"],
    ["windows", 109, undefined, "CLOSED"],
    ["windows", 11001, "ENOENT", "DNS"],
    ["windows", 11002, undefined, "DNS"],
    ["windows", 11004, "ENOENT", "DNS"],
    ["darwin", 64, undefined, "UNREACHABLE"],
    ["darwin", 50, undefined, "UNREACHABLE"],
    ["darwin", 42, undefined, "UNREACHABLE"],
    ["darwin", 102, undefined, "UNREACHABLE"],
    ["darwin", 100, undefined, "UNREACHABLE"],
    ["darwin", 41, undefined, "CLOSED"],
    ["linux", 100, undefined, "UNREACHABLE"],
    ["linux", 112, undefined, "UNREACHABLE"],
    ["linux", 64, undefined, "UNREACHABLE"],
    ["linux", 71, undefined, "UNREACHABLE"],
    ["linux", 92, undefined, "UNREACHABLE"],
    ["linux", 111, "ECONNREFUSED", "REFUSED"],
    ["linux", 104, "ECONNRESET", "RESET"],
    ["linux", 32, "EPIPE", "CLOSED"],
  ];

for (const [os, number, code, kind] of table) {
  Deno.test(`os error ${number} of ${os} is ${kind}`, () => {
    assertEquals(kindOf(error(number, code), os), kind);
  });
}

Deno.test("a number says more than the code that the runtime gives it", () => {
  assertEquals(errnoOf(error(10051, "EINVAL"), "windows"), "ENETUNREACH");
  assertEquals(errnoOf(error(10065, "EINVAL"), "windows"), "EHOSTUNREACH");
});

Deno.test("a missing file means that nothing listens at a Unix path, and nothing of the kind over TCP", () => {
  for (const code of ["ENOENT", "ENOTSOCK"]) {
    assertEquals(kindOfPath(error(2, code)), "REFUSED");
    assertEquals(kindOf(error(2, code)) === "REFUSED", false);
  }
});

Deno.test("the same number is another error on another system", () => {
  assertEquals(errnoOf(error(64), "linux"), "ENONET");
  assertEquals(errnoOf(error(64), "darwin"), "EHOSTDOWN");
  assertEquals(errnoOf(error(64), "windows"), undefined);
});
