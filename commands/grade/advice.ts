/** What to change in a program that ended with an error, by its last words. */

/** What to change, by the error that a crash was reported with, in any language. */
const crashes: readonly (readonly [said: RegExp, fix: string])[] = [
  [
    /bytes-like object is required|must be bytes/,
    "a socket sends bytes: turn the text into bytes first, text.encode()",
  ],
  [
    /Broken pipe|not connected|ENOTCONN|EPIPE/i,
    "recv() and send() on the socket that accept() returned: the one that listens has no client",
  ],
];

/** The same, of a server that ended before it was asked anything. */
const starts: readonly (readonly [said: RegExp, fix: string])[] = [
  [/Invalid argument|EINVAL|not listening/i, "call listen() after bind() and before accept()"],
  [
    /Operation not supported|EOPNOTSUPP/i,
    "create the socket with SOCK_STREAM: only that one can listen()",
  ],
  [/refused|ECONNREFUSED/i, "bind() and listen(): this program connects, as a client does"],
  [
    /EOFError|EOF when reading|NoSuchElementException/,
    'if it asks for its port on stdin, give it: --input "{port}\\n"',
  ],
  [
    /'str' object cannot be interpreted as an integer|integer is required/,
    "turn the port into a number first: int(sys.argv[1])",
  ],
];

/** What to do about a crash in an answer. @param said Its last words. */
export function crashFix(said: string): string {
  const known = crashes.find(([error]) => error.test(said))?.[1];
  return known ?? "begin with what your program said as it ended";
}

/** What to do about a server that ended at its start. @param said Its last words. */
export function startFix(said: string): string | undefined {
  return starts.find(([error]) => error.test(said))?.[1];
}
