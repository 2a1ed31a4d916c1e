# The gateway's log: counts its requests by client, model and status. The counts and the position in the journal are stored in one
# file, so that each request counts once. Only lines of the gateway's unit count: any account can write lines with its name.
my ($MOST_LINES, $MOST_ROWS, $MOST_MODELS) = (50000, 500, 100);
my @SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 180, 300, 600);
my @FIRST_BYTE = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600);
my $ANSWERS = qr{\A/(?:api/(?:generate|chat)|v1/(?:chat/completions|completions|responses|messages))\z};
my (%requests, %bytes, %histograms, %models, $cursor, $since); # keys of the first three: labels with tabs between them

sub read_state {
    my ($path) = @_;
    for (lines_of($path, 4 << 20)) {
        my ($kind, @fields) = split /\t/, $_, -1;
        if ($kind eq 'cursor') { $cursor = $fields[0] }
        elsif ($kind eq 'since') { $since = $fields[0] }
        elsif ($kind eq 'stuck' && @fields == 2) { $stuck{$fields[0]} = $fields[1] if $fields[1] =~ /\A[0-9]{1,9}\z/ }
        elsif ($kind eq 'requests' && @fields == 4) { $requests{join "\t", @fields[0 .. 2]} = $fields[3]; $models{lc $fields[1]} = $fields[1] }
        elsif ($kind eq 'bytes' && @fields == 3) { $bytes{join "\t", @fields[0, 1]} = $fields[2] }
        elsif ($kind eq 'histogram' && @fields == 5 + @SECONDS) { $histograms{join "\t", @fields[0 .. 2]} = [@fields[3 .. $#fields]] }
    }
}

sub write_state {
    my ($path) = @_;
    my @lines = map { "requests\t$_\t$requests{$_}" } sort keys %requests;
    push @lines, map { "bytes\t$_\t$bytes{$_}" } sort keys %bytes;
    push @lines, map { join "\t", 'histogram', $_, @{$histograms{$_}} } sort keys %histograms;
    push @lines, map { "stuck\t$_\t$stuck{$_}" } sort keys %stuck;
    push @lines, "since\t$since" if defined $since;
    push @lines, "cursor\t$cursor" if defined $cursor;
    write_file($path, join '', map { "$_\n" } @lines);
}

sub collect_gateway {
    my @from = defined $cursor && $cursor =~ /\A[A-Za-z0-9=;_-]{1,500}\z/ ? "--after-cursor=$cursor" : ();
    $since //= time;
    @from = '--since=@' . ($since =~ /\A[0-9]{1,12}\z/ ? $since : time) if !@from;
    my ($begun, $lines, $entry, $message) = (time, 0, undef, undef);
    my $take = sub {
        my ($line) = @_;
        if ($line =~ /\A__CURSOR=(.*)/) { $entry = $1 }
        elsif ($line =~ /\AMESSAGE=(\{.*)/) { $message = $1 }
        elsif ($line eq '' && defined $entry) {
            count_request($message) if defined $message;
            ($cursor, $entry, $message) = ($entry, undef, undef);
            return ++$lines < $MOST_LINES;
        }
        return 1;
    };
    my $status = read_lines(15, 256 << 20, $take, qw(journalctl --quiet --no-pager --output=export --output-fields=MESSAGE), @from,
        '_SYSTEMD_UNIT=fleethands-gateway.service', 'SYSLOG_IDENTIFIER=fleethands_gateway');
    undef $cursor if $status != 0 && !$lines; # the journal may have lost that position
    $since = $begun if $status == 0;
    add_gateway();
    return $status == 0;
}

sub count_request {
    my $line = parse_json($_[0]);
    return if ref $line ne 'HASH';
    my $client = text_of($line->{client}) =~ /\A([a-z][a-z0-9_-]{0,31})\z/ ? $1 : '';
    my $status = text_of($line->{status}) =~ /\A([1-5][0-9]{2})\z/ ? $1 : 'other';
    my $model = model_of(text_of($line->{model}));
    $client = $model = 'other' if keys %requests >= $MOST_ROWS && !exists $requests{"$client\t$model\t$status"};
    my $who = "$client\t$model";
    $requests{"$who\t$status"}++;
    $bytes{$who} += $line->{bytes} if text_of($line->{bytes}) =~ /\A[0-9]{1,15}\z/;
    return if $status ne '200' || text_of($line->{method}) ne 'POST' || text_of($line->{path}) !~ $ANSWERS;
    observe("answer\t$who", $line->{seconds}, \@SECONDS);
    observe("first_byte\t$who", together(text_of($line->{first_byte})), \@FIRST_BYTE);
}

# the seconds of a request that was tried at several hosts, one after the other: `0.001, 0.250`, or `-` where none answered
sub together {
    my ($text) = @_;
    my $sum = 0;
    my @tries = grep { $_ ne '-' } split /, /, $text;
    for my $seconds (@tries) {
        return '' if !defined number($seconds);
        $sum += $seconds;
    }
    return @tries ? $sum : '';
}

# a client can send any name: only models that this host has, or had, get a row of their own
sub model_of {
    my ($name) = @_;
    return '' if $name eq '';
    $name .= ':latest' if $name !~ m{:[^/]*\z};
    my $known = $models{lc $name} // ($present{lc $name} ? text_of($present{lc $name}{name}) : undef);
    return 'other' if !defined $known || $known =~ /[\t\n]/;
    return 'other' if !exists $models{lc $name} && keys %models >= $MOST_MODELS;
    return $models{lc $name} = $known;
}

# a row of a histogram: sum, count, and the observations of each bucket alone
sub observe {
    my ($key, $value, $buckets) = @_;
    return if !defined number(text_of($value)) || $value < 0;
    my $row = $histograms{$key} //= [(0) x (2 + @$buckets)];
    $row->[0] += $value;
    $row->[1]++;
    my ($index) = grep { $value <= $buckets->[$_] } 0 .. $#$buckets;
    $row->[2 + $index]++ if defined $index;
}

sub add_gateway {
    for my $key (sort keys %requests) {
        my ($client, $model, $status) = split /\t/, $key, -1;
        add('fleethands_gateway_requests_total', $requests{$key}, client => $client, model => $model, status => $status);
    }
    for my $key (sort keys %bytes) {
        my ($client, $model) = split /\t/, $key, -1;
        add('fleethands_gateway_sent_bytes_total', $bytes{$key}, client => $client, model => $model);
    }
    add_histogram($_) for sort keys %histograms;
}

sub add_histogram {
    my ($key) = @_;
    my ($kind, $client, $model) = split /\t/, $key, -1;
    my ($sum, $count, @counts) = @{$histograms{$key}};
    my @buckets = $kind eq 'answer' ? @SECONDS : @FIRST_BYTE;
    my ($name, $below, @who) = ("fleethands_gateway_${kind}_seconds", 0, client => $client, model => $model);
    for my $index (0 .. $#buckets) {
        $below += $counts[$index];
        add("${name}_bucket", $below, @who, le => $buckets[$index]);
    }
    add("${name}_bucket", $count, @who, le => '+Inf');
    add("${name}_sum", $sum, @who);
    add("${name}_count", $count, @who);
}
