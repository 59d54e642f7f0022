import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  netdemo,
  netdemoCommand,
  Process,
  python3,
  startServer,
  testWith,
  tool,
} from "./harness/mod.ts";
import { session } from "./harness/terminal_session.ts";

function client(name: string, port: number, ...words: string[]): string[] {
  return [...netdemoCommand, `${name}-client`, `:${port}`, ...words];
}

const CALC = "Enter Command ";
const CTRL_D = "\x04";

testWith([python3], "the prompt says what to type and how to leave, and answers help", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const screen = await session(client("calc", port), [
    ["see", "Type O1 O2 OP, for example 10 20 +; help says more, quit or Ctrl-D leaves.\n"],
    ["see", CALC],
    ["type", "help\r"],
    ["see", "OP is one of + - * /"],
    ["see", CALC],
    ["type", "\r"],
    ["see", CALC],
    ["type", "10 20 +\r"],
    ["see", "Sum of 10 and 20 is 30\n"],
    ["see", CALC],
    ["type", "quit\r"],
  ]);
  assertMatch(screen, /exit code 0\n$/);
});

testWith(
  [python3],
  "a terminal that does not know its size counts as 80 columns wide",
  async () => {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    const steps = [["see", "; help says more, quit or Ctrl-D leaves.\n"], ["see", CALC]] as const;
    await session(client("calc", port), [...steps, ["type", "quit\r"]], 0);
  },
);

testWith([python3], "an everyday error is one line, and leaving does not repeat it", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const screen = await session(client("calc", port), [
    ["see", CALC],
    ["type", "1 0 /\r"],
    ["see", "\nError: division by zero\n"],
    ["see", CALC],
    ["type", CTRL_D],
  ]);
  assertMatch(screen, /division by zero\nEnter Command \n\s*exit code 1\n$/);
  const line = await session(client("calc", port, "1", "0", "/"), []);
  assertMatch(line, /^Error: division by zero\n\s*exit code 1\n$/);
});

testWith([python3], "a command in another notation gets a hint to type", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const typed = [
    ["10 + 20", "the operator comes last: 10 20 +"],
    ["10+20", "the operator comes last: 10 20 +"],
    ["6 x 7", "the operator comes last: 6 7 *"],
    ["6 7 ×", "the operators are + - * /: 6 7 *"],
    ["6 7 −", "the operators are + - * /: 6 7 -"],
    ["+ 1 2", "the operator comes last: 1 2 +"],
  ] as const;
  const steps = typed.flatMap(([line, hint]) =>
    [["see", CALC], ["type", `${line}\r`], ["see", `\nhint: ${hint}\n`]] as const
  );
  await session(client("calc", port), [...steps, ["see", CALC], ["type", "quit\r"]]);
  const line = await session(client("calc", port, "6", "7", "×"), []);
  assertStringIncludes(
    line,
    `hint: the operators are + - * /: netdemo calc-client localhost:${port} 6 7 "*"\n`,
  );
  const args = ["calc-client", `:${port}`, "-"];
  const { code, stderr } = await netdemo(args, "1 2 +\n10 + 20\n");
  assertEquals(code, 1);
  assertMatch(stderr, /^netdemo: ERROR: 1 of 2 answers was an error\nhint: .*: 10 20 \+\n$/);
});

testWith([python3], "quit and help are understood however they are written", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  for (const word of ["Quit", "quit ", "EXIT"]) {
    const screen = await session(client("calc", port), [
      ["see", CALC],
      ["type", "HELP\r"],
      ["see", "OP is one of + - * /"],
      ["see", CALC],
      ["type", `${word}\r`],
    ]);
    assertMatch(screen, /exit code 0\n$/);
  }
});

testWith([python3], "keys edit the line and recall earlier ones", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const [left, up] = ["\x1b[D", "\x1b[A"];
  const screen = await session(client("calc", port), [
    ["see", CALC],
    ["type", `10 20 +${left}${left}\x7f5\r`], // Backspace removes the 0
    ["see", "Sum of 10 and 25 is 35\n"],
    ["type", `${up}\x015\r`], // Ctrl-A moves to the beginning
    ["see", "Sum of 510 and 25 is 535\n"],
    ["type", `1 2 +x${left}${CTRL_D}\r`], // within a line Ctrl-D removes the character under the cursor
    ["see", "Sum of 1 and 2 is 3\n"],
    ["see", CALC],
    ["type", CTRL_D],
  ]);
  assertMatch(screen, /exit code 0\n$/);
});

testWith([python3], "the end of the server is noticed while the prompt waits", async () => {
  const { process, port } = await startServer(["calc-server", "--verbose"]);
  await using _process = process;
  const ending = session(client("calc", port), [
    ["see", CALC],
    ["type", "1 2 +\r"],
    ["see", "Sum of 1 and 2 is 3\n"],
    ["see", CALC],
    ["see", "CLOSED: 127.0.0.1"],
  ]);
  await process.reported(/reply {5}Sum of 1 and 2 is 3\n/);
  process.kill("SIGTERM");
  const screen = await ending;
  assertMatch(screen, /exit code 14\n$/);
});

testWith(
  [python3],
  "a lost datagram does not end the session, but sets its exit code",
  async () => {
    const socket = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
    const answering = (async () => {
      for (let count = 0; count < 3; count++) {
        const [bytes, from] = await socket.receive();
        if (count !== 1) await socket.send(bytes, from);
      }
    })();
    const { port } = socket.addr as Deno.NetAddr;
    const command = [...netdemoCommand, "message-client", `udp://127.0.0.1:${port}`, "-"];
    const screen = await session([...command, "--timeout", "300ms"], [
      ["see", "Type a message and Enter; help says more, quit or Ctrl-D leaves.\n"],
      ["see", "Enter Message "],
      ["type", "one\r"],
      ["see", "\none\n"],
      ["type", "two\r"],
      ["see", "netdemo: TIMEOUT: no reply from 127.0.0.1"],
      ["see", "Enter Message "],
      ["type", " quit\r"],
      ["see", "\nquit\n"],
      ["type", CTRL_D],
    ]);
    await answering;
    socket.close();
    assertMatch(screen, /exit code 124\n$/);
  },
);

testWith(
  [python3],
  "Ctrl-C ends the session as a shell expects, and restores the terminal",
  async () => {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    const line = client("calc", port).map((word) => `'${word}'`).join(" ");
    const screen = await session(["sh", "-c", `trap : INT; ${line}; echo "code $?"; stty -a`], [
      ["see", CALC],
      ["type", "1 2"],
      ["see", "1 2"],
      ["type", "\x03"],
      ["see", "code 130\n"],
      ["see", " icanon"],
    ]);
    assertMatch(screen, / echo /);
  },
);

testWith(
  [python3, tool("bash")],
  "Ctrl-Z suspends the session, and fg restores the line",
  async () => {
    const { process, port } = await startServer(["calc-server"]);
    await using _process = process;
    const line = client("calc", port).map((word) => `'${word}'`).join(" ");
    const screen = await session(["bash", "--norc", "--noprofile", "-i"], [
      ["type", `${line}\r`],
      ["see", CALC],
      ["type", "10 2"],
      ["see", "10 2"],
      ["type", "\x1a"],
      ["see", "Stopped"],
      ["type", "echo the sh''ell\r"],
      ["see", "\nthe shell\n"],
      ["type", "fg\r"],
      ["see", `${CALC}10 2`],
      ["type", "0 +\r"],
      ["see", "Sum of 10 and 20 is 30\n"],
      ["see", CALC],
      ["type", CTRL_D],
      ["see", "bash-"],
      ["type", "exit\r"],
    ]);
    assertMatch(screen, /exit code 0\n$/);
  },
);

testWith([python3], "pasted lines are asked one after another", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const screen = await session(client("calc", port), [
    ["see", CALC],
    ["type", "1 2 +\r3 4 +\r5 6 +\r"],
    ["see", "Sum of 1 and 2 is 3\n"],
    ["see", "Sum of 3 and 4 is 7\n"],
    ["see", "Sum of 5 and 6 is 11\n"],
    ["see", CALC],
    ["type", CTRL_D],
  ]);
  assertMatch(screen, /exit code 0\n$/);
});

testWith([python3], "in 40 columns the introduction wraps between words", async () => {
  const { process, port } = await startServer(["calc-server"]);
  await using _process = process;
  const screen = await session(client("calc", port), [["see", CALC], ["type", CTRL_D]], 40);
  const introduction = screen.slice(0, screen.indexOf(CALC));
  assertEquals(
    introduction,
    "Type O1 O2 OP, for example 10 20 +; help\nsays more, quit or Ctrl-D leaves.\n",
  );
});

testWith(
  [python3],
  "in 40 columns a failure wraps between words, but not its line to type",
  async () => {
    const screen = await session([...netdemoCommand, "calc-server", "4040"], [], 40);
    assertEquals(
      screen,
      `\
netdemo: USAGE: calc-server takes no
  arguments: received '4040'
hint: a port goes after --port:
  netdemo calc-server --port 4040

exit code 2
`,
    );
  },
);

testWith([python3], "in 40 columns addresses are a list that fits", async () => {
  for (const args of [[], ["localhost"], ["[2001:db8:1111:2222:3333:4444:5555:6666]:40"]]) {
    const screen = await session([...netdemoCommand, "address", ...args], [], 40);
    assertEquals(screen.split("\n").filter((line) => line.length > 40), []);
    assertStringIncludes(screen, "family: IPv");
  }
});

for (const name of ["calc", "message"]) {
  Deno.test(`${name}-client - reads stdin, one request per line`, async () => {
    const { process, port } = await startServer([`${name}-server`]);
    await using _process = process;
    await using asking = new Process(client(name, port, "-"), { stdin: "piped" });
    await asking.input("1 2 +\n\n3 4 +\n");
    const { code, stdout } = await asking.ended();
    assertEquals(code, 0);
    assertStringIncludes(
      stdout,
      name === "calc" ? "Sum of 1 and 2 is 3\nSum of 3 and 4 is 7\n" : "Thanks...\nThanks...\n",
    );
  });
}
