# Checks a piece of one neighbor by the list of another one. Behind neighbors.pl, in front of ask_neighbors.pl.
# The list of a neighbor can be wrong, too. Where list and bytes differ, more copies decide. A neighbor whose list agreed with
# bytes that were written `vouched` for them; nobody vouched for those of a neighbor that is `unchecked`.
my $LIST_WAIT = 5; # seconds; whoever downloads from the internet hashes a piece soon after it came
my $reference;

sub is_usable { return $_[0]{socket} && !$_[0]{silent} && $_[0]{bad} < 2 }

# the digest that a neighbor lists for a piece
sub listed_digest {
    my ($neighbor, $number, $digest) = @_;
    my $list = $neighbor->{list} ||= [];
    my ($begun, $end) = (now(), now() + $LIST_WAIT);
    while (@$list <= $number) {
        my ($status, undef, $text) = request($neighbor, "/pieces/$digest", 65 * @$list, '', 1 << 16);
        return give_up($neighbor, 'stopped answering') unless $status;
        push @$list, $1 while ($text // '') =~ /\G([0-9a-f]{64})\n/g;
        last if @$list > $number || $neighbor->{is_short} || ($status != 206 && !@$list && !is_downloading($neighbor));
        $neighbor->{is_short} = now() > $end; # it is not waited for again
        pause(0.05) if $status != 206;
    }
    $neighbor->{is_short} ||= has_wasted($neighbor, 'lag', $begun);
    return $list->[$number];
}

sub is_downloading { return $_[0]{state} eq 'internet' }

# whoever downloads from the internet knows best; without it, the neighbor that is farthest up the chain
sub find_reference {
    my ($source, @neighbors) = @_;
    return $reference if $reference && $reference != $source && is_usable($reference);
    my @others = grep { is_usable($_) && $_ != $source && $_->{state} ne 'unknown' } @neighbors;
    ($reference) = ((grep { is_downloading($_) } @others), reverse grep { $_->{side} eq 'before' } @others);
    return $reference;
}

sub ask_piece {
    my ($neighbor, $digest, $from, $to) = @_;
    my ($status, $head, $body) = request($neighbor, "/part/$digest", $from, $to, $PIECE);
    return (undef, 0) unless $status;
    return ($head, $status) if $status != 206;
    return length $body == $to - $from + 1 ? (\$body, $status) : (undef, 0);
}

sub blame {
    my ($neighbor, $strikes) = @_;
    $neighbor->{bad} += $strikes;
}

# neighbors that are not asked for other parts either
sub report_bad { give_up($_, 'sent wrong bytes') for grep { $_->{bad} >= 2 } @_ }

# the bytes of a piece about which neighbors differ
sub settle_piece {
    my ($piece, $sent, $source, $listed, $witness, @neighbors) = @_;
    my %bytes_of = ($sent->{digest} => $sent->{bytes});
    my %senders = ($sent->{digest} => [$source]);
    my @others = grep { is_usable($_) && $_ != $source && ($_ == $witness || $_->{have} > $piece->{to}) } @neighbors;
    for my $other ($#others > 3 ? @others[0 .. 3] : @others) {
        my ($copy) = ask_piece($other, @$piece{qw(digest from to)});
        next unless ref $copy;
        my $digest = digest_of($copy);
        push @{ $senders{$digest} }, $other;
        $bytes_of{$digest} = $copy;
    }
    my ($truth) = sort { @{ $senders{$b} } <=> @{ $senders{$a} } || ($b eq $listed) <=> ($a eq $listed) } keys %senders;
    blame($source, 1) if $sent->{digest} ne $truth;
    blame($witness, 2) if $listed ne $truth;
    $_->{unchecked} = 1 for $listed eq $truth ? () : @{ $senders{$truth} };
    $witness->{vouched} = 1 if $listed eq $truth;
    return { bytes => $bytes_of{$truth}, digest => $truth };
}

# what to write for a piece that a neighbor sent: its bytes and their digest
sub check_piece {
    my ($piece, $bytes, $source, @neighbors) = @_;
    my $sent = { bytes => $bytes, digest => digest_of($bytes) };
    my $witness = find_reference($source, @neighbors);
    my $listed = $witness && listed_digest($witness, @$piece{qw(number digest)});
    if (!defined $listed) { $source->{unchecked} = 1; return $sent }
    if ($sent->{digest} eq $listed) { $witness->{vouched} = 1; return $sent }
    return settle_piece($piece, $sent, $source, $listed, $witness, @neighbors);
}
