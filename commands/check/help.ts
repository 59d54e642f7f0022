/** What check's help says. */
export const about = `Asks each TARGET a question that only a live server can answer, says in which
phase it ended, and compares that with what is expected.
TARGET   [tcp://|udp://]HOST:PORT[/SERVICE] or unix:PATH; :4040 is this host
SERVICE  calc (asked where none is named): two random numbers of 64 bits;
         lab: a random word; message, hello: they are there, no more is proved;
         open: any TCP port, the handshake alone
EXPECT   ok (the default), one of the verdicts below, or blocked, which is
         refused, dropped or unreachable (over UDP silent, too)

verdict      exit  what it proves
ok           0     a live service answered a fresh question
open         0     the handshake was completed (service open); nothing more
slow         1     ok, but later than --slower-than
wrong        1     the way is open; something else answers, or wrongly
closed       14    accepted, then ended before the reply was whole
reset        13    accepted, then reset
silent       124   accepted, then no reply; over UDP no reply at all
refused      11    something said no: no listener, or a rejecting firewall
unreachable  12    a router or this host said no; the reason is shown
dropped      124   no answer: a firewall that drops, or a host that is off
dns          10    no such name, or no answer from the name server
error        1     the probe could not be made; never as expected

Each address of a name is a row. A target is as expected if one address is, with
a note on the others; --strict wants each. What one address lets through is not
blocked, whatever the others do. Exit 0 if all targets are as expected, else the
code of the first that is not, or 1 where that is 0.

Nothing distinguishes a firewall that drops from a host that is off, so check something
that answers at the same address along with what is blocked: without it a block
gets a note, and with --strict it fails.

Linux repeats a connection request after 1s, and knows after 3s that a host on
its own network is off: under 3.1s such a host looks dropped, and under 1.1s so
does what an IPv6 firewall rejects.

256 probes are made at once; those that wait for an answer let others go ahead.

A duration D is 250ms, 5s or 2m; a bare number is seconds.`;

export const examples: readonly string[] = [
  "netdemo check localhost:4040",
  "netdemo check web:4040 udp://web:4040 dropped=web:5432 web:22/open",
  "netdemo check localhost:4040 --for 30s",
  "netdemo check localhost:4040 --count 100 --every 10ms",
  "netdemo check web:4040 --sizes 100..9000 --timeout 1s",
  "netdemo check cache:6379 --send 'ECHO {nonce}' --reply '$16\\n{nonce}'",
  "netdemo check --targets targets.txt --junit report.xml",
];
