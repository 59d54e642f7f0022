import { assertEquals, assertMatch } from "@std/assert";
import { lesson } from "../main.ts";
import {
  type Ended,
  netdemo,
  netdemoCommand,
  netdemoInProcess,
  Process,
  pythonTest,
  signalTest,
  testWith,
  unix,
} from "./harness/mod.ts";

/** The transports of a service. */
const transports = ["tcp", "udp", "unix"] as const;
type Transport = (typeof transports)[number];

/** A test with the needs of its transport. */
function transportTest(transport: Transport, name: string, fn: () => Promise<void>): void {
  testWith(transport === "unix" ? [unix] : [], `${name} over ${transport}`, fn);
}

interface Running extends AsyncDisposable {
  readonly process: Process;
  /** The flags that a client needs to reach it. */
  readonly flags: string[];
}

async function start(name: string, transport: Transport, ...flags: string[]): Promise<Running> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  const where = transport === "unix" ? ["--unix", path] : ["--port", "0"];
  if (transport === "udp") where.push("--udp");
  const process = new Process([...netdemoCommand, `${name}-server`, ...where, ...flags]);
  const [, at = ""] = await process.printed(
    /Listening on (\S+) .*\((?:tcp|udp|unix)\)\n|"event":"listening"/,
  )
    .then(([line]) => /Listening on (\S+)/.exec(line) ?? []);
  const port = at.split(":").at(-1) ?? "";
  return {
    process,
    flags: transport === "unix" ? where : [...where.slice(2), "--port", port],
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const good = (stdout: string): Ended => ({ code: 0, stdout, stderr: "" });

for (const transport of transports) {
  signalTest(`hello works over ${transport}`, async () => {
    await using server = await start("hello", transport);
    const reply = transport === "udp" ? "Hello\n" : "";
    assertEquals(await netdemoInProcess(["hello-client", ...server.flags]), good(reply));
    const line = transport === "udp"
      ? /Datagram received from 127\.0\.0\.1:\d+\n/
      : /Connection is established\.\.\.\n/;
    await server.process.printed(line);
    assertEquals((await server.process.stop()).code, 0);
  });

  signalTest(`message works over ${transport}`, async () => {
    await using server = await start("message", transport, "--reply", "Grüße");
    assertEquals(await netdemoInProcess(["message-client", ...server.flags]), good("Grüße\n"));
    assertEquals(
      await netdemoInProcess(["message-client", ...server.flags, "ü", "€"]),
      good("Grüße\n"),
    );
    await server.process.printed(/Hello Server HBD\n(?:Connection Established\n)?ü €\n/);
    assertEquals((await server.process.stop("SIGINT")).code, 0);
  });

  transportTest(transport, "calc works", async () => {
    await using server = await start("calc", transport);
    const ask = (...words: string[]): Promise<Ended> =>
      netdemoInProcess(["calc-client", ...server.flags, ...words]);
    assertEquals(await ask("10", "20", "+"), good("Sum of 10 and 20 is 30\n"));
    assertEquals(await ask("10 4 /"), good("Div of 10 and 4 is 2.5\n"));
    const zero = await ask("5", "0", "/");
    assertEquals([zero.code, zero.stdout], [1, "Error: division by zero\n"]);
    const commands = Array.from({ length: 500 }, (_, number) => `${number} 7 *\n`).join("");
    const answers = Array.from(
      { length: 500 },
      (_, number) => `Product of ${number} and 7 is ${number * 7}\n`,
    );
    assertEquals(await netdemo(["calc-client", ...server.flags], commands), good(answers.join("")));
    const json = await ask("--json", "1", "1", "+");
    assertMatch(
      json.stdout,
      /^\{"event":"answer","ok":true,"request":"1 1 \+","reply":"Sum of 1 and 1 is 2",.*\}\n$/,
    );
  });

  transportTest(transport, "--once serves one and exits 0", async () => {
    await using server = await start("calc", transport, "--once");
    assertEquals(
      await netdemoInProcess(["calc-client", ...server.flags, "1", "2", "-"]),
      good("Diff of 1 and 2 is -1\n"),
    );
    assertEquals((await server.process.ended()).code, 0);
  });
}

/** A Python client that sends once and receives once, as in the lesson. */
const pythonClient = `
import socket, sys
kind, target, text = sys.argv[1:4]
if kind == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
    s.sendto(text.encode(), ("127.0.0.1", int(target)))
    print(repr(s.recvfrom(1024)[0]))
else:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); s.settimeout(5)
    s.connect(target); s.send(text.encode())
    print(repr(s.recv(1024)))
`;

/** A Python server that receives once and sends once, without a line end. */
const pythonServer = `
import os, socket, sys
kind, reply = sys.argv[1:3]
if kind == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
    print("at", s.getsockname()[1], flush=True)
    data, peer = s.recvfrom(1024); s.sendto(reply.encode(), peer)
else:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); s.bind(sys.argv[3]); s.listen(5)
    print("at", sys.argv[3], flush=True)
    c, peer = s.accept(); data = c.recv(1024); c.send(reply.encode())
print(repr(data), flush=True)
sys.stdin.read()
`;

/** The sample request and reply of each lesson program: over UDP hello has them too. */
const talks = await Promise.all(lesson.map(async ({ name, sample, client }) => {
  const { greeting = "", expected } = await client();
  const request = sample.request ?? greeting;
  return { name, ...sample, sent: request, replied: sample.reply ?? expected?.(request) ?? "" };
}));

for (const transport of transports) {
  for (const { name, words, reply, replied } of talks) {
    transportTest(transport, `the sample of ${name} gets its reply`, async () => {
      await using server = await start(name, transport);
      const printed = transport === "udp" ? replied : reply;
      assertEquals(
        await netdemoInProcess([`${name}-client`, ...server.flags, ...words]),
        good(printed === undefined ? "" : `${printed}\n`),
      );
    });
  }
}

for (const transport of transports.filter((transport) => transport !== "tcp")) {
  for (const { name, words, request, sent, replied: reply } of talks) {
    if (request === undefined && transport === "unix") continue; // nothing is sent

    pythonTest(
      `a Python client of ${name} over ${transport} gets its answer, byte for byte`,
      async (python) => {
        await using server = await start(name, transport);
        const target = server.flags.at(-1) ?? "";
        await using client = new Process([python, "-c", pythonClient, transport, target, sent]);
        assertEquals(await client.ended(), good(`b'${reply}'\n`));
      },
    );

    pythonTest(
      `${name}-client gets its answer from a Python server over ${transport}`,
      async (python) => {
        const folder = await Deno.makeTempDir();
        const path = `${folder}/socket`;
        try {
          await using server = new Process([python, "-c", pythonServer, transport, reply, path], {
            stdin: "piped",
          });
          const [, at = ""] = await server.printed(/^at (\S+)\n/);
          const where = transport === "unix" ? ["--unix", at] : ["--udp", "--port", at];
          assertEquals(
            await netdemoInProcess([`${name}-client`, ...where, ...words]),
            good(`${reply}\n`),
          );
          await server.printed(new RegExp(`b'${sent.replaceAll("+", "\\+")}\\\\n'\n`));
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      },
    );
  }
}
