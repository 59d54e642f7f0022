/**
 * Clients that speak something other than the lesson: a right one of each kind, and mistakes in it
 * with the check that must find each.
 */
import {
  binary,
  daytime,
  greeting,
  guess,
  infix,
  json,
  lengthPrefix,
  lossy,
  type MistakenTalk,
  onePerConnection,
  operatorFirst,
  padded,
  severalLines,
  type TalkProgram,
  wrong,
} from "./talk_programs.ts";

/** A client in Python that has connected: what it then does. */
const python = (converse: string): string => `
import socket, sys

server = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=3)
received = b""
def more():
    global received
    data = server.recv(1024)
    if not data:
        sys.exit("the server closed the connection")
    received += data
def line():
    global received
    while b"\\n" not in received:
        more()
    one, received = received.split(b"\\n", 1)
    return one.decode()
def say(text):
    server.sendall(text.encode() + b"\\n")
${converse}
`;

const client = (
  program: TalkProgram,
  language: string,
  source: string,
): TalkProgram => ({ ...program, language, source });

const infixClient = client(infix, "py", python("say(input())\nprint(line())"));

const operatorFirstClient = client(
  operatorFirst,
  "mjs",
  `
import net from "node:net";
import { readFileSync } from "node:fs";
const server = net.connect(Number(process.argv[2]), "127.0.0.1");
const fail = (why) => {
  console.error(why);
  process.exit(1);
};
let kept = "";
server.write(readFileSync(0, "utf8").split("\\n")[0] + "\\n");
server.setTimeout(3000, () => fail("no reply within 3 s"));
server.on("error", (error) => fail(error.message));
server.on("end", () => fail("the server closed the connection"));
server.on("data", (data) => {
  kept += data;
  if (!kept.includes("\\n")) return;
  console.log(kept.trim());
  process.exit(0);
});
`,
);

const greetingClient = client(
  greeting,
  "py",
  python(`
print(line())
say(input())
print(line())
say(input())
if server.recv(1):
    sys.exit("the server went on after bye")`),
);

const jsonClient = client(
  json,
  "py",
  python(`
import json
a, b = input().split()
say(json.dumps({"a": int(a), "b": int(b)}, separators=(",", ":")))
print(json.loads(line())["result"])`),
);

const lengthPrefixClient = client(
  lengthPrefix,
  "java",
  `
import java.io.*;
import java.net.*;
public class Program {
  public static void main(String[] args) {
    try (Socket server = new Socket("127.0.0.1", Integer.parseInt(args[0]))) {
      server.setSoTimeout(3000);
      String word = new BufferedReader(new InputStreamReader(System.in)).readLine();
      new DataOutputStream(server.getOutputStream()).writeUTF(word);
      System.out.println(new DataInputStream(server.getInputStream()).readUTF());
    } catch (IOException error) {
      System.err.println("no reply: " + error);
      System.exit(1);
    }
  }
}
`,
);

const binaryClient = client(
  binary,
  "c",
  `
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
static void fail(const char *what) {
  perror(what);
  exit(1);
}
int main(int argc, char **argv) {
  int server = socket(AF_INET, SOCK_STREAM, 0);
  struct timeval patience = {3, 0};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(server, (struct sockaddr *)&at, sizeof at) < 0) fail("connect");
  uint32_t a, b, sum;
  if (scanf("%u %u", &a, &b) != 2) fail("scanf");
  uint32_t numbers[2] = {htonl(a), htonl(b)};
  if (send(server, numbers, sizeof numbers, MSG_NOSIGNAL) < 0) fail("send");
  if (recv(server, &sum, sizeof sum, MSG_WAITALL) != sizeof sum) fail("recv");
  printf("%u\\n", ntohl(sum));
  return 0;
}
`,
);

const severalLinesClient = client(
  severalLines,
  "py",
  python("for _ in range(3):\n    say(input())\nprint(line())"),
);

const guessClient = client(
  guess,
  "go",
  `package main

import ("bufio"; "fmt"; "net"; "os"; "time")

func fail(err error) {
	fmt.Fprintln(os.Stderr, "no reply:", err)
	os.Exit(1)
}

func main() {
	server, err := net.Dial("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fail(err)
	}
	server.SetDeadline(time.Now().Add(3 * time.Second))
	replies := bufio.NewReader(server)
	typed := bufio.NewScanner(os.Stdin)
	for {
		reply, err := replies.ReadString('\\n')
		if err != nil {
			fail(err)
		}
		fmt.Print(reply)
		if !typed.Scan() {
			return
		}
		fmt.Fprintln(server, typed.Text())
	}
}
`,
);

const lossyClient = client(
  lossy,
  "py",
  `
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.connect(("127.0.0.1", int(sys.argv[1])))
server.settimeout(1)
word = input().encode()
for attempt in range(3):
    server.send(word)
    try:
        print(server.recv(65535).decode())
        break
    except socket.timeout:
        pass
else:
    sys.exit("no reply after three requests")
`,
);

const daytimeClient = client(
  daytime,
  "py",
  python("print(line())\nif server.recv(1):\n    sys.exit('there is more')"),
);

const paddedClient = client(
  padded,
  "py",
  python(`
server.sendall(input().encode().ljust(16, b"\\0"))
while len(received) < 16:
    more()
print(received.rstrip(b"\\0").decode())`),
);

const onePerConnectionClient = client(
  onePerConnection,
  "py",
  python("server.sendall(input().encode())\nmore()\nprint(received.decode())"),
);

/** Its first reply has no value that a user must see. */
const storeClient: TalkProgram = {
  kind: "a store in binary",
  talk: "type put {k} {v}\n> {length as u16}\\x01{length(k) as u8}{k}{v}\n< \\0\\x01\\0\n" +
    "type get {k}\n> {length as u16}\\x02{length(k) as u8}{k}\n< {length as u16}\\0{v}\n",
  language: "py",
  source: python(`
def take(size):
    global received
    while len(received) < size:
        more()
    taken, received = received[:size], received[size:]
    return taken
for operation in 1, 2:
    words = input().encode().split()
    request = bytes([operation, len(words[1])]) + b"".join(words[1:])
    server.sendall(len(request).to_bytes(2, "big") + request)
    size = int.from_bytes(take(2), "big")
    reply = take(size)
    if reply[0] == 0:
        print(reply[1:].decode())`),
};

/** A chat takes two clients, which no single program plays. */
export const rightClients: readonly TalkProgram[] = [
  ...[infixClient, operatorFirstClient, greetingClient, jsonClient, lengthPrefixClient],
  ...[binaryClient, severalLinesClient, guessClient, lossyClient, daytimeClient],
  ...[paddedClient, onePerConnectionClient, storeClient],
];

export const mistakenClients: readonly MistakenTalk[] = [
  wrong(infixClient, "connects", "another port", [["int(sys.argv[1])", "int(sys.argv[1]) + 1"]]),
  wrong(binaryClient, "connects", "the port without htons()", [
    ["htons(atoi(argv[1]))", "atoi(argv[1])"],
  ]),
  wrong(operatorFirstClient, "sends", "quotes around the request", [
    ['readFileSync(0, "utf8").split("\\n")[0]', 'JSON.stringify(readFileSync(0, "utf8").trim())'],
  ], { says: /quotes/ }),
  wrong(severalLinesClient, "sends", "no line end", [
    ['text.encode() + b"\\n"', "text.encode()"],
  ], { says: /the line ends? (?:is|are) missing/ }),
  wrong(infixClient, "sends", "a request of its own, without its line end", [
    ["say(input())", 'server.sendall(b"1 + 2")'],
  ], { says: /the line end is missing/ }),
  wrong(greetingClient, "sends", "the last request without its line end", [
    ["say(input())\nif", "server.sendall(input().encode())\nif"],
  ], { says: /want {2}bye[^]*the line end is missing/ }),
  wrong(lengthPrefixClient, "sends", "a line in place of a length and text", [
    ["writeUTF(word)", 'writeBytes(word + "\\n")'],
  ], { says: /the length in front is missing/ }),
  wrong(binaryClient, "sends", "without htonl()", [["{htonl(a), htonl(b)}", "{a, b}"]], {
    says: /reverse order/,
  }),
  wrong(paddedClient, "sends", "spaces in place of NULs", [['ljust(16, b"\\0")', "ljust(16)"]]),
  wrong(storeClient, "sends", "a length that is one too many", [
    ["len(words[1])]", "len(words[1]) + 1]"],
  ], { says: /want {2}\{length\}\\x01/ }),
  wrong(
    { ...storeClient, talk: storeClient.talk.replaceAll(/^type .*\n/gm, "") },
    "sends",
    "the file does not show what is typed",
    [],
    { says: /show in the file what its user types/ },
  ),
  wrong(storeClient, "split-reply", "one recv() for a reply", [
    [
      '    size = int.from_bytes(take(2), "big")\n    reply = take(size)',
      '\
    more()\n    reply, received = received[2:], b""',
    ],
  ], { says: /did not go on after a reply/ }),
  wrong(greetingClient, "prints", "prints the greeting for the answer", [
    ["say(input())\nprint(line())", "say(input())\nline()"],
  ]),
  wrong(jsonClient, "prints", "works it out by itself", [
    ['print(json.loads(line())["result"])', "line(); print(int(a) * int(b))"],
  ]),
  wrong(binaryClient, "prints", "without ntohl()", [["ntohl(sum)", "sum"]]),
  wrong(severalLinesClient, "ends", "waits for the server to close", [
    ["print(line())", "print(line(), flush=True)\nserver.settimeout(None)\nserver.recv(1)"],
  ]),
  wrong(binaryClient, "refused", "does not check connect()", [
    [
      'if (connect(server, (struct sockaddr *)&at, sizeof at) < 0) fail("connect")',
      `\
if (connect(server, (struct sockaddr *)&at, sizeof at) < 0) return 0`,
    ],
  ]),
  wrong(operatorFirstClient, "closed", "takes the end for success", [
    ['fail("the server closed the connection")', "process.exit(0)"],
  ]),
  wrong(lengthPrefixClient, "closed", "catches everything", [
    ['      System.err.println("no reply: " + error);\n      System.exit(1);\n', ""],
  ], { skip: ["refused"] }),
  wrong(guessClient, "reset", "takes a reset for success", [
    [
      'import ("bufio"; "fmt"; "net"; "os"; "time")',
      '\
import ("bufio"; "errors"; "fmt"; "net"; "os"; "syscall"; "time")',
    ],
    [
      "if err != nil {\n\t\t\tfail(err)",
      "\
if errors.Is(err, syscall.ECONNRESET) {\n\t\t\treturn\n\t\t} else if err != nil {\n\t\t\tfail(err)",
    ],
  ]),
  wrong(paddedClient, "silent", "no timeout", [[", timeout=3", ""]]),
  wrong(lossyClient, "silent", "no timeout", [["server.settimeout(1)\n", ""]]),
  wrong(paddedClient, "split-reply", "one recv() for a reply", [
    ["while len(received) < 16:\n    more()", "more()"],
  ]),
  wrong(infixClient, "split-reply", "one recv() for a reply", [
    ["print(line())", "more()\nprint(received.decode())"],
  ]),
  wrong(lossyClient, "stranger", "takes any datagram", [
    ['server.connect(("127.0.0.1", int(sys.argv[1])))\n', ""],
    ["server.send(word)", 'server.sendto(word, ("127.0.0.1", int(sys.argv[1])))'],
  ]),
  wrong(lossyClient, "stranger", "takes any datagram, and fails at what is in it", [
    ['server.connect(("127.0.0.1", int(sys.argv[1])))\n', ""],
    ["server.send(word)", 'server.sendto(word, ("127.0.0.1", int(sys.argv[1])))'],
    [
      "print(server.recv(65535).decode())",
      "reply = server.recv(65535)\n        assert reply == word.upper()\n        print(reply.decode())",
    ],
  ], { says: /AssertionError/ }),
];
