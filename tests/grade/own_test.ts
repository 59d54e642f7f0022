import { assertEquals } from "@std/assert";
import { testWith, unix } from "../harness/needs.ts";
import { gradeProgram, inParallel, ownProgram, shareOf } from "./examine_programs.ts";

const all = ["hello", "message", "calc"].flatMap((service) =>
  ["server", "client"].flatMap((role) =>
    [false, true].map((udp) => ({ subject: `${service}-${role}`, udp, lines: false }))
  )
);

testWith([unix], "netdemo's own six programs pass stream, over TCP and UDP", async () => {
  const surprises: string[] = [];
  const withLines = { subject: "calc-server", udp: false, lines: true };
  await inParallel(shareOf([...all, withLines]), 6, async ({ subject, udp, lines }) => {
    const command = ownProgram(subject, ...(udp ? ["--udp"] : []), "--port", "{port}");
    const { failed, skipped, text } = await gradeProgram(
      { subject, level: "stream", udp, lines },
      command,
    );
    if (failed.length + skipped.length > 0) {
      surprises.push(`${subject} ${udp ? "--udp" : ""}\n${text}`);
    }
  });
  assertEquals(surprises, []);
});
