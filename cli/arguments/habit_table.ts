/** A form of a line: its pattern, what replaces it, and why. */
export type Form = readonly [typed: string, meant: string, why: string];

const START = "the command alone starts it";
const FIRST = "the command comes first";
const HELP = "help comes first";
const UP = "check says whether it is up";
const WAIT = "check waits until it is up";
const RECORD = "relay records what passes";

/** Other forms of the beginning of a line; COMMAND and SERVICE stand for any of them. */
export const nameForms: readonly Form[] = ([
  ["(?:run|start|exec|launch) (COMMAND)", "$1", START],
  ["(COMMAND) (?:start|up|run)$", "$1", START],
  ["demo -*(?:list|ls|scenes)$", "help demo", "its help lists the scenes"],
  ["(?:man|usage) (\\S+)$", "help $1", HELP],
  ["(COMMAND) (?:help|[-/]?\\?|-help)$", "help $1", HELP],
  ["(help |)calculator[ _-](server|client)", "$1calc-$2", "the calculator is called calc"],
  ["(help |)(SERVICE)[ _](server|client)", "$1$2-$3", "the name is one word"],
  ["(help |)(server|client)[ -](SERVICE)", "$1$3-$2", "the service is named first"],
  ["(?:--|(-.*?)) (COMMAND)", "$2 $1", FIRST],
  ["(?:version|ver|-v|-version|about)$", "--version", "the version is a flag"],
  ["(?:commands|list|ls|man|usage|[-/]?\\?|-help)$", "help", "help lists the commands"],
  ["(?:ping|probe|test|nmap|scan)", "check", UP],
  ["(?:ncat |nc )?-[nuvw]*z[nuvw]*", "check", UP],
  ["wait[\\w-]*", "check --for 30s", WAIT],
  ["(SERVICE)-client (\\S*:\\d+)(?=.* --(?:wait|retr|until|for))", "check $2/$1", WAIT],
  ["(SERVICE)-client(?=.* --(?:wait|retr|until|for))", "check", WAIT],
  ["(?:connect|open)", "hello-client", "hello-client connects"],
  ["listen|(?:ncat |nc )?-[knpuv]*l[knpuv]*", "message-server", "message-server listens"],
  ["(?:ncat|nc|telnet)(?: -v)? (\\S+) (\\d+)$", "message-client $1:$2", "message-client sends"],
  ["(?:proxy|forward|tcpdump|sniff)", "relay", "relay stands between the two"],
  ["record (\\S*:\\d+)$", "relay --port 4041 --record a.talk $1", RECORD],
  ["record (\\S+) (\\S*:\\d+)$", "relay --port 4041 --record $1 $2", RECORD],
  ["record (\\S+)$", "relay --port 4041 --record $1 localhost:4040", RECORD],
  ["record$", "relay --port 4041 --record a.talk localhost:4040", RECORD],
  ["(SERVICE)(?= \\S)", "$1-client", "server and client are two commands"],
  ["(localhost|[\\d.]+) (\\d+)$", "check $1:$2", FIRST],
  ["(\\S*:\\d+)", "check $1", FIRST],
] as const).map(([typed, ...rest]) => [`^(?:${typed})(?= |$)`, ...rest]);

/** Other tools' flags, by what is typed here for one and, as VALUE or TIME, the word after it. */
export const otherFlags: Readonly<Record<string, string>> = {
  "--udp": "udp u",
  udp: "udp u",
  "--for TIME": "wait wait-for retry retries until",
  "--for 30s": "wait wait-for retry retries until",
  "--timeout TIME": "w t T time time-out connect-timeout max-wait",
  "--count VALUE": "c n times",
  "--every TIME": "i interval",
  "--unix VALUE": "socket U",
  "--fault delay=TIME": "delay latency",
  "> VALUE": "log logfile log-file o output",
  "--verbose": "v vv debug log log-requests",
  "--trace": "v vv verbose debug",
  "127.0.0.1": "4(?=.:) ipv4",
  "[::1]": "6(?=.:) ipv6",
  BACKGROUND: "d daemon background detach f",
  QUIET: "q quiet silent",
  VALUE:
    "host port p bind listen addr address ip server backend target to from a b H s l lp L P text " +
    "message msg m data d command c e scene protocol proto transport",
  "": "l lk k keep-open listen tcp wait",
};

const HOST = String.raw`(?:[A-Za-z][\w.-]*|\d+(?:\.\d+){3}|\[[\da-fA-F:.%\w]+\]|::1?)`;
const OWN_HOST = String.raw`(?:localhost|[\w-]+\.[\w.-]+|\[\S+\]|::1?)`;
const PORT = String.raw`\d{1,5}(?= |$)`;
const URL = String
  .raw`(^| )(?!(?:tcp|udp|unix):)(?:\w+://)?(?:\S*@)?(${HOST}(?::\d+)?)(?:/\S*|(?= |$))`;
const FREE = "(^|(?<!--(?:host|port|listen)) )"; // not after a flag that a form has put there
const EXPECT = "(?:ok|open|refused|blocked|dropped|unreachable|silent|reset|closed|slow|wrong|dns)";
const NUMBER = String.raw`[-+]?[\d_]+`;
const SUM = `${NUMBER} ${NUMBER} [-+*/]`;
const CALC = String.raw`^((?:\S*:\d+|--host \S+|calc) |)`;
const FILES = String.raw`(?: \S*\.\S*| (?=\S*[A-Za-z])\S+(?: \S+)+)`; // that the shell put for a *
const STAR = "the shell expands an unquoted * to file names";

const ASKING = "hello-client|check|relay|path|address";
const SERVER = "a server is one word, HOST:PORT";
const COLON = "a port of this host needs a colon before it";
const PLACE = "a place is --host and --port";
const EXPECTS = "an expectation is EXPECT=TARGET";
const ORDER = "the operator comes last, and a * needs quotes";
const SIGNS = "the operators are + - * /";
const PROGRAM = "the program to start goes after --";

/** Forms of the words between the flags, each for some commands. */
export const wordForms: readonly (readonly [of: string, ...Form])[] = [
  ["(?!.*-client|check).*", `${FREE}tcp(?= |$)`, "$1", "TCP is the default"],
  ["(?!.*-client|check).*", `${FREE}(FLAG)(?= |$)`, "$1--$2", "a flag begins with --"],
  ["check", `(^| )(${EXPECT}) (?=\\S)`, "$1$2=", EXPECTS],
  ["check", `^(\\S*:\\d+) (${EXPECT})$`, "$2=$1", EXPECTS],
  [
    "check",
    "(^| |=)(udp|tls|https?)(?: |:(?=(?:\\[\\S+]|[^/:]+):\\d))(?=\\S)",
    "$1$2://",
    "a scheme ends with ://",
  ],
  ["check", `^(${PORT}) (${HOST})$`, "$2:$1", SERVER],
  ["hello-client|calc-client", `^(${HOST})(?= ${SUM}$|$)`, "--host $1", "a host goes after --host"],
  ["hello-client|calc-client|relay|path|address", URL, "$1$2", "URLs are not supported"],
  [`${ASKING}|grade`, `(^| |=|//)(${HOST}) :?(${PORT})`, "$1$2:$3", SERVER],
  ["check", "(^| |=)([^ =]+) udp$", "$1udp://$2", "UDP is udp://"],
  ["calc-client", `^(${HOST}) :?(${PORT})`, "$1:$2", SERVER],
  ["calc-client", `^(.+) (\\S*:${PORT})$`, "$2 $1", "the server comes first"],
  ["calc-client", `^(?!\\d )(${PORT})(?= ${SUM}$|$)`, ":$1", COLON],
  [".*-server", "/udp$", " --udp", "UDP is a flag"],
  [".*-server", `^(?:\\w+://)?(${OWN_HOST})(?:[: ](?=\\d)|/?$)`, "--host $1 ", PLACE],
  [".*-server", `${FREE}:?(\\d{1,5})(?:/tcp|/)?(?= |$)`, "$1--port $2", "a port goes after --port"],
  ["relay", `^:?(\\d+)[: ](?=\\S)`, "--port $1 ", "a port goes after --port"],
  ["path", `^:?(\\d+)[: ](?=\\S)`, "--listen $1 ", "the backend's port goes after --listen"],
  [ASKING, `${FREE}(${PORT})$`, "$1:$2", COLON],
  ["serve", `(\\w+)[= ](${PORT})`, "$1:$2", "a service and its port are one word"],
  ["address", "^(?:list|show|me|self|local)$", "", "without a name it shows this host"],
  ["grade", "^(\\S+) (\\S+\\.py)$", "$1 -- PYTHON $2 {port}", PROGRAM],
  ["grade", "^(\\S+) (\\.\\.?[\\\\/]\\S+|\\S+\\.exe)$", "$1 -- $2 {port}", PROGRAM],
  ["grade", "^(\\S+) (?!-- )(?=\\S+ \\S)", "$1 -- ", PROGRAM],
  ["calc-client|demo", "^([^A-Za-z]*)[×·]", "$1*", SIGNS],
  ["calc-client|demo", "^([^A-Za-z]*)÷", "$1/", SIGNS],
  ["calc-client|demo", "^([^A-Za-z]*)[−–]", "$1-", SIGNS],
  ["calc-client|demo", `${CALC}(${NUMBER}) ?([-+*/x]) ?(${NUMBER})=?$`, "$1$2 $4 $3", ORDER],
  ["calc-client|demo", `${CALC}([-+*/x]) (${NUMBER}) (${NUMBER})$`, "$1$3 $4 $2", ORDER],
  ["calc-client|demo", `${CALC}(${NUMBER} ${NUMBER} )x$`, "$1$2*", ORDER],
  ["calc-client|demo", `${CALC}(${NUMBER} ${NUMBER})${FILES}$`, "$1$2 *", STAR],
  ["calc-client|demo", `${CALC}(${NUMBER} ${NUMBER})$`, "$1$2 +", "an operator is missing"],
];
