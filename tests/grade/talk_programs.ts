/**
 * Servers that speak something other than the lesson, as courses have them: a right one of each
 * kind, and mistakes in it with the check that must find each.
 */

/** A kind of conversation, and a server that holds it. */
export interface TalkProgram {
  readonly kind: string;
  readonly talk: string;
  /** `py`, `mjs`, `c`, `go` or `java`. */
  readonly language: string;
  readonly source: string;
}

/** A right program with a mistake that a check must find. */
export interface MistakenTalk {
  readonly program: TalkProgram;
  readonly mistake: string;
  readonly check: string;
  readonly changes: readonly (readonly [from: string, to: string])[];
  readonly says?: RegExp;
  /** Checks that are not run, as the mistake fails them too. */
  readonly skip?: readonly string[];
}

/** A threaded server in Python: `serve(client)` is left to the kind. */
const threaded = (serve: string): string => `
import socket, sys, threading

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(20)
kept = []
def lines(client):
    buffer = b""
    while True:
        while b"\\n" in buffer:
            line, buffer = buffer.split(b"\\n", 1)
            yield line.decode(errors="replace").strip()
        data = client.recv(1024)
        if not data:
            return
        buffer += data
def exactly(client, count):
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise OSError("it has left")
        data += more
    return data
${serve}
def run(client):
    try:
        serve(client)
    except OSError:
        pass
    finally:
        client.close()
while True:
    threading.Thread(target=run, args=(server.accept()[0],), daemon=True).start()
`;

/** A threaded server in Java: what it does with a client. */
function javaServer(serve: string): string {
  return `
import java.io.*;
import java.net.*;
public class Program {
  public static void main(String[] args) throws Exception {
    ServerSocket server =
        new ServerSocket(Integer.parseInt(args[0]), 50, InetAddress.getByName("127.0.0.1"));
    while (true) {
      Socket client = server.accept();
      new Thread(() -> serve(client)).start();
    }
  }
  static void serve(Socket client) {
    try (client) {${serve}
    } catch (IOException left) {
      return;
    }
  }
}
`;
}

/** A threaded server in C: what it does with a client. */
function cServer(serve: string): string {
  return `
#include <arpa/inet.h>
#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static int whole(int client, void *to, size_t size) {
  size_t had = 0;
  while (had < size) {
    ssize_t more = recv(client, (char *)to + had, size - had, 0);
    if (more <= 0) return 0;
    had += more;
  }
  return 1;
}
static void *serve(void *argument) {
  int client = (int)(intptr_t)argument;${serve}
  close(client);
  return 0;
}
int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  int server = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(server, (struct sockaddr *)&at, sizeof at) < 0 || listen(server, 20) < 0) return 1;
  for (;;) {
    int client = accept(server, 0, 0);
    pthread_t thread;
    if (client < 0) continue;
    pthread_create(&thread, 0, serve, (void *)(intptr_t)client);
    pthread_detach(thread);
  }
}
`;
}

export const infix: TalkProgram = {
  kind: "infix",
  talk: "> {a} + {b}\\n\n< {a + b}\\n\n! ten + {b}\\n\n! {a} +\\n\n",
  language: "py",
  source: threaded(`
last = ["0"]
def serve(client):
    for line in lines(client):
        try:
            a, plus, b = line.split()
            last[0] = str(int(a) + int(b))
            answer = last[0]
        except ValueError:
            answer = "Error"
        client.sendall((answer + "\\n").encode())`),
};

export const operatorFirst: TalkProgram = {
  kind: "operator first",
  talk: "> ADD {a} {b}\\n\n< OK {a + b}\\n\n! ADD x {b}\\n\n",
  language: "mjs",
  source: `
import net from "node:net";
net.createServer((client) => {
  let kept = "";
  client.on("data", (data) => {
    const lines = (kept + data).split("\\n");
    kept = lines.pop();
    for (const line of lines) {
      const [, a, b] = line.split(" ").map(Number);
      client.write(Number.isNaN(a + b) ? "ERR\\n" : \`OK \${a + b}\\n\`);
    }
  });
  client.on("error", () => client.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1");
`,
};

export const greeting: TalkProgram = {
  kind: "greeting",
  talk: "< Hello\\n\n> {a} * {b}\\n\n< Answer: {a * b}\\n\n> bye\\n\n< {end}\n",
  language: "py",
  source: threaded(`
def serve(client):
    client.sendall(b"Hello\\n")
    for line in lines(client):
        if line == "bye":
            return
        try:
            a, star, b = line.split()
            client.sendall(f"Answer: {int(a) * int(b)}\\n".encode())
        except ValueError:
            client.sendall(b"Error\\n")`),
};

export const json: TalkProgram = {
  kind: "JSON",
  talk: 'type {a} {b}\n> {"a":{a},"b":{b}}\\n\n< {"result":{a + b}}\\n\n! {"a":{a}\\n\n',
  language: "mjs",
  source: `
import net from "node:net";
net.createServer((client) => {
  let kept = "";
  client.on("data", (data) => {
    const lines = (kept + data).split("\\n");
    kept = lines.pop();
    for (const line of lines) {
      let answer = { error: "not understood" };
      try {
        const { a, b } = JSON.parse(line);
        if (typeof a === "number" && typeof b === "number") answer = { result: a + b };
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
      client.write(JSON.stringify(answer) + "\\n");
    }
  });
  client.on("error", () => client.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1");
`,
};

/** Java's own strings: their length in two bytes, then their bytes. */
export const lengthPrefix: TalkProgram = {
  kind: "length prefix",
  talk: "type {word}\n> {length as u16}{word}\n< {length as u16}{upper(word)}\n",
  language: "java",
  source: javaServer(`
      DataInputStream in = new DataInputStream(client.getInputStream());
      DataOutputStream out = new DataOutputStream(client.getOutputStream());
      while (true) out.writeUTF(in.readUTF().toUpperCase());`),
};

export const binary: TalkProgram = {
  kind: "binary",
  talk: "type {a} {b}\n> {a as u32}{b as u32}\n< {a + b as u32}\n",
  language: "c",
  source: cServer(`
  uint32_t numbers[2];
  while (whole(client, numbers, sizeof numbers)) {
    uint32_t sum = htonl(ntohl(numbers[0]) + ntohl(numbers[1]));
    if (send(client, &sum, sizeof sum, 0) < 0) break;
  }`),
};

export const severalLines: TalkProgram = {
  kind: "several lines for a request",
  talk: "> {a}\\n\n> {b}\\n\n> +\\n\n< {a + b}\\n\n",
  language: "py",
  source: threaded(`
def serve(client):
    asked = lines(client)
    while True:
        try:
            a, b, operator = next(asked), next(asked), next(asked)
        except StopIteration:
            return
        try:
            client.sendall(f"{int(a) + int(b)}\\n".encode())
        except ValueError:
            client.sendall(b"Error\\n")`),
};

export const guess: TalkProgram = {
  kind: "state",
  talk: "< Guess\\n\n> 0\\n\n< too low\\n\n> 101\\n\n< too high\\n\n! nonsense\\n\n",
  language: "go",
  source: `package main

import ("bufio"; "fmt"; "net"; "os"; "strconv"; "strings")

func serve(client net.Conn) {
	defer client.Close()
	fmt.Fprintln(client, "Guess")
	for lines := bufio.NewScanner(client); lines.Scan(); {
		guess, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		answer := "too high"
		if err != nil {
			answer = "a number, please"
		} else if guess < 50 {
			answer = "too low"
		}
		fmt.Fprintln(client, answer)
	}
}

func main() {
	server, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		if client, err := server.Accept(); err == nil {
			go serve(client)
		}
	}
}
`,
};

export const chat: TalkProgram = {
  kind: "two clients",
  talk: "ann> {text}\\n\nbob< {text}\\n\nbob> {other}\\n\nann< {other}\\n\n",
  language: "py",
  source: threaded(`
clients = []
def serve(client):
    clients.append(client)
    try:
        for line in lines(client):
            for other in list(clients):
                if other is not client:
                    other.sendall((line + "\\n").encode())
    finally:
        clients.remove(client)`),
};

export const lossy: TalkProgram = {
  kind: "UDP with a lost datagram",
  talk: "udp\n> {word}\n< {upper(word)}\n! \n",
  language: "py",
  source: `
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
count = 0
while True:
    data, client = server.recvfrom(65535)
    count += 1
    if count != 2:
        server.sendto(data.upper(), client)
`,
};

export const daytime: TalkProgram = {
  kind: "daytime",
  talk: "< Now: {...}\\n{end}\n",
  language: "py",
  source: threaded(`
import time
def serve(client):
    client.sendall(("Now: " + time.ctime() + "\\n").encode())`),
};

export const padded: TalkProgram = {
  kind: "fixed size",
  talk: `type {w}\n> {w}${"\\0".repeat(8)}\n< {upper(w)}${"\\0".repeat(8)}\n`,
  language: "c",
  source: cServer(`
  char word[16];
  while (whole(client, word, sizeof word)) {
    for (char *at = word; *at && at < word + sizeof word; at++) *at = toupper(*at);
    if (send(client, word, sizeof word, 0) < 0) break;
  }`),
};

export const onePerConnection: TalkProgram = {
  kind: "one request for each connection",
  talk: "> {a} * {b}\n< {a * b}\n! {a} *\n",
  language: "java",
  source: javaServer(`
      byte[] buffer = new byte[1024];
      int size = client.getInputStream().read(buffer);
      if (size < 0) return;
      String[] words = new String(buffer, 0, size).trim().split(" ");
      String answer;
      try {
        answer = "" + Long.parseLong(words[0]) * Long.parseLong(words[2]);
      } catch (RuntimeException wrong) {
        answer = "Error";
      }
      client.getOutputStream().write(answer.getBytes());`),
};

export const rightTalks: readonly TalkProgram[] = [
  ...[infix, operatorFirst, greeting, json, lengthPrefix, binary, severalLines, guess],
  ...[chat, lossy, daytime, padded, onePerConnection],
];

export const wrong = (
  program: TalkProgram,
  check: string,
  mistake: string,
  changes: MistakenTalk["changes"],
  more: Pick<MistakenTalk, "says" | "skip"> = {},
): MistakenTalk => ({ program, check, mistake, changes, ...more });

export const mistakenTalks: readonly MistakenTalk[] = [
  wrong(infix, "answers", "a wrong sum", [["int(a) + int(b)", "int(a) - int(b)"]]),
  wrong(infix, "answers", "the operands joined as text", [
    ["str(int(a) + int(b))", "a + b"],
  ], { says: /joined as text/ }),
  wrong(infix, "answers", "a byte too many", [
    ['(answer + "\\n").encode()', '(answer + "\\n\\0").encode()'],
  ], { says: /NUL byte/ }),
  wrong(infix, "mistake-1", "dies at a bad number", [
    ["except ValueError:", "except ZeroDivisionError:"],
    [
      "    except OSError:",
      "    except ValueError:\n        import os; os._exit(1)\n    except OSError:",
    ],
  ], { skip: ["mistake-2"] }),
  wrong(infix, "stale", "an answer that is left from before", [
    ['answer = "Error"', "answer = last[0]"],
  ]),
  wrong(infix, "eval", "runs what it is sent", [
    ["int(a) + int(b)", "eval(a) + eval(b)"],
    ["except ValueError:", "except Exception:"],
  ]),
  wrong(infix, "next-client", "serves one client", [
    [
      "while True:\n    threading.Thread(target=run, args=(server.accept()[0],), daemon=True).start()",
      "run(server.accept()[0])",
    ],
  ]),
  wrong(guess, "next-client", "greets the next client as the last one was told", [
    ["func serve(", 'var said = "Guess"\n\nfunc serve('],
    ['fmt.Fprintln(client, "Guess")', "fmt.Fprintln(client, said)"],
    ["fmt.Fprintln(client, answer)", "said = answer\n\t\tfmt.Fprintln(client, said)"],
  ], { says: /keep apart what each client has said/ }),
  wrong(infix, "two-clients", "one after another", [
    [
      "threading.Thread(target=run, args=(server.accept()[0],), daemon=True).start()",
      "run(server.accept()[0])",
    ],
  ]),
  wrong(infix, "closes", "never closes", [[
    "        client.close()",
    "        kept.append(client)",
  ]]),
  wrong(padded, "split", "one recv() for a request", [
    ["whole(client, word, sizeof word)", "recv(client, word, sizeof word, 0) > 0"],
  ]),
  wrong(infix, "split", "one recv() for a request", [
    ["        buffer += data", "        buffer = data if data.endswith(b'\\n') else data + b'\\n'"],
  ], { says: /an answer already/ }),
  wrong(infix, "apart", "one buffer for all clients", [
    ['    buffer = b""\n', "    global shared\n"],
    ['while b"\\n" in buffer:', 'while b"\\n" in shared:'],
    ['line, buffer = buffer.split(b"\\n", 1)', 'line, shared = shared.split(b"\\n", 1)'],
    ["        buffer += data", "        shared += data"],
    ["kept = []", 'kept = []\nshared = b""'],
  ], { skip: ["reset"] }),
  wrong(operatorFirst, "glued", "answers the first line only", [
    ["for (const line of lines)", "for (const line of lines.slice(0, 1))"],
  ], { skip: ["reset"] }),
  wrong(operatorFirst, "answers", "waits for more than was sent", [
    ['(kept + data).split("\\n")', '(kept + data).split("\\n\\n")'],
    ['  client.on("error"', '  client.on("end", () => client.write("OK"));\n  client.on("error"'],
  ], { says: /it answered|waits for more/ }),
  wrong(operatorFirst, "reset", "no listener for errors", [
    ['  client.on("error", () => client.destroy());\n', ""],
  ]),
  wrong(greeting, "answers", "the greeting comes with the answer", [
    ['    client.sendall(b"Hello\\n")\n', ""],
    ['f"Answer: {', 'f"Hello\\nAnswer: {'],
  ]),
  wrong(greeting, "answers", "does not end after bye", [
    [
      '        if line == "bye":\n            return\n',
      '        if line == "bye":\n            continue\n',
    ],
  ]),
  wrong(json, "mistake-1", "dies at half an object", [
    ["if (!(error instanceof SyntaxError)) throw error;", "throw error;"],
  ]),
  wrong(json, "glued", "parses all that came as one", [
    [
      "for (const line of lines) {",
      'for (const line of lines.length > 0 ? [lines.join("\\n")] : []) {',
    ],
  ], { skip: ["reset"] }),
  wrong(lengthPrefix, "answers", "the length in the order of this machine", [[
    "out.writeUTF(in.readUTF().toUpperCase());",
    `{
        String word = in.readUTF().toUpperCase();
        out.writeShort(Short.reverseBytes((short) word.length()));
        out.writeBytes(word);
      }`,
  ]]),
  wrong(lengthPrefix, "split", "takes what read() gives", [[
    "out.writeUTF(in.readUTF().toUpperCase());",
    `{
        byte[] word = new byte[in.readUnsignedShort()];
        if (in.read(word) < 0) return;
        out.writeUTF(new String(word).toUpperCase());
      }`,
  ]]),
  wrong(binary, "answers", "without htonl()", [["sum = htonl(", "sum = ("]], {
    says: /reverse order/,
  }),
  wrong(binary, "answers", "waits for a byte too many", [
    ["numbers[2]", "numbers[3]"],
    ["whole(client, numbers, sizeof numbers)", "recv(client, numbers, 9, MSG_WAITALL) > 0"],
  ], { says: /waits for more bytes/ }),
  wrong(binary, "split", "takes what recv() gives", [
    ["had += more;", "had += size;"],
  ]),
  wrong(binary, "reset", "SIGPIPE", [
    ["  signal(SIGPIPE, SIG_IGN);\n", ""],
    ["if (send(client, &sum, sizeof sum, 0) < 0) break;", "send(client, &sum, sizeof sum, 0);"],
  ], { says: /SIGPIPE/ }),
  wrong(severalLines, "answers", "takes the first two lines for all", [
    ["next(asked), next(asked), next(asked)", 'next(asked), next(asked), ""'],
  ]),
  wrong(guess, "answers", "always too low", [["guess < 50", "guess < 5000"]]),
  wrong(guess, "mistake-1", "dies at nonsense", [['answer = "a number, please"', "panic(err)"]]),
  wrong(chat, "answers", "sends it back to who said it", [[
    "if other is not client:",
    "if other is client:",
  ]]),
  wrong(lossy, "answers", "answers in small letters", [["data.upper()", "data.lower()"]]),
  wrong(daytime, "answers", "stays open", [
    [".encode())", ".encode())\n    client.recv(1)"],
  ], { says: /stayed open|nothing|missing/ }),
  wrong(padded, "answers", "without the padding", [
    ["send(client, word, sizeof word, 0)", "send(client, word, strnlen(word, sizeof word), 0)"],
  ]),
  wrong(onePerConnection, "mistake-1", "dies at half a request", [
    ["RuntimeException wrong", "NumberFormatException wrong"],
    ["new Thread(() -> serve(client)).start()", "serve(client)"],
  ], { says: /ArrayIndexOutOfBounds/ }),
  wrong(onePerConnection, "stale", "a field for the answer, which is not cleared", [
    ["  static void serve(", '  static String answer = "0";\n  static void serve('],
    ["      String answer;\n", ""],
    ['answer = "Error";', ""],
  ]),
  wrong(onePerConnection, "answers", "the result of another operation", [
    ["Long.parseLong(words[0]) * ", "Long.parseLong(words[0]) + "],
  ]),
];
