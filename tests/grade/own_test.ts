import { assertEquals } from "@std/assert";
import { testWith, unix } from "../harness/needs.ts";
import { gradeProgram, inParallel, ownProgram } from "./examine_programs.ts";

testWith([unix], "netdemo's own six programs pass stream, over TCP and UDP", async () => {
  const all = ["hello", "message", "calc"].flatMap((service) =>
    ["server", "client"].flatMap((role) =>
      [false, true].map((udp) => ({ subject: `${service}-${role}`, udp }))
    )
  );
  await inParallel(all, 8, async ({ subject, udp }) => {
    const flags = udp ? ["--udp"] : [];
    const command = ownProgram(subject, ...flags, "--port", "{port}");
    const { failed, skipped, text } = await gradeProgram(
      { subject, level: "stream", udp },
      command,
    );
    assertEquals({ failed, skipped }, { failed: [], skipped: [] }, text);
  });
});

testWith([unix], "netdemo's servers pass with --lines as well", async () => {
  const command = ownProgram("calc-server", "--port", "{port}");
  const program = { subject: "calc-server", level: "stream", lines: true } as const;
  const { failed, text } = await gradeProgram(program, command);
  assertEquals(failed, [], text);
});
