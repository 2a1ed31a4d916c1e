# Takes a part from the neighbors of a host, piece by piece, from the nearest one before it in the chain. A part whose digest is
# right gets its final name. Ends with 3 if the host has to download the rest from the internet itself.
# Its environment: directory, digest, size (0 if unknown, then at most `largest` bytes), run
# Prints: `progress: BYTES` once a second, `neighbor: ADDRESS what happened`, and `from: ADDRESS BYTES` at the end
my ($directory, $digest, $announced, $run) = @ENV{qw(directory digest size run)};
my $name = "$directory/sha256-$digest";
my ($part, $list) = ("$name.part", "$name.pieces");
my ($GRACE, $LOOK, $STALL) = (5, 1, 10); # seconds until a run begins everywhere, between looks, and without a byte
my $SLOWEST = 65536; # bytes a second of the internet
my ($LIES, $ROUNDS) = (3, 3); # contradictions of one neighbor; copies of the part with a wrong digest
my @neighbors = read_neighbors($run);
my $token = read_token($run);
$_->{token} = $token for @neighbors;
my ($reported_at, $written, $looked_at, $rounds, $is_resumed) = (0, 0, now(), 0, 0);
$| = 1;

sub can_serve {
    my ($neighbor) = @_;
    return $neighbor->{state} eq 'complete' && $neighbor->{have} <= ($ENV{largest} || 0) unless $announced;
    return 1 if $neighbor->{state} =~ /^(complete|internet)$/;
    return $neighbor->{side} eq 'before' && $neighbor->{state} =~ /^(growing|wanted)$/;
}

sub ask_states { ask_state($_, $digest) for grep { is_usable($_) } @neighbors }

sub may_come { return grep { $_->{side} eq 'before' && !$_->{silent} && $_->{bad} < 2 } @neighbors }

# the nearest neighbor that has the part or fetches it; once a run, hosts that begin later get some seconds
sub find_source {
    my $end = -e "$run/waited" ? 0 : now() + $GRACE;
    while (1) {
        connect_all(grep { $_->{bad} < 2 } @neighbors);
        ask_states();
        for my $neighbor (grep { is_usable($_) } @neighbors) { return $neighbor if can_serve($neighbor) }
        last unless now() < $end && may_come();
        touch("$run/busy");
        pause(0.2);
    }
    touch("$run/waited") if may_come();
    return;
}

sub report_progress {
    return if time == $reported_at;
    $reported_at = time;
    touch("$run/busy");
    print "progress: $written\n";
}

# hosts before this one notice a stopped download first
sub rank { return scalar grep { $_->{side} eq 'before' && is_usable($_) } @neighbors }

# a neighbor that has a piece for which the source lets this host wait
sub find_faster {
    my ($source, $to) = @_;
    ask_states();
    my ($faster) = grep { is_usable($_) && $_ != $source && $_->{have} > $to } @neighbors;
    return $faster;
}

# a nearer neighbor that began later and has caught up, so that no host has to serve many
sub find_nearer {
    my ($source) = @_;
    return $source if now() - $looked_at < $LOOK;
    $looked_at = now();
    connect_all(grep { $_->{bad} < 2 } @neighbors);
    for my $neighbor (@neighbors) {
        last if $neighbor == $source;
        next unless is_usable($neighbor) && ask_state($neighbor, $digest);
        return $neighbor if can_serve($neighbor) && $neighbor->{have} >= $written;
    }
    return $source;
}

# what the answer `not yet` of a source means: the source to ask next, or nothing
sub wait_for {
    my ($source, $head, $wait, $to) = @_;
    my ($have) = $head =~ /\r\nX-Have: (\d{1,15})\r\n/;
    my ($state) = $head =~ /\r\nX-State: ([a-z]+)\r\n/;
    if (!defined $state || !defined $have || $state eq 'complete' || $have > $to) { blame($source, 2); return find_source() }
    @$source{qw(have state)} = ($have, $state);
    if (!defined $wait->{have} || $have >= $wait->{have} + $SLOWEST * $STALL) { @$wait{qw(have since)} = ($have, now()) }
    return if now() - $wait->{since} > $STALL * (rank() || 1);
    if (!can_serve($source)) {
        give_up($source, 'contradicts itself') if ++$source->{lies} > $LIES;
        return find_source();
    }
    my $lag = $TRANSFER + 1 + rank();
    return $source if now() - $wait->{begun} < ($lag > 10 ? 10 : $lag);
    return $source unless find_faster($source, $to);
    pause(0.5); # the source may be about to have it
    ask_states();
    return $source if $source->{have} > $to && ++$source->{lies} <= $LIES; # it does not send what it has
    give_up($source, 'is slower than others');
    return find_faster($source, $to) || find_source();
}

sub next_piece {
    my ($piece, $source) = @_;
    $source = find_nearer($source);
    my $wait = { since => now(), begun => now() };
    while ($source) {
        report_progress();
        my ($answer, $status) = ask_piece($source, @$piece{qw(digest from to)});
        if (!$status) { give_up($source, 'stopped answering'); $source = find_source() }
        elsif ($status == 206) {
            $source->{bytes} += length $$answer;
            my $checked = check_piece($piece, $answer, $source, @neighbors);
            return ($checked, is_usable($source) ? $source : find_source());
        }
        elsif ($status == 503) {
            $source = wait_for($source, $answer, $wait, $piece->{to});
            pause(0.05); # a relay answers this after a second, another program at once
        }
        else { blame($source, 2); $source = find_source() }
    }
    return;
}

# true when the part has its size
sub fetch_part {
    my $source = find_source() or return 0;
    my $size = $announced || $source->{have} || return 0;
    hash_new_pieces($part, $list, $size);
    my $number = () = read_pieces($list);
    $written = $number * $PIECE > $size ? $size : $number * $PIECE;
    my ($out, $pieces) = (open_to_append($part), open_to_append($list));
    truncate $out, $written;
    $is_resumed = $written;
    while ($written < $size) {
        my $to = $written + $PIECE > $size ? $size - 1 : $written + $PIECE - 1;
        (my $checked, $source) = next_piece({ digest => $digest, number => $number++, from => $written, to => $to }, $source);
        return 0 unless $checked;
        print {$out} ${ $checked->{bytes} } or die "error: cannot write $part: $!\n";
        print {$pieces} "$checked->{digest}\n";
        $written += length ${ $checked->{bytes} };
        return 0 unless $source || $written >= $size;
    }
    return close $out;
}

sub is_right {
    my $process = open2(my $from, undef, 'sha256sum', $part);
    my $line = <$from> // '';
    waitpid $process, 0;
    return $line =~ /^\\?\Q$digest\E /;
}

# who may have sent the wrong bytes: nobody, if they were here before; or senders that nobody checked; or else the lists that
# agreed with them. What these lists said about others counts no more.
sub find_guilty {
    return if $is_resumed;
    my @unchecked = grep { $_->{unchecked} } @neighbors;
    return @unchecked if @unchecked;
    my @guilty = grep { $_->{vouched} } @neighbors;
    $_->{bad} = 0 for grep { !$_->{guilty} } @neighbors;
    return @guilty;
}

# true while another copy is worth its time
sub start_over {
    for my $guilty (find_guilty()) {
        $guilty->{guilty} = 1;
        blame($guilty, 2);
    }
    delete @$_{qw(list is_short unchecked vouched)} for @neighbors;
    $_->{bytes} = 0 for @neighbors;
    $reference = undef;
    unlink $part, $list;
    pause(2); # others find the same, and remove theirs
    return ++$rounds < $ROUNDS;
}

mkdir "$run/wanted";
touch("$run/wanted/$digest");
my $complete = 0;
while (fetch_part()) {
    $complete = is_right();
    last if $complete || !start_over();
}
if ($complete) {
    system 'sync', $part; # a name promises the bytes, also after a loss of power
    rename $part, $name or die "error: cannot rename $part: $!\n";
}
report_bad(@neighbors);
print "from: $_->{address} $_->{bytes}\n" for grep { $_->{bytes} } @neighbors;
exit($complete ? 0 : 3);
