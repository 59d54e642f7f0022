/** For each row of docs/promises.md, by its first cell: the tests that verify it, by their names. */
export const promises: Readonly<Record<string, readonly string[]>> = {
  "a connection is reset, before it is accepted or later": [
    "after 5,000 connections are reset before they are accepted, the next is served",
    "a connection reset in the middle of a request or an answer affects no other",
  ],
  "no descriptors are left": [
    "${server.name} out of descriptors lets clients wait, and goes on",
    "a budget keeps a reserve, and looks for descriptors only when those found are in use",
    "a budget reports once that it is full, and once that it has had room for a while",
  ],
  "accepting fails for another reason": ["a server keeps serving after accept fails with ${error}"],
  "more than `--max-connections` connect": [
    "beyond --max-connections a client is told that the server is full",
  ],
  "a connection floods it with anything": [
    "a flood of ${flood.name} delays neither other clients nor a stop",
  ],
  "200 connections flood it": [
    "during a flood from 200 clients, another client waits only briefly",
  ],
  "a connection sends no request for `--idle-timeout`": ["empty lines keep no connection alive"],
  "a request takes longer than `--request-timeout`": [
    "an idle connection, an unfinished request and an unread reply are cut off at their deadlines",
    "a request that trickles in is cut off at its deadline",
  ],
  "a client does not read its replies": [
    "silent, trickling and deaf clients are cut off at their deadlines and slow no other",
    "500 clients that never read hold at most 1 MB each, and others are answered",
  ],
  "a request is longer than `--max-request`": [
    "requests up to the maximum length are answered, and a longer one gets an error and ends the connection",
    "the error to a request of 20 MB arrives in full",
  ],
  "a calculation would take long": [
    "no command takes longer than 50 ms, and one with too many digits gets an error",
  ],
  "a request is not UTF-8": ["lines of invalid UTF-8 cost no exception each"],
  "a connection begins with a PROXY header, TLS, HTTP, SSH, telnet options or UTF-16": [
    "a server names what its client speaks, in one short error reply",
    "any text is a message, and what looks like another protocol is only named",
  ],
  "a request is typed a key at a time, over telnet or a serial line": [
    "a line that is typed a key at a time and ends in ${name} is one request",
    "a whole request is not delayed, however its client cuts it",
    "a message of one letter is answered as fast as another",
  ],
  "a message holds control characters": ["CR, NUL and control characters in a message are text"],
  "10,000 connections are idle": [
    "10,000 idle connections cost at most 12 kB each",
    "a connection that is idle after a long message uses no more memory than another idle one",
  ],
  "50,000 connections come and go": ["50,000 short connections leak no descriptor and no memory"],
  "its stdout is closed, full or not read": [
    "a server whose stdout is stalled keeps answering, and stops on a signal",
    "a server whose stdout is closed keeps answering, and reports how much was lost",
  ],
  "the machine sleeps, or the process is paused for a while": [
    "a server that was suspended cuts no client for the silence meanwhile",
    "a suspended server cuts no request of a classic client in two",
  ],
  "SIGINT, SIGTERM or SIGHUP": [
    "SIGHUP, as when a terminal closes, stops the server like SIGTERM",
    "a stop that takes a while reports what it waits for",
    "a stop answers every client that had connected, accepted or not",
  ],
  "a second signal during that": [
    "a second signal ends the drain at once with 128 + its number",
    "a Ctrl-C that a launcher also forwards counts once, and the drain continues",
  ],
  "a timer or a callback of netdemo fails": [
    "an error in any kind of callback is reported as a bug, and a server goes on",
  ],
  "`--once` with `--max-time`, and no client comes": [
    "--once with --max-time is TIMEOUT if no connection or datagram arrives",
  ],
  "`--port-file` names an existing file or a link": [
    "a server removes its own port file, but not another server's",
    "--port-file follows no symbolic link",
  ],
  "its Unix socket's path is taken": [
    "a stale socket file is replaced",
    "a file that isn't a socket is never removed",
    "of several servers started at once on a stale path, one gets it",
  ],
  "clients of a Unix socket have strange paths": [
    "connections from paths that are not UTF-8 delay no others",
  ],
  "datagrams are replies, forged, or too many": [
    "a datagram that looks like the service's own reply is not answered",
    "two servers pointed at each other fall silent within two exchanges",
    "a flood of 200,000 datagrams ends no server, fills no memory, and is counted at the end",
  ],
  "`--udp` with `--host 0.0.0.0` or `::`": [
    "on 0.0.0.0 each address replies for itself, and a missing neighbour delays no answers",
  ],
  "forged requests aim to flood another host": [
    "one host gets a bounded number of bytes, whichever ports it asks from",
  ],
  "a datagram comes from a neighbour that does not exist": [
    "on 0.0.0.0 each address replies for itself, and a missing neighbour delays no answers",
  ],
  "`lab` misbehaves on request": [
    "during any misbehaviour others are answered, and memory is bounded",
  ],
  "`serve` is stopped": [
    "one SIGTERM stops all services, and each answers the requests received",
  ],
  "its server does anything, or nothing": [
    "--timeout holds against a server that sends endless empty lines",
  ],
  "a reply has no line end": [
    "a reply of 100 MB without a line end is refused in bounded memory",
  ],
  "the reply is an error, or wrong": [
    "an error reply or an unexpected reply is ERROR and exit code 1",
  ],
  "the end of the stream cuts a reply off": [
    "an answer cut off by the end of the stream is CLOSED, a wrong answer is ERROR",
  ],
  "the server is full": ["hello-client fails at a server that is full"],
  "nothing listens, and the socket connects to itself": [
    "a socket that connects to itself is refused",
  ],
  "a name has several addresses": ["localhost tries both loopback addresses"],
  "a firewall rejects, or a route forbids": ["check finds what a router and a firewall do"],
  "a line of its input is empty, or not UTF-8": [
    "a line that servers ignore is not sent, so every answer matches its line",
    "the lines before an invalid UTF-8 line are answered",
  ],
  "its input is UTF-16, or begins with a byte order mark": [
    "stdin, targets and conversations may be in ${name}",
  ],
  "its input is large, its reader slow": [
    "100,000 commands from a pipe get 100,000 answers in order, in bounded memory",
    "a client whose reader has stalled reads ahead only a bounded amount",
  ],
  "its stdout is a non-blocking pipe": [
    "a non-blocking pipe with a slow reader loses no answer",
  ],
  "a peer sends control characters": ["data from a peer never reaches the terminal raw"],
  "an answer is an error, at a terminal": [
    "an everyday error is one line, and leaving does not repeat it",
    "a command in another notation gets a hint to type",
  ],
  "the server closes while the prompt waits": [
    "the end of the server is noticed while the prompt waits",
  ],
  "a datagram comes from elsewhere, late or twice": [
    "only the address asked may reply, and a late reply is not taken for the next",
  ],
  "the lesson's original programs are at the other end": [
    "the lesson's calculator client gets its answers, byte for byte",
    "calc-client asks the lesson's server one command at a time",
  ],
  "`check` meets one of 31 misbehaving peers": [
    "no peer on ${hostname} fools check: each gets the verdict it deserves",
  ],
  "`check` expects a block": [
    "a block without a control gets a note, and --strict makes it a failure",
    "each expectation holds for its verdicts and for no others",
    "check counts no family that this host lacks as blocked",
  ],
  "`check` has thousands of targets, or little CPU": [
    "thousands of probes are all ${verdict}, whatever waits in this process",
    "what this process was too busy to see is no statement on the target",
    "names that get no answer hold up no others of a check",
  ],
  "`check` meets a certificate that can't be trusted": [
    "each fault of a certificate is untrusted, with its reason",
  ],
  "`check` waits for a port file that never comes": [
    "--port-file waits for the file, then for the server, and follows a new port",
  ],
  "`check` or `path` is stopped by a signal": [
    'a check ${flags.join(" ")} that is stopped reports what it knows',
    "a path that is stopped while a question takes long reports the others",
  ],
  "the process that started `check` is gone": [
    "a check ends once the shell that waits for it was killed",
    "a check that ${what} outlives the shell that started it",
  ],
  "`path` runs without a forwarder": [
    'without a forwarder every question passes (${protocol}, ${hosts.join(", ")})',
  ],
  "`path` tests a forwarder that breaks one rule": [
    "path reports exactly the rules that a forwarder breaks (TCP)",
    "path reports exactly the rules that a forwarder breaks (UDP)",
  ],
  "`relay` has no descriptors left": [
    "${server.name} out of descriptors lets clients wait, and goes on",
  ],
  "`path` tests `relay`": [
    "the relay passes every question of path over ${protocol}, except for expected notes",
  ],
  "64 clients send through `relay` as fast as they can": [
    "64 bulk streams at once fit in 128 MiB",
  ],
  "a conversation file is wrong": [
    "a wrong file is told where it is wrong and what would be right",
    "a failure shows the wrong line with a caret",
  ],
  "bytes come that a conversation shows, or others, cut anywhere": [
    "any bytes, cut anywhere, are judged alike",
    "a megabyte against twenty {...} takes less than 100 ms",
    "any reply is matched in linear time, whatever it holds",
  ],
  "a client says what its conversation does not show": [
    "any input, cut anywhere, is answered or passed over",
    "a request that comes slowly is waited for",
  ],
  "`relay --record` sees programs talk": ["a recording replays unedited: ${name}"],
  "`relay --record --fresh` writes names": [
    "what is written with names always fits what was recorded, and can be read",
    "names in a recording hold for its server, but for one in a hundred by chance",
  ],
  "`relay --record` is killed": [
    "what has passed over UDP is in the file, even if the relay is killed",
  ],
  "a server of `relay` answers at one address only": [
    "50 clients at once are all served by a server that listens on ::1 alone",
  ],
  "a server of `relay` moves, or does not resolve yet": [
    "a name whose address has changed is looked up again for the client that it failed",
    'a name that does not resolve yet is looked up again (${udp ? "udp" : "tcp"})',
  ],
  "`relay --seed N` injects faults": [
    "the same seed hits the same connections, another seed hits others",
    "what is drawn for a fault depends on its own text and the connection's number",
  ],
  "a fault of `relay` cuts a connection off": [
    'all ${bytes} bytes before ${faults.join(" ")} arrive, and none after them',
  ],
  "another site, or another machine, asks for the page": [
    "a request whose Host is not the page's own is rejected with 421",
    "the page is reachable only on loopback",
  ],
  "clients send markup or control characters": ["the page works in a browser"],
  "a viewer of the page does not read": [
    "a viewer that does not read is dropped, and meanwhile the server answers others",
  ],
  "clients of the page say nothing, or too slowly": [
    "a request that is late, half sent or sent byte by byte is cut off",
    "a browser gets the page though 130 connections say nothing",
  ],
  "many clients load a long page at once": [
    "20 clients that load a page of megabytes do not hold others up",
  ],
  "netdemo is stopped while the page is viewed": [
    "viewers that do not read, and requests half sent, don't turn a stop into a failure",
    "a stop at any moment of a viewer's visit is a clean one",
  ],
  "the process of a page runs out of descriptors": [
    "a page whose process runs out of descriptors serves again once clients leave",
  ],
  "the environment tells the runtime where to serve": [
    "what the runtime's variables say does not matter to the page",
  ],
  "`--page` is not given": ["the page is loaded only when requested"],
  "`grade` examines a correct program": [
    "netdemo's own six programs pass stream, over TCP and UDP",
  ],
  "`grade` examines a program with one mistake": [
    "each mistake fails its own check and no other${wrong.missing}",
  ],
  "`grade` ends": ["nothing is left running, whatever the program does"],
  "a submission of a class hangs, forks or floods": [
    "each report of a class shows each submission as if it were alone",
    "what a submission does to the machine is named, and harms no other",
  ],
  "the grading of a class is interrupted, even by SIGKILL": [
    "an interrupted run keeps what it has, and --resume grades the others",
  ],
  "a submission kills netdemo, or writes to what is kept": [
    "a submission that kills netdemo whenever it runs is left out, and the others are graded",
    "with --run-as, a submission reaches neither netdemo nor what is kept of the others",
  ],
  "any command but `grade` starts": [
    "every command but grade gives up the permission to start programs",
  ],
  "any command prints `--json`": [
    "a line must match the event it names",
    "docs/json.md has every event with its fields and a valid example",
  ],
};
