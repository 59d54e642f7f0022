import { assertMatch, assertStringIncludes } from "@std/assert";
import { netdemoInProcess, Process, pythonTest } from "../harness/mod.ts";

/** A calculator that waits for line ends, and greets if it is told to. */
const calculator = `
import socketserver, sys

class Calculator(socketserver.StreamRequestHandler):
    def handle(self):
        if "greet" in sys.argv:
            self.wfile.write(b"Welcome\\n")
        for line in self.rfile:
            a, b = line.split(b" + ")
            self.wfile.write(b"%d\\n" % (int(a) + int(b)))

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

with Server(("127.0.0.1", int(sys.argv[1])), Calculator) as server:
    print("port", server.server_address[1], flush=True)
    server.serve_forever()
`;

/** A file that does not fit it, and what check and grade say. */
const misfits: readonly (readonly [string, readonly string[], RegExp, RegExp])[] = [
  [
    "> {a} + {b}\n< {a + b}\n",
    [],
    /hint: it answered once a line end followed/,
    /saw +nothing until a line end was sent, then the answer/,
  ],
  [
    "> {a} + {b}\\n\n< {a + b}\\n\n",
    ["greet"],
    /hint: it speaks first: begin with what it says/,
    /saw +it speaks first: Welcome/,
  ],
];

pythonTest("a file that does not fit a server that is right gets a hint", async (python) => {
  const folder = await Deno.makeTempDir();
  const [program, path] = [`${folder}/calculator.py`, `${folder}/a.talk`];
  await Deno.writeTextFile(program, calculator);
  for (const [file, words, checked, graded] of misfits) {
    await Deno.writeTextFile(path, file);
    await using server = new Process([python, program, "0", ...words]);
    const [, port = ""] = await server.printed(/^port (\d+)\n/);
    const asked = ["--talk", path, "--timeout", "500ms"];
    const check = await netdemoInProcess(["check", ...asked, `127.0.0.1:${port}`]);
    assertMatch(check.stderr, checked);
    const command = [python, program, "{port}", ...words];
    const grade = await netdemoInProcess(["grade", "server", "--talk", path, "--", ...command]);
    assertMatch(grade.stdout, graded);
    assertStringIncludes(grade.stderr, "1 of 3 checks failed");
  }
  await Deno.remove(folder, { recursive: true });
});
