# Serves parts of artifacts to the hosts of a site over HTTP, while they still grow. Needs nothing beyond perl-base.
#   GET /have/HEX     BYTES STATE, where STATE is complete, internet, growing, wanted or unknown
#   GET /part/HEX     the bytes of a Range. A part that is too short answers 503 after a second, with X-Have and X-State
#   GET /pieces/HEX   digests of its pieces from the first byte of a Range on, one a line
# Its environment:
#   address, port: where it listens; run: directory of tokens, hosts, wanted, internet, busy and manifests
#   parts: directory of parts; rate: bytes a second, 0 for no limit
#   store: directory of blobs, or empty; owner: UID of their owner, whose files alone are served from there
#   idle: seconds without a request, and without a fetch on this host, after which the relay ends
use strict;
use warnings;
use Errno qw(EAGAIN EINTR);
use Fcntl qw(:mode O_RDONLY O_NOFOLLOW O_NONBLOCK);
use IO::Select;
use IO::Socket::IP;
use POSIX ();
use Socket qw(SOMAXCONN);

my ($run, $parts, $store, $rate, $idle) = @ENV{qw(run parts store rate idle)};
my ($LONGEST, $BLOCK, $PATIENCE, $SILENCE, $CONNECTIONS, $OF_ONE_HOST) = (16 << 20, 1 << 17, 1, 30, 256, 16);
my (%connections, %held, @tokens, %hosts);
my $tokens_read = '';
my @places = map { [$_, owner_of($_)] } $parts, "$run/manifests";
push @places, [$store, $ENV{owner}] if length $store;
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };

# seconds, in hundredths; Time::HiRes is not part of perl-base
sub now { return (POSIX::times())[0] / 100 }

my ($last_request, $busy_seen, $budget, $budget_at) = (now(), 0, 0, now());

sub lines_of {
    my ($path) = @_;
    open my $file, '<', $path or return;
    read $file, my $text, 1 << 20;
    return split /\n/, $text // '';
}

# a run that starts later adds its token to the file, and one that ends removes it: each time the file is another one
sub is_allowed {
    my ($token) = @_;
    my $version = join ' ', (stat "$run/tokens")[1, 7, 9];
    @tokens = grep { length >= 32 } lines_of("$run/tokens") if $version ne $tokens_read;
    $tokens_read = $version;
    return scalar grep { $_ eq $token } @tokens;
}

sub owner_of { return (stat $_[0])[4] // -1 }

# a link that the owner of a directory made to a file or a directory of somebody else is not served
sub open_file {
    my ($path, $owner) = @_;
    sysopen my $file, $path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK or return;
    my @stat = stat $file;
    return unless S_ISREG($stat[2]) && $stat[4] == $owner;
    return ($file, $stat[7]);
}

# a part that was growing a moment ago, and went into a directory that the relay does not see; a removed one was wrong
sub find_moved {
    my ($hex) = @_;
    my $file = ($held{$hex} || return)->[0];
    my @stat = stat $file;
    if ($stat[3]) { return ($file, $stat[7], 'complete') }
    delete $held{$hex};
    return;
}

# the file of a part, its bytes and its state
sub find_part {
    my ($hex) = @_;
    for my $place (@places) {
        my ($file, $size) = open_file("$place->[0]/sha256-$hex", $place->[1]);
        return ($file, $size, 'complete') if $file;
    }
    my ($file, $size) = open_file("$parts/sha256-$hex.part", $places[0][1]);
    $held{$hex} = [$file, now()] if $file;
    if (!$file && (my @moved = find_moved($hex))) { return @moved }
    my $state = -e "$run/internet/$hex" ? 'internet' : -e "$run/wanted/$hex" ? ($size ? 'growing' : 'wanted') : 'unknown';
    return ($file, $size // 0, $state);
}

sub answer {
    my ($c, $status, $body, @headers) = @_;
    my $length = $c->{left} || length $body;
    $c->{out} .= join "\r\n", "HTTP/1.1 $status", "Content-Length: $length", @headers, '', $body;
}

sub refuse {
    my ($c, $status) = @_;
    answer($c, $status, '', 'Connection: close');
    $c->{closing} = 1;
}

sub answer_part {
    my ($c) = @_;
    my ($hex, $from, $to) = @{ $c->{wanted} };
    my ($file, $size, $state) = find_part($hex);
    if ($file && $size > $to) {
        @$c{qw(file left wanted)} = ($file, $to - $from + 1, undef);
        sysseek $file, $from, 0;
        return answer($c, '206 Partial Content', '', "Content-Range: bytes $from-$to/*");
    }
    return if now() < $c->{until} && $state ne 'complete';
    $c->{wanted} = undef;
    answer($c, '503 Service Unavailable', '', "X-Have: $size", "X-State: $state");
}

sub answer_pieces {
    my ($c, $hex, $from) = @_;
    my ($file, $size) = open_file("$parts/sha256-$hex.pieces", $places[0][1]);
    return answer($c, '404 Not Found', '') unless $file && $from < $size;
    sysseek $file, $from, 0;
    sysread $file, my $text, 1 << 16;
    answer($c, '206 Partial Content', $text);
}

sub handle_request {
    my ($c, $head) = @_;
    my ($kind, $hex) = $head =~ m{\AGET /(have|part|pieces)/([0-9a-f]{64}) HTTP/1\.1\r\n} or return refuse($c, '400 Bad Request');
    my ($token) = $head =~ /\r\nAuthorization: Bearer ([\x21-\x7e]+)\r\n/i;
    return refuse($c, '403 Forbidden') unless defined $token && is_allowed($token);
    $last_request = now();
    my ($from, $to) = $head =~ /\r\nRange: bytes=(\d{1,15})-(\d{0,15})\r\n/i;
    if ($kind eq 'have') {
        my (undef, $size, $state) = find_part($hex);
        return answer($c, '200 OK', "$size $state\n");
    }
    return answer_pieces($c, $hex, $from // 0) if $kind eq 'pieces';
    return refuse($c, '416 Range Not Satisfiable')
        unless defined $to && length $to && $to >= $from && $to - $from < $LONGEST;
    @$c{qw(wanted until)} = ([$hex, $from, $to], now() + $PATIENCE);
    answer_part($c);
}

sub read_from {
    my ($c) = @_;
    my $count = sysread $c->{socket}, $c->{in}, 4096, length $c->{in};
    return 0 if defined $count && $count == 0;
    return $!{EAGAIN} || $!{EINTR} unless defined $count;
    $c->{active} = now();
    return length $c->{in} <= 8192;
}

sub next_request {
    my ($c) = @_;
    return if $c->{wanted} || $c->{left} || length $c->{out} || $c->{closing};
    handle_request($c, $1) if $c->{in} =~ s/\A(.*?\r\n)\r\n//s;
}

# sends what is ready; false if the connection is over
sub write_to {
    my ($c) = @_;
    if (!length $c->{out} && $c->{left}) {
        my $count = sysread $c->{file}, $c->{out}, $c->{left} < $BLOCK ? $c->{left} : $BLOCK;
        return 0 unless $count;
        $c->{left} -= $count;
        $c->{file} = undef unless $c->{left};
    }
    my $most = $rate && $budget < length $c->{out} ? int $budget : length $c->{out};
    my $count = syswrite $c->{socket}, $c->{out}, $most;
    return $!{EAGAIN} || $!{EINTR} unless defined $count;
    substr $c->{out}, 0, $count, '';
    $budget -= $count;
    $c->{active} = now();
    return !($c->{closing} && !length $c->{out});
}

sub refill_budget {
    my $at = now();
    $budget += $rate * ($at - $budget_at);
    $budget = $rate / 5 if $budget > $rate / 5;
    $budget_at = $at;
}

sub is_idle {
    my $busy = (stat "$run/busy")[9] // 0;
    ($busy_seen, $last_request) = ($busy, now()) if $busy != $busy_seen;
    return now() - $last_request > $idle;
}

sub accept_connection {
    my ($listener) = @_;
    my $socket = $listener->accept or return;
    return if keys %connections >= $CONNECTIONS;
    my $host = $socket->peerhost // return;
    %hosts = map { $_ => 1 } lines_of("$run/hosts") unless $hosts{$host};
    return unless $hosts{$host} && $OF_ONE_HOST > grep { $_->{host} eq $host } values %connections;
    $socket->blocking(0);
    $connections{ fileno $socket } = { socket => $socket, host => $host, in => '', out => '', left => 0, active => now() };
}

sub serve_connections {
    my ($listener) = @_;
    refill_budget() if $rate;
    delete @held{ grep { now() - $held{$_}[1] > $idle } keys %held };
    my @all = values %connections;
    my @writers = $rate && $budget < 1024 ? () : grep { length $_->{out} || $_->{left} } @all;
    my $hurry = grep { $_->{wanted} || length $_->{out} || $_->{left} } @all;
    my ($readable, $writable) = IO::Select::select(
        IO::Select->new($listener, map { $_->{socket} } @all), IO::Select->new(map { $_->{socket} } @writers),
        undef, $hurry ? 0.02 : 1);
    my %over;
    for my $socket (@{ $readable || [] }) {
        if ($socket == $listener) { accept_connection($listener); next }
        $over{ fileno $socket } = 1 unless read_from($connections{ fileno $socket });
    }
    for my $socket (@{ $writable || [] }) {
        $over{ fileno $socket } = 1 unless write_to($connections{ fileno $socket });
    }
    for my $number (keys %connections) {
        my $c = $connections{$number};
        next_request($c);
        answer_part($c) if $c->{wanted};
        delete $connections{$number} if $over{$number} || now() - $c->{active} > $SILENCE;
    }
}

my $listener = IO::Socket::IP->new(
    LocalAddr => $ENV{address}, LocalPort => $ENV{port}, Listen => SOMAXCONN, ReuseAddr => 1, Proto => 'tcp')
    or die "error: cannot listen on port $ENV{port} of $ENV{address}: $@\n";
$listener->blocking(0);
serve_connections($listener) until is_idle();
