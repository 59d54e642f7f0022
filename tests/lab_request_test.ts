import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { client } from "../clients/lab.ts";
import {
  beginsAsRequest,
  type Carrier,
  isLabReply,
  labForms,
  labHelp,
  type LabRequest,
  readLabRequest,
  whoamiReply,
  withRoom,
} from "../protocol/lab.ts";
import { assertProperty } from "./harness/random.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Operands = Partial<LabRequest>;

/** Requests as typed, and how they are parsed. */
const right: readonly (readonly [line: string, carrier: Carrier, request: Operands])[] = [
  ["help", "stream", { word: "help" }],
  ["  help  ", "datagram", { word: "help" }],
  ["whoami", "stream", { word: "whoami" }],
  ["whoami 7f3", "datagram", { word: "whoami", text: "7f3" }],
  ["whoami 7f3      ", "datagram", { word: "whoami", text: "7f3" }],
  ["echo Hi", "stream", { word: "echo", text: "Hi" }],
  ["echo  two  spaces ", "stream", { word: "echo", text: " two  spaces " }],
  ["echo echo", "datagram", { word: "echo", text: "echo" }],
  ["bytes 1", "stream", { word: "bytes", count: 1 }],
  ["bytes 1048576", "stream", { word: "bytes", count: 1_048_576 }],
  ["delay 250ms Hi", "stream", { word: "delay", delayMs: 250, text: "Hi" }],
  ["delay 60 a b", "stream", { word: "delay", delayMs: 60_000, text: "a b" }],
  ["delay 0 x", "stream", { word: "delay", text: "x" }],
  ["slowly Hi", "stream", { word: "slowly", text: "Hi" }],
  [`slowly ${"x".repeat(1_200)}`, "stream", { word: "slowly", text: "x".repeat(1_200) }],
  ["split Hi", "stream", { word: "split", text: "Hi" }],
  ["split é", "stream", { word: "split", text: "é" }],
  ["silence", "stream", { word: "silence" }],
  ["silence", "datagram", { word: "silence" }],
  ["garbage", "stream", { word: "garbage" }],
  ["close", "stream", { word: "close" }],
  ["close 0", "stream", { word: "close" }],
  ["close 12", "stream", { word: "close", count: 12 }],
  ["reset", "stream", { word: "reset" }],
  ["reset 1048576", "stream", { word: "reset", count: 1_048_576 }],
  ["end", "stream", { word: "end" }],
  ["twice", "datagram", { word: "twice", text: "ok" }],
  ["twice a b", "datagram", { word: "twice", text: "a b" }],
  ["late 2s", "datagram", { word: "late", delayMs: 2_000, text: "ok" }],
  ["late 2s Hi", "datagram", { word: "late", delayMs: 2_000, text: "Hi" }],
];

Deno.test("a request to lab is a word with its arguments", () => {
  for (const [line, carrier, request] of right) {
    const whole = { text: "", count: 0, delayMs: 0, ...request };
    assertEquals(readLabRequest(line, carrier), whole as LabRequest, line);
  }
});

/** Invalid requests, and the replies that say what is valid. */
const wrong: readonly (readonly [line: string, carrier: Carrier, reply: string])[] = [
  ["", "stream", "Error: unknown request '': send help"],
  ["ehco Hi", "stream", "Error: unknown request 'ehco': send help"],
  ["ECHO Hi", "stream", "Error: unknown request 'ECHO': send help"],
  ["toString", "stream", "Error: unknown request 'toString': send help"],
  ["x".repeat(70_000), "stream", `Error: unknown request '${"x".repeat(25)}...': send help`],
  ["help me", "stream", "Error: expected help"],
  ["whoami a b", "stream", "Error: expected whoami [NONCE]"],
  ["echo", "stream", "Error: expected echo TEXT"],
  ["echo ", "stream", "Error: expected echo TEXT"],
  ...["", "0", "-1", "1e3", "0x10", "1048577", "9".repeat(400), "ten", "1 2"].map((count) =>
    [`bytes ${count}`, "stream", "Error: expected bytes N, N from 1 to 1048576"] as const
  ),
  ...["", "2s", "2s ", "Hi 2s", "61s Hi", "2m Hi", "-1s Hi", "1e9 Hi"].map((operands) =>
    [`delay ${operands}`, "stream", "Error: expected delay D TEXT, D up to 1m"] as const
  ),
  ["slowly", "stream", "Error: expected slowly TEXT, up to 1200 bytes"],
  [`slowly ${"é".repeat(601)}`, "stream", "Error: expected slowly TEXT, up to 1200 bytes"],
  ["split x", "stream", "Error: expected split TEXT, 2 bytes or more"],
  ["silence please", "stream", "Error: expected silence"],
  ["close -1", "stream", "Error: expected close [N], N up to 1048576"],
  ["reset 1048577", "stream", "Error: expected reset [N], N up to 1048576"],
  ["end now", "stream", "Error: expected end"],
  ["twice", "stream", "Error: twice works over UDP, not over TCP"],
  ["late 2s", "stream", "Error: late works over UDP, not over TCP"],
  ["bytes 5", "datagram", "Error: bytes works over TCP, not over UDP"],
  ["late", "datagram", "Error: expected late D [TEXT], D up to 1m"],
  ["late 61s", "datagram", "Error: expected late D [TEXT], D up to 1m"],
  ["late soon", "datagram", "Error: expected late D [TEXT], D up to 1m"],
];

Deno.test("an invalid request to lab gets an error that says what is valid", () => {
  for (const [line, carrier, reply] of wrong) assertEquals(readLabRequest(line, carrier), reply);
});

Deno.test("any input is a request, or gets one error line of up to 64 bytes", async () => {
  const words = labForms.map(({ form }) => form.split(" ")[0] ?? "");
  const line = fc.tuple(
    fc.oneof(fc.constantFrom(...words), fc.string({ unit: "binary" })),
    fc.constantFrom(" ", "", "\t", "  "),
    fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("1", "2s", "2s x", "é".repeat(700))),
  ).map((parts) => parts.join(""));
  await assertProperty(
    fc.property(line, fc.constantFrom<Carrier>("stream", "datagram"), (line, carrier) => {
      const read = readLabRequest(line, carrier);
      if (typeof read !== "string") return;
      assert(read.startsWith("Error: "));
      assertLessOrEqual(new TextEncoder().encode(read).length, 64);
    }),
    2_000,
  );
});

Deno.test("help lists every request of the transport it is asked over", () => {
  for (const { form, carriers } of labForms) {
    for (const carrier of ["stream", "datagram"] as const) {
      assertEquals(labHelp(carrier).includes(form), carriers.includes(carrier), form);
    }
  }
});

Deno.test("a reply of whoami can't be mistaken for a request", () => {
  const ends = ["127.0.0.1:4050", "[fe80::1%eth0]:51234"] as const;
  for (const nonce of ["", "7f3"]) assert(isLabReply(whoamiReply(nonce, "west 1", ...ends)));
  assert(isLabReply(labHelp("datagram")));
  for (const request of ["echo I am at home, you are there", "whoami", "late 2s at 9, you are x"]) {
    assert(!isLabReply(request), request);
    assert(beginsAsRequest(request), request);
  }
  assert(!beginsAsRequest(whoamiReply("", "west-1", ...ends)));
});

Deno.test("a padded request is at least as long as its reply", () => {
  const end = `[fe80:1234:1234:1234:1234:1234:1234:1234%interface-15ch]:65535`;
  const longest = whoamiReply("7f3", "x".repeat(64), end, end);
  assertLessOrEqual(longest.length, withRoom("whoami 7f3").length);
  assertLessOrEqual(labHelp("datagram").length, withRoom("help").length);
});

Deno.test("lab-client knows the right reply to each request", () => {
  const replies: Record<string, string | undefined> = {
    "echo Hi": "Hi",
    "bytes 12": "012345678901",
    "delay 2s Hi": "Hi",
    "late 2s": "ok",
    "close 3": "0123", // one more byte, so that a reply of three is incomplete
    whoami: undefined,
    "bytes x": undefined,
  };
  for (const [request, reply] of Object.entries(replies)) {
    assertEquals(client.expected?.(request), reply, request);
  }
});

Deno.test("only a lab that receives check's question can answer it", () => {
  for (const protocol of ["tcp", "udp"] as const) {
    const challenge = client.challenge(protocol, 400);
    const request = decoder.decode(challenge.request);
    assertEquals(request.length, "\n".length + 400);
    const [, nonce = ""] = request.split(/\s/);
    const reply = whoamiReply(nonce, "west-1", "10.0.0.3:4050", "10.0.0.9:51234");
    const match = (text: string) => challenge.match(encoder.encode(text)).is;
    assertEquals([match(`${reply}\n`), match(`${reply}\r\n`)], ["right", "right"]);
    // Without its line end it may have been cut anywhere.
    for (const part of ["", nonce.slice(0, 5), nonce, reply.slice(0, -1), reply]) {
      assertEquals(match(part), "part", part);
    }
    assertEquals(match(`${reply.slice(1)}\n`), "wrong");
    assertEquals(match("Error: unknown request\n"), "wrong");
  }
});
