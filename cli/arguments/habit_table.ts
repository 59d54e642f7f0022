import { checkLine, operatorLast, waitLine } from "./habit_lines.ts";

/** What users of other tools tend to type, and what they mean by it here. */
export interface Habit {
  /** Matched against the words after `netdemo`, as typed in a shell. */
  readonly typed: RegExp;
  /** What replaces the match, as an argument of `String.replace`. */
  readonly meant: string | ((...match: string[]) => string);
  readonly why: string;
}

const HOST = String.raw`(?:[A-Za-z][\w.-]*|\d+(?:\.\d+){3}|'?\[[\da-fA-F:.%\w]+\]'?|0)`;
const PORT = String.raw`\d{1,5}`;
const SERVICE = "(?:hello|message|calc|lab)";
const COMMAND = `(?:${SERVICE}-(?:server|client)|serve|check|path|relay|grade|demo|address)(?= |$)`;
const OPERATOR = String.raw`(?:[-+/x*]|'\*')`;
const NUMBER = String.raw`[-+]?[\d_]+`;
/** Everything before the operands; not a flag, or the first operand would be its value. */
const CALC = "^(calc-client.*? |demo calc )(?<! --?[a-z-]+ )";
/** Excludes path, which has its own --listen. */
const NOT_PATH = "(?<!^path\\b.*)";
/** The end of the words: only flags follow. */
const FLAGS = "(?=(?: --?[a-z].*)?$)";
/** The end of a word. */
const END = String.raw`(?= |$)`;

const portFlag = "a port goes after --port";
const addressFlag = "where to listen goes after --host and --port";
const listenFlag = "the port that the forwarder forwards to goes after --listen";
const oneWord = "a server is one word, HOST:PORT";
const order = "the operator comes last, and a * needs quotes";
const targetFirst = "the server comes first";

/** The habits in the order they are tried; later ones apply to the result of earlier ones. */
export const habits: readonly Habit[] = [
  // The command's name.
  habit(`^(?:run|start|exec|launch|open) (?=${COMMAND})`, "", "the command alone starts it"),
  habit(`^(${COMMAND}) (?:run|start|up|listen)$`, "$1", "the command alone starts it"),
  habit(
    `^((?:--?[a-z][a-z-]*(?:=\\S+| [^-\\s]\\S*)? )+?)(${COMMAND})(.*)$`,
    (_, flags = "", name = "", rest = "") => `${name} ${flags.trimEnd()}${rest}`,
    "the command comes first",
  ),
  habit(`^(server|client)[ -](${SERVICE})${END}`, "$2-$1", "the service is named first"),
  habit(`^(${SERVICE})[ _](server|client)${END}`, "$1-$2", "the name is one word"),
  habit(`^calculator-(server|client)${END}`, "calc-$1", "the calculator is called calc"),
  habit(`^echo-server${END}`, "lab-server", "lab-server echoes what follows the word echo"),
  habit(`^echo-client${END}`, "lab-client echo", "lab-server echoes what follows the word echo"),
  habit(`^(${SERVICE}) (?=\\S)`, "$1-client ", "server and client are two commands"),
  habit("^(?:version|ver|-v|-version|about)(?: --json)?$", "--version", "the version is a flag"),
  habit("^(?:commands|list|ls|man|usage|\\?|'\\?'|-help)$", "help", "help lists the commands"),
  habit(`^(?:man|usage) (\\S+)$`, "help $1", "help shows how a command is used"),
  habit(`^([\\w-]+) (?:help|'\\?'|-help)$`, "help $1", "help comes first"),
  habit(`^help (${SERVICE}) (server|client)$`, "help $1-$2", "the name is one word"),
  habit("^(?:wait|wait-for|waitfor|wait4x) ", "check --for 30s ", "check waits until it is up"),
  habit("^(?:ping|probe|test|nmap|scan) ", "check ", "check says whether it is up"),
  habit(
    `^(?:nc|ncat|telnet|connect|open)(?: -v)? (${HOST}) (${PORT})$`,
    "message-client $1:$2",
    oneWord,
  ),
  habit(
    `^(?:nc|ncat|listen)(?: -\\w*l\\w*)?(?: -p)? (${PORT})$`,
    "message-server --port $1",
    portFlag,
  ),
  habit("^(?:proxy|forward|tcpdump|sniff) ", "relay ", "relay stands between the two"),
  habit("^demo (udp|unix)$", "demo --$1", "the transport is a flag"),
  habit("^demo (?:--scene|-s)[ =](?=\\S)", "demo ", "the scene needs no flag"),
  habit("^demo (?:list|ls|scenes|--list|-l|help)$", "help demo", "its help lists the scenes"),

  // Other tools' flags.
  habit(`${NOT_PATH} -\\w*l\\w*p?(?: -p)?[= ]?(${PORT})${END}`, " --port $1", portFlag),
  habit(
    `${NOT_PATH} --?(?:bind|listen|addr|address|ip|interface|server|target|b|a|H|s|l|host)[ =](${HOST}):(${PORT})${END}`,
    " --host $1 --port $2",
    addressFlag,
  ),
  habit(
    `${NOT_PATH} --?(?:bind|listen|addr|address|b|a|s|l)[ =]:?(${PORT})${END}`,
    " --port $1",
    portFlag,
  ),
  habit(
    `${NOT_PATH} --?(?:bind|listen|addr|address|ip|interface|server|b|a|H|s|l)[ =](${HOST})${END}`,
    " --host $1",
    addressFlag,
  ),
  habit(
    `^([\\w-]+-server.*) (?:--?listen|-l|-k|-lk|--keep-open|--wait)${END}`,
    "$1",
    "a server runs until Ctrl-C",
  ),
  habit(` -(?:P|port)[ =]?(${PORT})${END}`, " --port $1", portFlag),
  habit(` --port[ =](${HOST}):(${PORT})${END}`, " --host $1 --port $2", portFlag),
  habit(` --port[ =]:(${PORT})${END}`, " --port $1", portFlag),
  habit(` --port[ =](${PORT})/(?:udp|UDP)${END}`, " --port $1 --udp", "UDP is a flag"),
  habit(
    ` --port[ =](${PORT})/(?:tcp|TCP)${END}`,
    " --port $1",
    "TCP is the default",
  ),
  habit(` --?(?:tcp|t)${END}(?! \\d)`, "", "TCP is the default"),
  habit(` --(?:protocol|proto|transport)[ =]udp${END}`, " --udp", "UDP is a flag"),
  habit(` --(?:protocol|proto|transport)[ =]tcp${END}`, "", "TCP is the default"),
  habit(` --?(?:host|unix|socket|U)[ =]unix:(\\S+)`, " --unix $1", "the path follows --unix"),
  habit(` --?(?:socket|U)[ =](\\S+)`, " --unix $1", "the path follows --unix"),
  habit(
    ` --host[ =]https?://(${HOST})(?::(${PORT}))?/?${END}`,
    (_, host, port) => ` --host ${host}${port === undefined ? "" : ` --port ${port}`}`,
    "URLs are not supported",
  ),
  habit(
    `^([\\w-]+-server.*) (?:-v|-vv|--debug|--log|--log-requests)${END}`,
    "$1 --verbose",
    "--verbose shows what a server does",
  ),
  habit(
    `^([\\w-]+-client.*) (?:-v|-vv|--verbose|--debug)${END}`,
    "$1 --trace",
    "--trace shows what a client does",
  ),
  habit(
    ` --?(?:w|t|T|time|time-out|connect-timeout|max-wait)[ =](\\d+\\w*)${END}`,
    " --timeout $1",
    "--timeout sets how long to wait",
  ),
  habit(
    ` --?(?:text|message|msg|m|data|d|command|c|e)[ =](?=\\S)`,
    " ",
    "the request needs no flag",
  ),
  habit(` (?:-4|--ipv4) :(${PORT})${END}`, " 127.0.0.1:$1", "the address determines the family"),
  habit(` (?:-6|--ipv6) :(${PORT})${END}`, " '[::1]:$1'", "the address determines the family"),
  habit(` (?:-4|--ipv4)${END}`, " --host 127.0.0.1", "the address determines the family"),
  habit(` (?:-6|--ipv6)${END}`, " --host ::1", "the address determines the family"),
  habit(
    ` (?:-d|--daemon|--background|--detach|-f)${END}(.*)$`,
    "$1 &",
    "the shell can run it in the background",
  ),
  habit(
    ` (?:-q|--quiet|--silent)${END}(.*)$`,
    "$1 > /dev/null",
    "the shell can discard its output",
  ),
  habit(
    `^(${SERVICE})-client\\b.*? --(?:wait|wait-for|retry|retries|until|for)\\b.*$`,
    waitLine,
    "check waits until it is up",
  ),

  // Words where a flag or a target is meant.
  habit(
    `^(${SERVICE}-server(?: --(?:once|udp|json|trace|verbose))*) :?(${PORT})${END}`,
    "$1 --port $2",
    portFlag,
  ),
  habit(`^(${SERVICE}-server) (${HOST})[ :](${PORT})${END}`, "$1 --host $2 --port $3", addressFlag),
  habit(
    `^(${SERVICE}-server) (localhost|\\d+(?:\\.\\d+){3}|[A-Za-z][\\w-]*\\.[\\w.-]+)$`,
    "$1 --host $2",
    addressFlag,
  ),
  habit(
    `^(${SERVICE}-client) https?://(${HOST}:${PORT})/?${END}`,
    "$1 $2",
    "URLs are not supported",
  ),
  habit(
    `^(${SERVICE}-client) https?://(${HOST})/?${END}`,
    "$1 --host $2",
    "URLs are not supported",
  ),
  habit(`^(hello-client|lab-client) (${HOST}) (${PORT})${END}`, "$1 $2:$3", oneWord),
  habit(
    `^(calc-client) ((?!0)${HOST}) (${PORT})(?= ${NUMBER} ${NUMBER} ${OPERATOR}|$)`,
    "$1 $2:$3",
    oneWord,
  ),
  habit(`^(calc-client) (${HOST}:${PORT})/(?:calc|tcp)?${END}`, "$1 $2", oneWord),
  habit(`^(hello-client) (${PORT})$`, "$1 :$2", oneWord),
  habit(`^(calc-client) (${PORT})(?= ${NUMBER} ${NUMBER} ${OPERATOR}$|$)`, "$1 :$2", oneWord),
  habit(
    `^(hello-client|calc-client) ([A-Za-z][\\w.-]*|\\d+(?:\\.\\d+){3})(?= ${NUMBER} |$)`,
    "$1 --host $2",
    "a host without a port goes after --host",
  ),

  // The calculator's own order.
  habit(
    `^calc-client (${NUMBER} ${NUMBER} ${OPERATOR}) ((?:${HOST})?:${PORT})$`,
    "calc-client $2 $1",
    targetFirst,
  ),
  habit(
    `${CALC}(${NUMBER}) (${OPERATOR}) (${NUMBER})${FLAGS}`,
    operatorLast(2, 3, 4),
    order,
  ),
  habit(
    `${CALC}'?(${NUMBER})(${OPERATOR}|÷|×)(${NUMBER})(?:=\\??)?'?${FLAGS}`,
    operatorLast(2, 3, 4),
    order,
  ),
  habit(
    `${CALC}(${OPERATOR}) (${NUMBER}) (${NUMBER})${FLAGS}`,
    operatorLast(3, 2, 4),
    order,
  ),
  habit(
    `${CALC}(${NUMBER}) (${NUMBER}) (?![-+*/](?: |$)|'[^ ]'(?: |$)|--)(?:[^- ]\\S+|\\S+(?: (?!--)\\S+)+)${FLAGS}`,
    "$1$2 $3 '*'",
    "the shell expands an unquoted * to file names",
  ),
  habit(
    `${CALC}(${NUMBER}) (${NUMBER})${FLAGS}`,
    "$1$2 $3 +",
    "an operator is missing",
  ),

  // Addresses.
  habit(`^address (${PORT})$`, "address :$1", "a port needs a colon before it"),
  habit(`^address (${HOST}) (${PORT})$`, "address $1:$2", "a host and its port are one word"),
  habit(
    `^address ([\\d.]+|[\\da-f:]+)/\\d{1,3}$`,
    "address $1",
    "address takes one address, not a network",
  ),
  habit(
    `^address \\w+://(?:\\S*@)?(${HOST}(?::${PORT})?)(?:/\\S*)?$`,
    "address $1",
    "URLs are not supported",
  ),
  habit(`^address (\\S+?)/(?:tcp|udp)$`, "address $1", "the protocol does not matter here"),
  habit(
    "^address (?:-a|--all|list|show|me|self|local)$",
    "address",
    "without a name it shows this host",
  ),

  // The tools.
  habit(`^(check(?: --?\\w[\\w-]*(?:=\\S+)?)*) (${HOST}) (${PORT})${END}`, "$1 $2:$3", oneWord),
  habit(
    `^serve (${SERVICE}) (${PORT})${END}`,
    "serve $1:$2",
    "a service and its port are one word",
  ),
  habit("^check(?= ).* (?:--host|--port|-p|--udp|-u)\\b.*$", checkLine, oneWord),
  habit(`^check (${PORT})$`, "check :$1", "a port of this host needs a colon before it"),
  habit(
    `^(check.*) --(?:wait|retry|until|wait-for)(?:[ =](\\d\\w*))?${END}`,
    (_, before = "", time = "30s") => `${before} --for ${time}`,
    "--for sets how long to retry",
  ),
  habit(`^relay (${PORT}) (\\S*:${PORT})${END}`, "relay --port $1 $2", portFlag),
  habit(`^path (${PORT}) (?=\\S)`, "path --listen $1 ", listenFlag),
  habit(
    `^(path(?: .+?)?) (?:-l|-L|--port|-p|--bind|--backend|--forward|--to)[ =](?=\\S*${PORT})`,
    "$1 --listen ",
    listenFlag,
  ),
  habit(`^(path .*--listen[ =]\\S+(?: .*)?) (${PORT})$`, "$1 localhost:$2", oneWord),
  habit(
    `^(path .*--listen[ =]\\S+(?: .*)?)(?<! --\\S+) (${HOST}) localhost:(${PORT})$`,
    "$1 $2:$3",
    oneWord,
  ),
  habit(
    `^grade (\\S+-(?:server|client)) (\\S+\\.py)$`,
    "grade $1 -- python3 $2 '{port}'",
    "the program to start goes after --",
  ),
  habit(`^grade (\\S+-server) (${HOST}) (${PORT})$`, "grade $1 $2:$3", oneWord),
  habit(
    `^grade (\\S+-(?:server|client)) (?!--)(?=\\S+ \\S)`,
    "grade $1 -- ",
    "the program to start goes after --",
  ),
];

function habit(typed: string, meant: Habit["meant"], why: string): Habit {
  return { typed: new RegExp(typed), meant, why };
}
