/**
 * Servers that speak something other than the lesson, as courses have them: a right one of each
 * kind, and mistakes in it with the check that must find each.
 */

/** A kind of conversation, and a server that holds it. */
export interface TalkProgram {
  readonly kind: string;
  readonly talk: string;
  /** `py`, `mjs`, `c` or `java`. */
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
import socket, sys, threading, json, struct

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

const operatorFirst: TalkProgram = {
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

const greeting: TalkProgram = {
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

const json: TalkProgram = {
  kind: "JSON",
  talk: '> {"a": {a}, "b": {b}}\\n\n< {"result": {a + b}}\\n\n! {"a": {a}\\n\n',
  language: "py",
  source: threaded(`
def serve(client):
    for line in lines(client):
        try:
            request = json.loads(line)
            answer = {"result": request["a"] + request["b"]}
        except (ValueError, KeyError, TypeError):
            answer = {"error": "not understood"}
        client.sendall((json.dumps(answer) + "\\n").encode())`),
};

const lengthPrefix: TalkProgram = {
  kind: "length prefix",
  talk: "> {length as u16}{word}\n< {length as u16}{upper(word)}\n",
  language: "py",
  source: threaded(`
def serve(client):
    while True:
        (size,) = struct.unpack("!H", exactly(client, 2))
        word = exactly(client, size).upper()
        client.sendall(struct.pack("!H", len(word)) + word)`),
};

const binary: TalkProgram = {
  kind: "binary",
  talk: "> {a as u32}{b as u32}\n< {a + b as u32}\n",
  language: "c",
  source: `
#include <arpa/inet.h>
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
  int client = (int)(intptr_t)argument;
  uint32_t numbers[2];
  while (whole(client, numbers, sizeof numbers)) {
    uint32_t sum = htonl(ntohl(numbers[0]) + ntohl(numbers[1]));
    if (send(client, &sum, sizeof sum, 0) < 0) break;
  }
  close(client);
  return 0;
}
int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  int server = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(server, (struct sockaddr *)&at, sizeof at);
  listen(server, 20);
  for (;;) {
    int client = accept(server, 0, 0);
    pthread_t thread;
    if (client < 0) continue;
    pthread_create(&thread, 0, serve, (void *)(intptr_t)client);
    pthread_detach(thread);
  }
}
`,
};

const severalLines: TalkProgram = {
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

const guess: TalkProgram = {
  kind: "state",
  talk: "< Guess\\n\n> 0\\n\n< too low\\n\n> 101\\n\n< too high\\n\n! nonsense\\n\n",
  language: "py",
  source: threaded(`
def serve(client):
    client.sendall(b"Guess\\n")
    for line in lines(client):
        try:
            answer = "too low" if int(line) < 50 else "too high"
        except ValueError:
            answer = "a number, please"
        client.sendall((answer + "\\n").encode())`),
};

const chat: TalkProgram = {
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

const lossy: TalkProgram = {
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

const daytime: TalkProgram = {
  kind: "daytime",
  talk: "< Now: {...}\\n{end}\n",
  language: "py",
  source: threaded(`
import time
def serve(client):
    client.sendall(("Now: " + time.ctime() + "\\n").encode())`),
};

const padded: TalkProgram = {
  kind: "fixed size",
  talk: `> {w}${"\\0".repeat(8)}\n< {upper(w)}${"\\0".repeat(8)}\n`,
  language: "py",
  source: threaded(`
def serve(client):
    while True:
        word = exactly(client, 16).rstrip(b"\\0").upper()
        client.sendall(word.ljust(16, b"\\0"))`),
};

const onePerConnection: TalkProgram = {
  kind: "one request for each connection",
  talk: "> {a} * {b}\n< {a * b}\n! {a} *\n",
  language: "java",
  source: `
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
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
    try (client) {
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
      client.getOutputStream().write(answer.getBytes());
    } catch (java.io.IOException left) {
      return;
    }
  }
}
`,
};

export const rightTalks: readonly TalkProgram[] = [
  ...[infix, operatorFirst, greeting, json, lengthPrefix, binary, severalLines, guess],
  ...[chat, lossy, daytime, padded, onePerConnection],
];

const wrong = (
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
    ["except (ValueError, KeyError, TypeError):", "except KeyError:"],
    [
      "    except OSError:",
      "    except ValueError:\n        import os; os._exit(1)\n    except OSError:",
    ],
  ]),
  wrong(lengthPrefix, "answers", "the length in the order of this machine", [
    ['struct.pack("!H"', 'struct.pack("=H"'],
  ]),
  wrong(lengthPrefix, "split", "takes what recv() gives", [
    ["exactly(client, size)", "client.recv(size)"],
  ]),
  wrong(binary, "answers", "without htonl()", [["sum = htonl(", "sum = ("]]),
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
  wrong(guess, "answers", "always too low", [["int(line) < 50", "True"]]),
  wrong(guess, "mistake-1", "dies at nonsense", [
    ["except ValueError:\n            answer", "except ZeroDivisionError:\n            answer"],
    [
      "    except OSError:",
      "    except ValueError:\n        import os; os._exit(1)\n    except OSError:",
    ],
  ]),
  wrong(chat, "answers", "sends it back to who said it", [[
    "if other is not client:",
    "if other is client:",
  ]]),
  wrong(lossy, "answers", "answers in small letters", [["data.upper()", "data.lower()"]]),
  wrong(daytime, "answers", "stays open", [
    [".encode())", ".encode())\n    client.recv(1)"],
  ], { says: /stayed open|nothing|missing/ }),
  wrong(padded, "answers", "without the padding", [['word.ljust(16, b"\\0")', "word"]]),
  wrong(onePerConnection, "answers", "the result of another operation", [
    ["Long.parseLong(words[0]) * ", "Long.parseLong(words[0]) + "],
  ]),
];
