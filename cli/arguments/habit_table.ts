/** A form of a line: its pattern, what replaces it, and why. */
export type Form = readonly [typed: string, meant: string, why: string];

const START = "the command alone starts it";
const HELP = "help comes first";
const RECORD = "relay records what passes";
const WAIT = "check waits until it is up";
const WAITS = "(?=.* --(?:wait|wait-for|retry|retries|until|for)(?:[ =]|$))";

/** Other names of commands, at the beginning of a line. */
export const nameForms: readonly Form[] = ([
  ["(?:run|start|exec|launch) (COMMAND)", "$1", START],
  ["(COMMAND) (?:start|up|run)$", "$1", START],
  ["(?:demo -*(?:list|ls|scenes))$", "help demo", "its help lists the scenes"],
  ["(?:man|usage) (\\S+)$", "help $1", HELP],
  ["(COMMAND) (?:help|\\?|-help)$", "help $1", HELP],
  ["(help |)(SERVICE)[ _](server|client)", "$1$2-$3", "the name is one word"],
  ["(help |)(server|client)[ -](SERVICE)", "$1$3-$2", "the service is named first"],
  ["calculator[ _-](server|client)", "calc-$1", "the calculator is called calc"],
  ["-- (COMMAND)", "$1", "the command comes first"],
  ["(-.*?) (COMMAND)", "$2 $1", "the command comes first"],
  ["(?:version|ver|-v|-version|about)$", "--version", "the version is a flag"],
  ["(?:commands|list|ls|man|usage|\\?|-help)$", "help", "help lists the commands"],
  ["(?:ping|probe|test|nmap|scan)", "check", "check says whether it is up"],
  ["(?:wait|wait-for|waitfor|wait4x)", "check --for 30s", WAIT],
  [`(SERVICE)-client (\\S*:\\d+)${WAITS}`, "check $2/$1", WAIT],
  [`(SERVICE)-client${WAITS}`, "check", WAIT],
  ["(?:connect|open)", "hello-client", "hello-client connects"],
  ["(?:nc|ncat)(?= -\\w*l)|listen|-l", "message-server", "message-server listens"],
  ["(?:nc|ncat|telnet)(?: -v)? (\\S+) (\\d+)$", "message-client $1:$2", "message-client sends"],
  ["record (\\S*:\\d+)$", "relay --port 4041 --record a.talk $1", RECORD],
  ["record (\\S+) (\\S*:\\d+)$", "relay --port 4041 --record $1 $2", RECORD],
  ["record (\\S+)$", "relay --port 4041 --record $1 localhost:4040", RECORD],
  ["record$", "relay --port 4041 --record a.talk localhost:4040", RECORD],
  ["(?:proxy|forward|tcpdump|sniff)", "relay", "relay stands between the two"],
  ["(SERVICE)(?= \\S)", "$1-client", "server and client are two commands"],
  ["(\\S*:\\d+)", "check $1", "the command comes first"],
] as const).map(([typed, ...rest]) => [`^(?:${typed})(?= |$)`, ...rest]);

/** Other tools' flags, by what is typed here: a place, a flag, words, or what the shell does. */
export const otherFlags: Readonly<Record<string, string>> = {
  PLACE: "host port p bind listen addr address ip interface server backend b a H s l lp L P",
  "--udp": "udp u protocol=udp proto=udp transport=udp",
  udp: "udp u",
  "--for VALUE": "wait wait-for retry retries until",
  "--timeout VALUE": "w t T time time-out connect-timeout max-wait",
  "--unix VALUE": "socket U",
  VALUE: "text message msg m data d command c e scene s",
  "--verbose": "v vv debug log log-requests",
  "--trace": "v vv verbose debug",
  "--host 127.0.0.1": "4 ipv4",
  "--host ::1": "6 ipv6",
  BACKGROUND: "d daemon background detach f",
  QUIET: "q quiet silent",
  "": "tcp l listen k lk keep-open wait protocol=tcp proto=tcp transport=tcp",
};

const HOST = String.raw`(?:[A-Za-z][\w.-]*|\d+(?:\.\d+){3}|\[[\da-fA-F:.%\w]+\]|::1?)`;
const PORT = String.raw`\d{1,5}(?= |$)`;
const NUMBER = String.raw`[-+]?[\d_]+`;
const SUM = `${NUMBER} ${NUMBER} [-+*/]`;
const CALC = String.raw`^((?:\S*:\d+|calc) |)`;
const URL = String
  .raw`(^| )(?!(?:tcp|udp|unix):)(?:\w+://)?(?:\S*@)?(${HOST}(?::\d+)?)(?:/\S*|(?= |$))`;
const FILES = String.raw`(?: (?!\S*:\d+$)(?=\S*[A-Za-z.])\S+)+`; // that the shell put for a *

const SERVER = "a server is one word, HOST:PORT";
const COLON = "a port of this host needs a colon before it";
const ORDER = "the operator comes last, and a * needs quotes";
const SIGNS = "the operators are + - * /";
const STAR = "the shell expands an unquoted * to file names";
const PROGRAM = "the program to start goes after --";

/** Forms of a place, which follow a flag or a server's name. */
export const placeForms: readonly Form[] = [
  [`^(?:\\w+://)?(${HOST}):(\\d{1,5})/?$`, "--host $1 --port $2", "a place is --host and --port"],
  ["^:?(\\d{1,5})(?:/tcp)?$", "--port $1", "a port goes after --port"],
  ["^:?(\\d{1,5})/udp$", "--port $1 --udp", "UDP is a flag"],
  [`^(?:\\w+://)?(${HOST})/?$`, "--host $1", "a host goes after --host"],
];

/** Forms of the words between the flags, each for some commands. */
export const wordForms: readonly (readonly [of: string, ...Form])[] = [
  ["(?!.*-client|check).*", "(^| )(FLAG)(?= |$)", "$1--$2", "a flag begins with --"],
  ["hello-client|calc-client", `^(${HOST})(?= ${SUM}$|$)`, "--host $1", "a host goes after --host"],
  ["hello-client|calc-client|relay|path|address", URL, "$1$2", "URLs are not supported"],
  [
    "(?!message|lab-client|calc-client|serve$|demo).*",
    `(^|(?<!--\\w+) )(${HOST}) :?(${PORT})`,
    "$1$2:$3",
    SERVER,
  ],
  ["calc-client", `^(${HOST}) :?(${PORT})`, "$1:$2", SERVER],
  ...placeForms.map((form) => [".*-server", ...form] as const),
  ["check", `^(${PORT}) (${HOST})$`, "$2:$1", SERVER],
  ["relay", `^(\\d+)[: ](?=\\S)`, "--port $1 ", "a port goes after --port"],
  ["path", `^(\\d+)[: ](?=\\S)`, "--listen $1 ", "the backend's port goes after --listen"],
  ["check|path|relay|address|hello-client", `(^|(?<!--\\w+) )(${PORT})$`, "$1:$2", COLON],
  ["calc-client", `^(${PORT})(?= ${SUM}$|$)`, ":$1", COLON],
  ["calc-client", `^(${SUM}) (\\S*:${PORT})$`, "$2 $1", "the server comes first"],
  [
    "check",
    "^(?=udp |.* udp$)(?:udp )?((?:\\w+=)?)(\\S+)(?: udp)?$",
    "$1udp://$2",
    "UDP is udp://",
  ],
  ["check", "(^| )([a-z]+) (?=\\S*:\\d)", "$1$2=", "an expectation is EXPECT=TARGET"],
  ["serve", `(\\w+)[= ](${PORT})`, "$1:$2", "a service and its port are one word"],
  ["address", "^(?:list|show|me|self|local)$", "", "without a name it shows this host"],
  ["grade", "^(\\S+) (\\S+\\.py)$", "$1 -- PYTHON $2 {port}", PROGRAM],
  ["grade", "^(\\S+) (?!-- )(?=\\S+ \\S)", "$1 -- ", PROGRAM],
  ["calc-client|demo", "^([^A-Za-z]*)[×·]", "$1*", SIGNS],
  ["calc-client|demo", "^([^A-Za-z]*)÷", "$1/", SIGNS],
  ["calc-client|demo", "^([^A-Za-z]*)[−–]", "$1-", SIGNS],
  ["calc-client|demo", `${CALC}(${NUMBER}) ?([-+*/x]) ?(${NUMBER})=?$`, "$1$2 $4 $3", ORDER],
  ["calc-client|demo", `${CALC}([-+*/x]) (${NUMBER}) (${NUMBER})$`, "$1$3 $4 $2", ORDER],
  ["calc-client|demo", `${CALC}(${NUMBER} ${NUMBER})${FILES}$`, "$1$2 *", STAR],
  ["calc-client|demo", `${CALC}(${NUMBER} ${NUMBER} )x$`, "$1$2*", ORDER],
  ["calc-client|demo", `${CALC}(${NUMBER} ${NUMBER})$`, "$1$2 +", "an operator is missing"],
];
