/** What is typed (a regular expression), what is meant, and what was wrong. */
export type Shape = readonly [typed: string, meant: string, why: string];

/** The flags of other tools, by what replaces them: a flag if the command has it, a word, nothing. */
export const otherFlags: Readonly<Record<string, string>> = {
  "--listen": "l p port",
  "--for": "wait wait-for retry retries until",
  "--timeout": "w t connect-timeout",
  "--verbose": "v vv debug",
  "--trace": "v vv debug verbose",
  udp: "u udp",
  tls: "tls ssl",
  "": "host H server s port p P bind b listen l lp addr tcp protocol from to L text message m",
};

const NAME = String.raw`([A-Za-z][\w-]*)`;
const HOST = String.raw`(localhost|\[\S+\]|[\w-]+(?:\.[\w-]+)+)`; // a NAME may be another word
const PORT = String.raw`:?(\d{1,5})`;
const TARGET = String.raw`([^=/\s]*:\d\S*)`;

const COMMAND = "a command is SERVICE-server or SERVICE-client";
const PLACE = "a place is --host and --port";
const SERVER = "a server is one word, HOST:PORT";
const PROGRAM = "the program to start goes after --";

/** For lines that do not begin with a command. */
export const nameShapes: readonly Shape[] = [
  ["^calculator-(server|client)", "calc-$1", "the calculator is called calc"],
  ["^(server|client)[ -](\\w+)", "$2-$1", COMMAND],
  ["^(\\w+) (server|client)", "$1-$2", COMMAND],
  ["^(\\w+)(?= \\S)", "$1-client", COMMAND],
  ["^(-.*?) (\\w+-(?:server|client))", "$2 $1", "the command comes first"],
  [`^${HOST}?[: ](\\d+)$`, "check $1:$2", "the command comes first"],
  ["^ping", "check", "check says whether a server is up"],
  ["^(?:wait|wait-for|wait-for-it)", "check --for 30s", "check waits until a server is up"],
  ["^connect", "hello-client", "hello-client connects"],
  ["^(?:listen|-l|nc -lk?)", "message-server", "message-server listens"],
];

/** For the words of a command, without its flags. tests/harness/habits.ts has examples of all. */
export const wordShapes: readonly (readonly [of: RegExp, ...Shape])[] = [
  [/-server$/, `^${HOST}[: ](\\d+)$`, "--host $1 --port $2", PLACE],
  [/-server$/, `^${HOST}$`, "--host $1", PLACE],
  [/-server$/, `^${PORT}$`, "--port $1", "a port goes after --port"],
  [/-client$/, `^${HOST}(?=$| \\S+ \\S+ [-+*/]$)`, "--host $1", PLACE],
  [/^relay$/, `^${PORT}[: ](\\S.*)`, "--port $1 $2", "a port goes after --port"],
  [/^path$/, `^${PORT}[: ](\\S.*)`, "--listen $1 $2", "the backend's port goes after --listen"],
  [/^grade$/, "^(\\S+) (\\S+\\.py)(?: \\d+)?$", "$1 -- PYTHON $2 {port}", PROGRAM],
  [/^grade$/, "^(\\S+) (\\.\\S+|\\S+\\.exe)(?: \\d+)?$", "$1 -- $2 {port}", PROGRAM],
  [/^grade$/, "^(\\S+) ((?!localhost|\\d|-)[^\\s:]+ \\S.*)", "$1 -- $2", PROGRAM],
  [/^(?!demo|serve)/, `(?<!-- .*)(${HOST}|${NAME}) (\\d+)(?! \\S+ [-+*/]$)`, "$1:$4", SERVER],
  [/./, "(?<=^|\\d )(\\d{2,5})(?=$| \\S+ \\S+ [-+*/]$)", ":$1", "a port needs a colon before it"],
  [/^check$/, "(udp|tls|https?)[ :]([^/\\s]\\S*)", "$1://$2", "a protocol goes before ://"],
  [/^check$/, `${TARGET} udp`, "udp://$1", "a protocol goes before ://"],
  [/^check$/, `${NAME} ${TARGET}`, "$1=$2", "an expectation is EXPECT=TARGET"],
  [/^check$/, `${TARGET} ${NAME}`, "$2=$1", "an expectation is EXPECT=TARGET"],
  [/^serve$/, "(\\w+):?[ =]:?(\\d+)", "$1:$2", "a service and its port are one word"],
  [/^calc-client$/, "(\\d+ \\d+) [A-Za-z]\\S*[. ]\\S.*", "$1 *", "the shell expands an unquoted *"],
];
