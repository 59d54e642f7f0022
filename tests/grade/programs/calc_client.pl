# A calculator client that sends lines.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{ALRM} = sub { die "no reply within 3 s\n" };
alarm 3;
my $command = <STDIN>;
my $client = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ARGV[0])
    or die "cannot connect: $!\n";
$client->autoflush(1);
print $client $command;
my $reply = <$client>;
die "the server closed without a reply: $!\n" unless defined $reply;
print $reply;
exit($reply =~ /^Error: / ? 1 : 0);
