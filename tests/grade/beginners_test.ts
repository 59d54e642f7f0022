/** Programs as beginners write them: the first failure names the mistake. */
import { assertEquals } from "@std/assert";
import { lessonSubject } from "../../commands/grade/subjects.ts";
import { testWith, unix } from "../harness/needs.ts";
import { gradeSubject, inParallel, missingTool, shareOf, Workshop } from "./examine_programs.ts";

const AT_A_TIME = 4;

interface Beginner {
  readonly mistake: string;
  readonly language: string;
  readonly subject: string;
  readonly udp?: boolean;
  readonly robust?: boolean;
  readonly source: string;
  /** What the report of the first failure must say. */
  readonly says: RegExp;
}

/** The lesson's calculator in Python. @param changes Where it is wrong. */
function python(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changed(
    `import socket, sys
s = socket.socket()
s.bind(("localhost", int(sys.argv[1])))
s.listen(5)
while True:
    c, address = s.accept()
    data = c.recv(1024)
    a, b, op = data.decode().split()
    if op == "+":
        answer = f"Sum of {a} and {b} is {int(a) + int(b)}"
    elif op == "-":
        answer = f"Diff of {a} and {b} is {int(a) - int(b)}"
    elif op == "*":
        answer = f"Product of {a} and {b} is {int(a) * int(b)}"
    else:
        answer = f"Div of {a} and {b} is {int(a) / int(b)}"
    c.send(answer.encode())
    c.close()
`,
    changes,
  );
}

const node = (...changes: readonly (readonly [from: string, to: string])[]): string =>
  changed(
    `import net from "node:net";
net.createServer((client) => {
  client.on("data", (data) => {
    const [a, b, op] = data.toString().split(" ");
    const x = Number(a), y = Number(b);
    const names = { "+": ["Sum", x + y], "-": ["Diff", x - y], "*": ["Product", x * y], "/": ["Div", x / y] };
    const [name, result] = names[op];
    client.write(name + " of " + a + " and " + b + " is " + result);
  });
}).listen(process.argv[2]);
`,
    changes,
  );

const c = (...changes: readonly (readonly [from: string, to: string])[]): string =>
  changed(
    `#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = {0};
  at.sin_family = AF_INET;
  at.sin_port = htons(atoi(argv[1]));
  at.sin_addr.s_addr = INADDR_ANY;
  bind(s, (struct sockaddr *)&at, sizeof at);
  listen(s, 5);
  while (1) {
    int client = accept(s, 0, 0);
    char buffer[1024] = {0}, answer[1024];
    recv(client, buffer, 1023, 0);
    int a, b;
    char op;
    sscanf(buffer, "%d %d %c", &a, &b, &op);
    if (op == '+') sprintf(answer, "Sum of %d and %d is %d", a, b, a + b);
    if (op == '-') sprintf(answer, "Diff of %d and %d is %d", a, b, a - b);
    if (op == '*') sprintf(answer, "Product of %d and %d is %d", a, b, a * b);
    if (op == '/') sprintf(answer, "Div of %d and %d is %f", a, b, (double)a / b);
    send(client, answer, strlen(answer), 0);
    close(client);
  }
}
`,
    changes,
  );

const java = (...changes: readonly (readonly [from: string, to: string])[]): string =>
  changed(
    `import java.io.*;
import java.net.*;
public class Program {
  public static void main(String[] args) throws Exception {
    ServerSocket s = new ServerSocket(Integer.parseInt(args[0]));
    while (true) {
      Socket client = s.accept();
      byte[] buffer = new byte[1024];
      int size = client.getInputStream().read(buffer);
      String[] w = new String(buffer, 0, size).split(" ");
      int a = Integer.parseInt(w[0]), b = Integer.parseInt(w[1]);
      String answer = switch (w[2]) {
        case "+" -> "Sum of " + a + " and " + b + " is " + (a + b);
        case "-" -> "Diff of " + a + " and " + b + " is " + (a - b);
        case "*" -> "Product of " + a + " and " + b + " is " + (a * b);
        default -> "Div of " + a + " and " + b + " is " + ((double) a / b);
      };
      PrintWriter out = new PrintWriter(client.getOutputStream(), true);
      out.print(answer);
      out.flush();
      client.close();
    }
  }
}
`,
    changes,
  );

const client = (...changes: readonly (readonly [from: string, to: string])[]): string =>
  changed(
    `import socket, sys
s = socket.socket()
s.connect(("localhost", int(sys.argv[1])))
command = input("Enter Command ")
s.send(command.encode())
reply = s.recv(1024)
print(reply.decode())
`,
    changes,
  );

function changed(
  source: string,
  changes: readonly (readonly [from: string, to: string])[],
): string {
  for (const [from, to] of changes) {
    if (!source.includes(from)) throw new Error(`no ${from}`);
    source = source.replace(from, () => to);
  }
  return source;
}

const server = (
  language: string,
  mistake: string,
  source: string,
  says: RegExp,
  more: Partial<Beginner> = {},
): Beginner => ({ mistake, language, source, says, subject: "calc-server", ...more });

const caller = (mistake: string, source: string, says: RegExp, more: Partial<Beginner> = {}) =>
  server("py", mistake, source, says, { subject: "calc-client", ...more });

const programs: readonly Beginner[] = [
  server(
    "py",
    "text is sent",
    python(["answer.encode()", "answer"]),
    /text\.encode\(\)[^]*bytes-like object[^]*Program\.py, line 17/,
  ),
  server("py", "send() on the socket that listens", python(["c.send", "s.send"]), /accept\(\) ret/),
  server("py", "the port is text", python(["int(sys.argv[1])", "sys.argv[1]"]), /int\(sys\.argv/),
  server("py", "asks for its port", python(["sys.argv[1]", "input()"]), /--input "\{port\}\\n"/),
  server("py", "bytes in a text", python(["data.decode()", "data"]), /b'\.\.\.'[^]*data\.decode/),
  server(
    "py",
    "listen() on a datagram socket",
    python(["socket.socket()", "socket.socket(type=socket.SOCK_DGRAM)"]),
    /not supported[^]*SOCK_STREAM/,
  ),
  server(
    "py",
    "greets first",
    python(["    data =", '    c.send(b"Welcome! ")\n    data =']),
    /speaks first[^]*send\(\) nothing before the first recv\(\)/,
  ),
  server(
    "py",
    "listen() is forgotten",
    python(["s.listen(5)\n", ""]),
    /call listen\(\) after bind\(\)/,
  ),
  server(
    "py",
    "a datagram socket",
    python(["socket.socket()", "socket.socket(type=socket.SOCK_DGRAM)"], ["s.listen(5)\n", ""], [
      "c, address = s.accept()\n",
      "pass\n",
    ], ["c.recv", "s.recv"]),
    /UDP socket on port \d+[^]*SOCK_STREAM[^]*or udp to its file/,
  ),
  server(
    "py",
    "joined as text",
    python(["int(a) + int(b)", "a + b"]),
    /joined as text[^]*int\(\) in Python/,
  ),
  server(
    "py",
    "no send()",
    python(["    c.send(answer.encode())\n", ""]),
    /send\(\) the answer before you close/,
  ),
  server(
    "py",
    "a second recv() before the answer",
    python(["data = c.recv(1024)", "data = c.recv(1024) and c.recv(1024)"]),
    /nothing within (?![^]*said)/,
  ),
  server(
    "py",
    "repr of bytes",
    python(["answer.encode()", "str(answer.encode()).encode()"]),
    /b'\.\.\.'/,
  ),
  server(
    "py",
    "accept() before the loop",
    python(
      ["while True:\n    c, address = s.accept()\n", "c, address = s.accept()\nwhile True:\n"],
      ["    c.close()\n", ""],
    ),
    /serves one client|after the first client had left|accept\(\) inside the loop/,
  ),
  server(
    "py",
    "a port of its own",
    python(["int(sys.argv[1])", "4711"]),
    /listens on port 4711, not on/,
  ),
  server(
    "py",
    "only one client, then the end",
    python(["while True:", "for _ in range(1):"]),
    /accept\(\) inside the loop/,
  ),
  server(
    "py",
    "a client that leaves at once",
    python(),
    /not enough values to unpack[^]*Program\.py, line 8/,
    { robust: true },
  ),
  server(
    "py",
    "Thanks.. is too short",
    `import socket, sys
s = socket.socket()
s.bind(("localhost", int(sys.argv[1])))
s.listen(5)
c, address = s.accept()
print(c.recv(1024).decode(), flush=True)
c.send(b"Thanks..")
`,
    /saw +Thanks\.\.\n +\^ the rest is missing/,
    { subject: "message-server" },
  ),
  server(
    "py",
    "the message comes back",
    `import socket, sys
s = socket.socket()
s.bind(("localhost", int(sys.argv[1])))
s.listen(5)
c, address = s.accept()
c.send(c.recv(1024))
`,
    /the request itself came back/,
    { subject: "message-server" },
  ),
  server(
    "py",
    "TCP where UDP was asked for",
    python(),
    /listens on TCP port \d+[^]*SOCK_DGRAM[^]*or udp in its file/,
    {
      udp: true,
    },
  ),
  server("mjs", "joined as text", node(["x + y", "a + b"]), /joined as text/),
  server(
    "mjs",
    "waits for a line",
    node([
      'client.on("data", (data) => {',
      'let kept = "";\n  client.on("data", (more) => {\n    kept += more;\n    if (!kept.includes("\\n")) return;\n    const data = kept.trim(); kept = "";',
    ]),
    /nothing until a line end was sent/,
  ),
  server(
    "mjs",
    "console.log in place of write",
    node(["client.write(", "console.log("]),
    /send\(\) the answer to the client/,
  ),
  server(
    "mjs",
    "the name in small letters",
    node(['["Sum"', '["sum"']),
    /upper and lower case differ/,
  ),
  server(
    "mjs",
    "a line end written twice escaped",
    node(["+ result);", '+ result + "\\\\n");']),
    /backslash and an n/,
  ),
  server(
    "mjs",
    "an unknown operator",
    node(),
    /survives an unknown operator|is not iterable[^]*Program\.mjs, line 7/,
    { robust: true },
  ),
  server(
    "mjs",
    "uncaught in the request",
    node(["const x = Number(a)", "a.missing();\n    const x = Number(a)"]),
    /TypeError: a\.missing is not a function\nProgram\.mjs, line 5/,
  ),
  server(
    "c",
    "without htons()",
    c(["htons(atoi(argv[1]))", "atoi(argv[1])"]),
    /listens on port \d+[^]*htons/,
  ),
  server(
    "c",
    "the NUL is sent",
    c(["strlen(answer), 0", "strlen(answer) + 1, 0"]),
    /NUL byte[^]*strlen/,
  ),
  server("c", "the whole array is sent", c(["strlen(answer), 0", "sizeof answer, 0"]), /NUL byte/),
  server(
    "c",
    "divides integers",
    c(['is %f", a, b, (double)a / b', 'is %d", a, b, a / b']),
    /cut to a whole number[^]*\(double\)/,
  ),
  server(
    "c",
    "a null pointer",
    c(["char buffer[1024] = {0}, answer[1024];", "char *buffer = 0, answer[1024];"]),
    /SIGSEGV|sent nothing|closed/,
  ),
  server(
    "c",
    "listen() is forgotten",
    c(["  listen(s, 5);\n", '  if (accept(s, 0, 0) < 0) { perror("accept"); return 1; }\n']),
    /accept: Invalid argument[^]*call listen\(\)/,
  ),
  server(
    "java",
    "PrintWriter is not flushed",
    java(["client.getOutputStream(), true", "client.getOutputStream()"], [
      "      out.flush();\n",
      "",
    ]),
    /flush it/,
  ),
  server(
    "java",
    "println() ends with a line end, in kind",
    java(["out.print(answer)", 'out.print("Answer: " + answer)']),
    /byte 1 differs/,
  ),
  server(
    "java",
    "a number is not parsed",
    java(["Integer.parseInt(w[0])", 'Integer.parseInt(w[0] + "x")']),
    /NumberFormatException[^]*Program\.java, line 11/,
  ),
  caller(
    "recv() before send()",
    client([
      "s.send(command.encode())\nreply = s.recv(1024)",
      "reply = s.recv(1024)\ns.send(command.encode())",
    ]),
    /send\(\) the request before you call recv\(\)/,
  ),
  caller(
    "never calls recv()",
    client([
      "reply = s.recv(1024)\n",
      'a, b, _ = command.split()\nreply = f"Sum of {a} and {b} is {int(a) + int(b)}".encode()\n',
    ]),
    /the answer comes from the server/,
  ),
  caller(
    "sends word by word",
    client(["s.send(command.encode())", "[s.send(word.encode()) for word in command.split()]"]),
    /the spaces are missing/,
  ),
  caller(
    "receives ten bytes, and asks again",
    client(["recv(1024)", "recv(10)"], ["print(reply.decode())", "print(reply.decode())\ninput()"]),
    /recv\(1024\) up to 1,024/,
  ),
  caller("receives ten bytes", client(["recv(1024)", "recv(10)"]), /recv\(1024\) up to 1,024/),
  caller("prints the bytes", client(["reply.decode()", "reply"]), /Python's way of showing bytes/),
  caller(
    "sends the repr",
    client(["command.encode()", "repr(command).encode()"]),
    /quotes|byte 1 differs/,
  ),
  caller(
    "another port",
    client(["int(sys.argv[1])", "int(sys.argv[1]) + 1"]),
    /no connection[^]*ConnectionRefusedError[^]*Program\.py, line 3/,
  ),
  caller(
    "text is sent",
    client(["command.encode()", "command"]),
    /bytes-like object[^]*Program\.py, line 5/,
  ),
  caller(
    "reads for ever",
    client([
      "reply = s.recv(1024)\nprint(reply.decode())",
      "while True:\n    print(s.recv(1024).decode(), flush=True)",
    ]),
    /ends once|still running|only after the server closed/,
  ),
];

testWith([unix], "the first failure names what a beginner did wrong", async () => {
  await using workshop = new Workshop();
  const surprises: string[] = [];
  const share = shareOf(programs).filter(({ language }) =>
    missingTool({ file: `Program.${language}` }) === undefined
  );
  await inParallel(share, AT_A_TIME, async ({ language, source, mistake, says, ...program }) => {
    const subject = lessonSubject(program.subject, program.udp ? "udp" : "tcp");
    if (subject === undefined) throw new Error(program.subject);
    const command = await workshop.commandFor(language, source);
    const level = program.robust ? "robust" : "lesson";
    const { text } = await gradeSubject(subject, command, { level });
    const [, first = ""] =
      /^(fail [^]*?)(?:\n(?:pass|fail|skip|not-judged) |$(?![^]))/m.exec(text) ?? [];
    if (!says.test(first)) surprises.push(`${language}, ${mistake}:\n${first || text}`);
  });
  assertEquals(surprises, []);
});
