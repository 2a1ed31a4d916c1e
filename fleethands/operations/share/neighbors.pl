# Neighbors and the requests to their relays. Behind pieces.pl, in front of ask_neighbors.pl.
#   run/neighbors: a line `token TOKEN`, and `before ADDRESS PORT` or `after ADDRESS PORT` for each, the nearest first
#   run/silent: a directory with a file for each neighbor that did not answer, which is not asked again
use Errno qw(EINPROGRESS ECONNREFUSED);
use IO::Select;
use IO::Socket::IP;
use Socket qw(SOL_SOCKET SO_ERROR);

my ($CONNECT, $ANSWER, $TRANSFER, $FRESH) = (3, 3, 5, 20); # seconds: to connect, to begin an answer, to send one piece;
# and without a request, after which a new connection is made before the relay ends the old one
my ($SLOW, $WASTE) = (1, 10); # seconds that a short answer may take; of all those together that took longer

sub read_neighbors {
    my ($run) = @_;
    open my $file, '<', "$run/neighbors" or return;
    my @neighbors;
    while (<$file>) {
        next unless /^(before|after) ([0-9a-fA-F.:]{2,45}) (\d{1,5})$/;
        push @neighbors, { side => $1, address => $2, port => $3, bad => 0, bytes => 0, state => 'unknown', have => 0 };
        $neighbors[-1]{silent} = 1 if -e "$run/silent/$2";
    }
    return @neighbors;
}

sub read_token {
    my ($run) = @_;
    open my $file, '<', "$run/neighbors" or return '';
    my ($token) = map { /^token ([\x21-\x7e]+)$/ } <$file>;
    return $token // '';
}

sub forget_connection { delete @{ $_[0] }{qw(socket buffer)} }

sub give_up {
    my ($neighbor, $why) = @_;
    forget_connection($neighbor);
    $neighbor->{silent} = 1;
    mkdir "$ENV{run}/silent";
    touch("$ENV{run}/silent/$neighbor->{address}");
    print "neighbor: $neighbor->{address} $why\n";
}

# connects to all neighbors at once. A refused connection is tried again later: the relay may not run yet.
sub connect_all {
    my @open = grep { !$_->{socket} && !$_->{silent} } @_;
    my %by_number;
    for my $neighbor (@open) {
        my $socket = IO::Socket::IP->new(PeerHost => $neighbor->{address}, PeerPort => $neighbor->{port}, Proto => 'tcp', Blocking => 0);
        if (!$socket) { $neighbor->{refused} = 1; next }
        $neighbor->{refused} = 0;
        $by_number{ fileno $socket } = [$neighbor, $socket];
    }
    my $end = now() + $CONNECT;
    while (%by_number && now() < $end) {
        my $waiting = IO::Select->new(map { $_->[1] } values %by_number);
        for my $socket ($waiting->can_write($end - now())) {
            my ($neighbor) = @{ delete $by_number{ fileno $socket } };
            my $error = $socket->getsockopt(SOL_SOCKET, SO_ERROR);
            if (!$error) { @$neighbor{qw(socket buffer)} = ($socket, '') }
            elsif ($error == ECONNREFUSED) { $neighbor->{refused} = 1 }
            else { give_up($neighbor, 'cannot be reached') }
        }
    }
    give_up($_->[0], 'does not answer') for values %by_number;
}

# reads until the buffer has `length` bytes, or the end of the headers; false if that takes longer than it may
sub fill_buffer {
    my ($neighbor, $length, $end) = @_;
    my $ready = IO::Select->new($neighbor->{socket});
    until (defined $length ? length $neighbor->{buffer} >= $length : $neighbor->{buffer} =~ /\r\n\r\n/) {
        return 0 if !defined $length && length $neighbor->{buffer} > 8192;
        my $left = $end - now();
        return 0 unless $left > 0 && $ready->can_read($left);
        my $count = sysread $neighbor->{socket}, $neighbor->{buffer}, 1 << 18, length $neighbor->{buffer};
        return 0 unless $count || (!defined $count && ($!{EAGAIN} || $!{EINTR}));
    }
    return 1;
}

# whether a neighbor that answers slowly, and never too slowly for one answer, has cost this host too much time
sub has_wasted {
    my ($neighbor, $kind, $since) = @_;
    my $took = now() - $since;
    $neighbor->{$kind} += $took if $took > $SLOW;
    return ($neighbor->{$kind} // 0) > $WASTE;
}

# request(NEIGHBOR, PATH, FROM, TO, LONGEST): status, headers and body; nothing if the neighbor failed
sub request {
    my ($neighbor, $path, $from, $to, $longest) = @_;
    if ($neighbor->{socket} && now() - ($neighbor->{used} // now()) > $FRESH) {
        forget_connection($neighbor);
        connect_all($neighbor);
    }
    $neighbor->{socket} or return;
    $neighbor->{used} = now();
    my $range = defined $from ? "Range: bytes=$from-$to\r\n" : '';
    my $text = "GET $path HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer $neighbor->{token}\r\n$range\r\n";
    my $sent = syswrite $neighbor->{socket}, $text;
    return unless $sent && $sent == length $text && fill_buffer($neighbor, undef, now() + $ANSWER);
    $neighbor->{buffer} =~ s/\A(.*?\r\n)\r\n//s;
    my $head = $1;
    my ($status) = $head =~ m{\AHTTP/1\.1 (\d{3}) } or return;
    my ($length) = $head =~ /\r\nContent-Length: (\d{1,9})\r\n/ or return;
    return unless $length <= $longest && fill_buffer($neighbor, $length, now() + $TRANSFER);
    return if $longest < $PIECE && has_wasted($neighbor, 'late', $neighbor->{used});
    return ($status, $head, substr $neighbor->{buffer}, 0, $length, '');
}

# asks a neighbor how much of the part it has
sub ask_state {
    my ($neighbor, $digest) = @_;
    my ($status, undef, $body) = request($neighbor, "/have/$digest", undef, undef, 100);
    return give_up($neighbor, 'stopped answering') unless $status;
    return give_up($neighbor, 'refuses this host') unless $status == 200 && $body =~ /^(\d{1,15}) ([a-z]+)$/;
    @$neighbor{qw(have state)} = ($1, $2);
    return 1;
}
