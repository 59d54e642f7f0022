# A calculator server for the lesson's clients: no line ends, a process for each client.
use strict;
use warnings;
use IO::Socket::INET;
use Math::BigInt;

$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'IGNORE';

sub answer {
    my @words = split ' ', shift;
    return "Error: expected O1 O2 OP" unless @words == 3;
    my ($o1, $o2, $operator) = @words;
    return "Error: not an integer" unless $o1 =~ /^[+-]?\d+$/ && $o2 =~ /^[+-]?\d+$/;
    my ($a, $b) = (Math::BigInt->new($o1), Math::BigInt->new($o2));
    return "Sum of $o1 and $o2 is " . ($a + $b) if $operator eq '+';
    return "Diff of $o1 and $o2 is " . ($a - $b) if $operator eq '-';
    return "Product of $o1 and $o2 is " . ($a * $b) if $operator eq '*';
    return "Error: unknown operator" unless $operator eq '/';
    return "Error: division by zero" if $b == 0;
    return "Div of $o1 and $o2 is " . ($o1 / $o2);
}

my $server = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1',
    LocalPort => $ARGV[0],
    Listen    => 5,
    ReuseAddr => 1,
) or die "cannot listen: $!";

while (1) {
    my $client = $server->accept() or next;
    if (fork() == 0) {
        close $server;
        while (sysread($client, my $request, 1024)) {
            syswrite($client, answer($request)) or last;
        }
        exit 0;
    }
    close $client;
}
