/**
 * The programs that grade is tested on: correct ones in the languages of a classroom, and for each
 * check one that fails it. That one is a correct program with one change, so that nothing else is
 * wrong with it.
 */
import type { Level } from "../../commands/grade/subjects.ts";

/** Replacements in a file; each `from` occurs once. */
export type Changes = readonly (readonly [from: string, to: string])[];

/** A program that does what it claims. */
export interface Correct {
  /** File in `programs/`. */
  readonly file: string;
  readonly subject: string;
  /** The level that it claims to pass. */
  readonly level: Level;
  readonly udp?: boolean;
  readonly lines?: boolean;
  /** Checks that are not run, as the mistake fails them now and then. */
  readonly skip?: readonly string[];
  /** Arguments after the program. @default ["{port}"] */
  readonly args?: readonly string[];
  readonly changes?: Changes;
}

/** A program with a mistake that one check must find, and no other may. */
export interface Mistaken extends Correct {
  readonly check: string;
  /** What the mistake is, in a few words. */
  readonly mistake: string;
  readonly changes: Changes;
  /** What the report must say about it. */
  readonly says?: RegExp;
}

const python: Correct = { file: "calc_server.py", subject: "calc-server", level: "robust" };
const select: Correct = { ...python, file: "calc_select_server.py" };
const pythonStream: Correct = {
  file: "calc_stream_server.py",
  subject: "calc-server",
  level: "stream",
  lines: true,
};
const node: Correct = { ...pythonStream, file: "calc_server.mjs", args: [] };
const c: Correct = { ...python, file: "calc_server.c" };
const go: Correct = { ...pythonStream, file: "calc_server.go" };
const ruby: Correct = { ...pythonStream, file: "calc_server.rb" };
const perl: Correct = { ...python, file: "calc_server.pl" };
const java: Correct = { ...pythonStream, file: "CalcServer.java" };
const message: Correct = { ...python, file: "message_server.py", subject: "message-server" };
const hello: Correct = { ...python, file: "hello_server.py", subject: "hello-server" };
const udp: Correct = {
  file: "calc_udp_server.py",
  subject: "calc-server",
  level: "stream",
  udp: true,
};
const helloUdp: Correct = { ...udp, file: "hello_udp_server.py", subject: "hello-server" };

const client: Correct = { file: "calc_client.py", subject: "calc-client", level: "stream" };
const nodeClient: Correct = { ...client, file: "calc_client.mjs" };
const cClient: Correct = { file: "message_client.c", subject: "message-client", level: "robust" };
const goClient: Correct = { ...client, file: "calc_client.go" };
const rubyClient: Correct = { ...client, file: "calc_client.rb" };
const perlClient: Correct = { ...client, file: "calc_client.pl" };
const javaClient: Correct = { ...client, file: "CalcClient.java" };
const udpClient: Correct = { ...client, file: "calc_udp_client.py", udp: true };
const helloClient: Correct = {
  file: "hello_client.py",
  subject: "hello-client",
  level: "robust",
};

/** Programs that are correct in an unusual way. */
const unusual: readonly Correct[] = [
  // Its error holds what code of three letters would give, by chance.
  {
    ...python,
    changes: [
      [
        'return "Error: not an integer"',
        'return f"Error: not an integer of {3 + int(o2) if o2.isdigit() else 64} bits"',
      ],
    ],
  },
  {
    ...python, // an answer in two writes
    changes: [[
      "            client.sendall(answer(request).encode())",
      "            reply = answer(request).encode()\n" +
      "            client.sendall(reply[:-3])\n" +
      "            threading.Event().wait(0.06)\n" +
      "            client.sendall(reply[-3:])",
    ]],
  },
  { ...udpClient, changes: [["AF_INET,", "AF_INET6,"], ['"127.0.0.1"', '"::1"']] },
];

/** Programs as beginners write them: they claim no more than `lesson`. */
const first: readonly Correct[] = [
  { ...python, file: "calc_lesson_server.c", level: "lesson" },
  { ...python, file: "calc_lesson_server.mjs", level: "lesson" },
  { ...client, file: "calc_lesson_client.mjs", level: "lesson", args: [] },
];

export const correct: readonly Correct[] = [
  ...[python, select, pythonStream, node, c, go, ruby, perl, java],
  ...[message, hello, udp, helloUdp],
  ...[client, nodeClient, cClient, goClient, rubyClient, perlClient, javaClient],
  ...[udpClient, helloClient],
  ...unusual,
  ...first,
];

/** The lesson's own programs, as it has them but for the port. */
export const lesson: readonly Correct[] = ["hello", "message", "calc"].flatMap((service) =>
  ["server", "client"].map((role): Correct => ({
    file: `lesson/${service}_${role}.py`,
    subject: `${service}-${role}`,
    level: "lesson",
  }))
);

/** One mistake in a correct program. */
function wrong(
  base: Correct,
  check: string,
  mistake: string,
  changes: Mistaken["changes"],
  says?: RegExp,
): Mistaken {
  return { ...base, check, mistake, changes, ...(says && { says }) };
}

const serverMistakes: readonly Mistaken[] = [
  wrong(c, "listens", "the port without htons()", [
    ["htons(port)", "port"],
  ], /listens on port \d+: the two bytes of \d+ are swapped[^]*htons/),
  wrong(python, "listens", "another port", [
    ["int(sys.argv[1])", "int(sys.argv[1]) + 1"],
  ], /listens on port \d+, not on/),
  wrong(python, "listens", "another address", [
    ['"127.0.0.1"', '"127.0.0.2"'],
  ], /listens on 127\.0\.0\.2:\d+, not on 127\.0\.0\.1/),
  wrong(python, "listens", "ends at once", [
    ["server.listen(5)", "1 / 0"],
  ], /your program ended \(exit code 1\) before it listened[^]*ZeroDivisionError/),
  wrong(hello, "listens", "ends at once", [
    ["server.listen(5)", "1 / 0"],
  ], /not-judged prints[^]*see listens/),
  wrong(c, "answers", "the NUL is sent as well", [
    ["strlen(reply), 0)", "strlen(reply) + 1, 0)"],
  ], /\^ a NUL byte/),
  wrong(python, "answers", "str() of bytes", [
    ["answer(request).encode()", "str(answer(request).encode()).encode()"],
  ], /\^ b'\.\.\.'/),
  wrong(python, "answers", "another word", [
    ['f"Sum of', 'f"Summe of'],
  ], / {3}\^ byte 4 differs/),
  wrong(python, "answers", "a space after the answer", [
    ["answer(request).encode()", '(answer(request) + " ").encode()'],
  ], /\^ white space after the text/),
  wrong(
    { ...node, lines: false, level: "robust" },
    "no-newline",
    "waits for a line end",
    [],
    /nothing until a line end was sent/,
  ),
  wrong(python, "operations", "the same sum for everyone", [
    ['f"Sum of {o1} and {o2} is {a + b}"', '"Sum of 10 and 20 is 30"'],
  ], /want +Sum of (?!10 and)/),
  wrong(c, "operations", "divides integers", [
    ["(double)a / (double)b", "(double)(a / b)"],
  ], /want +Div of \d+ and \d+ is \d+\.\d/),
  wrong({ ...perl, level: "lesson" }, "operations", "knows no product", [
    ["if $operator eq '*'", "if $operator eq 'x'"],
  ], /sent +\d+ \d+ \*/),
  wrong(python, "next-client", "accept() outside the loop", [
    [
      `while True:
    client, address = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()`,
      "client, address = server.accept()\nserve(client)",
    ],
  ], /after the first client had left/),
  wrong({ ...message, level: "lesson" }, "prints", "does not show the message", [
    ['            print(data.decode(errors="replace"), flush=True)\n', ""],
    [
      `while True:
    client, address = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()`,
      "client, address = server.accept()\nserve(client)",
    ],
  ]),
  wrong(node, "hangs-up", "expects every client to ask", [
    ['client.setEncoding("utf8");', 'client.setEncoding("utf8");\n  let asked;'],
    ["kept = lines.pop();", "kept = lines.pop();\n    asked = lines.length;"],
    [
      'client.on("end", () => client.end());',
      'client.on("end", () => {\n    client.end();\n    console.log(asked.toFixed());\n  });',
    ],
  ], /TypeError/),
  wrong(python, "busy", "continues when recv() returns nothing", [
    [
      "            if not data:\n                break",
      "            if not data:\n                continue",
    ],
  ]),
  wrong(go, "zero", "divisor not checked", [
    ["b.Sign() == 0", "b.Sign() == 7"],
  ], /panic|division by zero/),
  wrong(select, "zero", "divisor not checked", [
    ['operator == "/" and b == 0', "False"],
    ["a / b if b else 0}", "a / b if operator == '/' else 0}"],
  ], /said +ZeroDivisionError/),
  wrong(select, "words", "int() unguarded", [
    ["except ValueError:", "except ZeroDivisionError:"],
  ], /said +ValueError/),
  wrong(node, "words", "BigInt() unguarded", [
    [
      'if (![o1, o2].every((word) => /^[+-]?\\d+$/.test(word))) return "Error: not an integer";',
      "",
    ],
  ], /said +SyntaxError/),
  wrong(go, "short", "words not counted", [
    ["len(words) != 3", "len(words) > 3"],
  ], /index out of range/),
  wrong(select, "operator", "a dictionary without the key", [
    ["operator not in nouns", "operator in ()"],
  ], /said +KeyError/),
  wrong(select, "bytes", "decode() unguarded", [
    ['data.decode(errors="replace")', "data.decode()"],
  ], /said +UnicodeDecodeError/),
  wrong(select, "eval", "eval()", [
    [
      `        a, b = int(o1), int(o2)
    except ValueError:`,
      `        eval(f"({o1}) {operator} ({o2})")
        a, b = eval(o1), eval(o2)
    except Exception:`,
    ],
  ], /sent +len\("abc"\)/),
  wrong(select, "expressions", "eval() without functions", [
    [
      `        a, b = int(o1), int(o2)
    except ValueError:`,
      `        a, b = eval(o1, {"__builtins__": {}}), eval(o2, {"__builtins__": {}})
    except Exception:`,
    ],
  ], /sent +2\*\*3 1 \+/),
  wrong(python, "stale", "an error leaves the answer before", [
    ["def answer(request):", 'last = [""]\n\n\ndef answer(request):'],
    ['return "Error: not an integer"', "return last[0]"],
    [
      "            client.sendall(answer(request).encode())",
      "            last[0] = answer(request)\n            client.sendall(last[0].encode())",
    ],
  ], /the answer to the request before/),
  wrong(node, "big", "numbers are doubles", [
    ["[BigInt(o1), BigInt(o2)]", "[Number(o1), Number(o2)]"],
    ["b === 0n", "b === 0"],
  ], /does not fit in a double/),
  wrong(c, "big", "int", [
    ['Sum of %s and %s is %lld", o1, o2, result', 'Sum of %s and %s is %d", o1, o2, (int)result'],
  ], /does not fit in a 32-bit integer/),
  wrong(perl, "big", "numbers are doubles", [
    ["(Math::BigInt->new($o1), Math::BigInt->new($o2))", "($o1 + 0, $o2 + 0)"],
  ]),
  wrong(c, "long-word", "scanf without a limit", [
    ['"%31s %31s %7s %1s"', '"%s %s %s %1s"'],
  ], /was killed by SIG(?:ABRT|SEGV)/),
  wrong(node, "reset", "no listener for errors", [
    ['  client.on("error", () => client.destroy());\n', ""],
  ], /ECONNRESET/),
  wrong(c, "reset", "SIGPIPE", [
    ["  signal(SIGPIPE, SIG_IGN);\n", ""],
    [
      "if (send(client, reply, strlen(reply), 0) < 0) break;",
      "send(client, reply, strlen(reply), 0);",
    ],
  ], /SIGPIPE/),
  wrong(python, "two-clients", "one after another", [
    ["threading.Thread(target=serve, args=(client,), daemon=True).start()", "serve(client)"],
  ], /once that one had left, it was answered/),
  wrong(python, "closes", "never closes", [
    ["        client.close()", "        left.append(client)"],
    ["def serve(client):", "left = []\n\n\ndef serve(client):"],
  ]),
  wrong(java, "closes", "never closes", [
    ["try (client) {", "try {"],
  ]),
  wrong(python, "leak", "shuts down, never closes", [
    [
      "        client.close()",
      "        left.append(client)\n        client.shutdown(socket.SHUT_RDWR)",
    ],
    ["def serve(client):", "left = []\n\n\ndef serve(client):"],
  ], /sockets are still held/),
  wrong(python, "leak", "keeps every second socket", [
    [
      "        client.close()",
      "        left.append(client)\n        client.shutdown(socket.SHUT_RDWR)\n" +
      "        if len(left) % 2:\n            client.close()",
    ],
    ["def serve(client):", "left = []\n\n\ndef serve(client):"],
  ], /sockets are still held/),
  wrong(c, "restart", "without SO_REUSEADDR", [
    ["  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);\n", "  (void)one;\n"],
  ], /Address already in use/),
  wrong(perl, "restart", "without SO_REUSEADDR", [
    ["    ReuseAddr => 1,\n", ""],
  ]),
  wrong(python, "ctrl-c", "waits for its threads", [
    ["daemon=True", "daemon=False"],
  ], /still running/),
  wrong(pythonStream, "answers", "no line end", [
    ['reply.encode() + b"\\n"', "reply.encode()"],
  ], /\^ the line end is missing/),
  wrong({ ...python, level: "stream" }, "in-kind", "a line end after every answer", [
    ["answer(request).encode()", '(answer(request) + "\\n").encode()'],
  ], /\^ a line end, though the request had none/),
  wrong({ ...python, level: "stream" }, "in-kind", "the line end is part of the request", [
    ["answer(request).encode()", 'answer(request.replace("\\n", "7 ")).encode()'],
  ], /take the line end off the request/),
  wrong(pythonStream, "several", "one request for each connection", [
    ["                self.wfile.write", "                return self.wfile.write"],
  ], /put recv\(\) in a loop/),
  wrong(node, "split", "treats each piece as whole lines", [
    [
      'const lines = (kept + data).split("\\n");\n    kept = lines.pop();',
      'const lines = (kept + data).trim().split("\\n");',
    ],
  ], /an answer already/),
  wrong({ ...pythonStream, skip: ["reset"] }, "apart", "one buffer for all clients", [
    [
      "class Handler(",
      `kept = bytearray()


def lines(client):
    while data := client.recv(1024):
        kept.extend(data)
        while b"\\n" in kept:
            line, _, rest = bytes(kept).partition(b"\\n")
            kept[:] = rest
            yield line


class Handler(`,
    ],
    ["in self.rfile", "in lines(self.request)"],
  ], /half a request by one client, then/),
  wrong(ruby, "glued", "answers only the first line", [
    ["while (line = client.gets)", "while (line = client.readpartial(65536))"],
    [
      "client.write(answer(line)",
      'line << client.readpartial(65536) until line.end_with?("\\n")\n      client.write(answer(line.lines.first)',
    ],
    ["rescue SystemCallError", "rescue SystemCallError, EOFError"],
  ]),
  wrong(go, "long", "a small buffer", [
    ["lines.Buffer(nil, 1<<20)", "lines.Buffer(make([]byte, 0, 1024), 4096)"],
  ]),
  wrong(node, "half-close", "drops pending answers at the end", [
    [
      "client.write(`${answer(line)}\\n`)",
      "setTimeout(() => client.write(`${answer(line)}\\n`), 20)",
    ],
    ['client.on("end", () => client.end());', 'client.on("end", () => client.destroy());'],
  ]),
];

const udpMistakes: readonly Mistaken[] = [
  wrong(udp, "listens", "another port", [
    ["int(sys.argv[1])", "int(sys.argv[1]) + 1"],
  ], /your program is bound to port/),
  wrong(udp, "answers", "the noun is missing", [
    ['f"Sum of', 'f"Total of'],
  ]),
  wrong(udp, "next-client", "no loop", [
    ["while True:", "for _ in range(1):"],
  ]),
  wrong(udp, "operations", "the same sum for everyone", [
    ['f"Sum of {o1} and {o2} is {a + b}"', '"Sum of 10 and 20 is 30"'],
  ]),
  wrong(udp, "zero", "divisor not checked", [
    ['"Error: division by zero" if b == 0 else ', ""],
  ]),
  wrong(udp, "own-address", "a new socket for the answer", [
    ["server.sendto(", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto("],
  ], /the answer came from port/),
  wrong(udp, "each-client", "answers the newest client", [
    ["while True:", "known = set()\nwhile True:"],
    [
      "    reply = answer",
      "    if address not in known:\n        newest = address\n        known.add(address)\n    reply = answer",
    ],
    ["server.sendto(reply, address)", "server.sendto(reply, newest)"],
  ], /went to the other client/),
  wrong(udp, "empty", "takes 0 bytes for the end", [
    ["    reply = answer", "    if not data:\n        break\n    reply = answer"],
  ]),
  wrong(udp, "busy", "polls without a pause", [
    ["while True:", "server.setblocking(False)\nwhile True:"],
    [
      "    data, address = server.recvfrom(65535)",
      "    try:\n        data, address = server.recvfrom(65535)\n    except BlockingIOError:\n        continue",
    ],
  ]),
  wrong(udp, "ctrl-c", "ignores SIGINT", [
    ["while True:", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:"],
  ]),
  wrong(udp, "in-kind", "no line end", [
    ['reply += b"\\n"', "pass"],
  ]),
  wrong(udp, "long", "a small buffer", [
    ["recvfrom(65535)", "recvfrom(1024)"],
  ]),
];

const clientMistakes: readonly Mistaken[] = [
  wrong(cClient, "connects", "the port without htons()", [
    ["htons(port)", "port"],
  ], /no connection/),
  wrong(cClient, "sends", "the NUL is sent as well", [
    ["strlen(message), 0)", "strlen(message) + 1, 0)"],
  ], /NUL byte/),
  wrong(client, "sends", "str() of bytes", [
    ['(command + "\\n").encode()', "str(command.encode()).encode()"],
  ], /b'\.\.\.'/),
  wrong(client, "prints", "does not print the reply", [
    ["    print(text)\n", ""],
  ]),
  wrong(
    { ...client, file: "lesson/calc_client.py", level: "lesson" },
    "prints",
    "never calls recv()",
    [
      ["b = s.recv(1024)", "a, c, _ = cmd.split()"],
      ["output = b.decode()", 'output = f"Sum of {a} and {c} is {int(a) + int(c)}"'],
    ],
    /the answer comes from the server/,
  ),
  wrong(
    { ...client, file: "lesson/message_client.py", subject: "message-client", level: "lesson" },
    "prints",
    "prints the bytes",
    [["msg = b.decode()", "msg = b"]],
    /b'\.\.\.' is Python's way/,
  ),
  wrong(client, "prints", "never shows an error", [
    ["    print(text)\n", '    print(text if text[0] == "S" else "that went wrong")\n'],
  ]),
  wrong(client, "ends", "reads until the server closes", [
    ['while not reply.endswith(b"\\n"):', "while True:"],
    [", timeout=3", ""],
    [
      "            reply += data\n",
      "            reply += data\n            print(data.decode(), flush=True)\n",
    ],
  ], /only after the server closed/),
  wrong(goClient, "refused", "ends quietly", [
    [
      'client, err := net.Dial("tcp", "localhost:"+os.Args[1])\n\tif err != nil {\n\t\tfail(err)',
      'client, err := net.Dial("tcp", "localhost:"+os.Args[1])\n\tif err != nil {\n\t\treturn',
    ],
  ], /exit code 0/),
  wrong(client, "closed", "takes the end for a reply", [
    ['sys.exit("calc: the server closed without a reply")', "sys.exit(0)"],
  ]),
  wrong(client, "reset", "takes a reset for an end", [
    [
      "    except OSError as error:",
      "    except ConnectionResetError:\n        sys.exit(0)\n    except OSError as error:",
    ],
  ]),
  wrong(javaClient, "error-reply", "exit code 0", [
    ['      if (reply.startsWith("Error: ")) System.exit(1);\n', ""],
  ]),
  wrong(perlClient, "silent", "no timeout", [
    ["alarm 3;", ""],
  ], /still running after 10 s/),
  wrong(client, "split-reply", "one recv()", [
    ['while not reply.endswith(b"\\n"):', "while not reply:"],
  ], /call recv\(\) in a loop until the line end or/),
  wrong(client, "split-reply", "one recv(), and no line end in the request", [
    ['while not reply.endswith(b"\\n"):', "while not reply:"],
    ['command + "\\n"', "command"],
  ], /end the request with \\n/),
  wrong(client, "long-reply", "stops after 60,000 bytes", [
    [
      'while not reply.endswith(b"\\n"):',
      'while not reply.endswith(b"\\n") and len(reply) < 60000:',
    ],
  ]),
  wrong(udpClient, "gone", "takes a refusal for an end", [
    [
      "except OSError as error:",
      "except ConnectionRefusedError:\n    sys.exit(0)\nexcept OSError as error:",
    ],
  ]),
  wrong(udpClient, "silent", "no timeout", [
    ["client.settimeout(3)", ""],
  ], /sent +nothing\n/),
  wrong(udpClient, "stranger", "takes any datagram", [
    ['    client.connect(("127.0.0.1", int(sys.argv[1])))\n', ""],
    [
      "client.send(command.encode())",
      'client.sendto(command.encode(), ("127.0.0.1", int(sys.argv[1])))',
    ],
  ]),
];

export const mistaken: readonly Mistaken[] = [
  ...serverMistakes,
  ...udpMistakes,
  ...clientMistakes,
];
