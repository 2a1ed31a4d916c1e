# What is declared: lines `KEY VALUE`, which the last apply wrote.
sub read_declared {
    my %declared;
    for (lines_of($ENV{declared})) { push @{$declared{$1}}, $2 if /\A([a-z_]+) (.+)/ }
    return \%declared;
}

sub collect {
    my $declared = read_declared();
    my $state = "$ENV{STATE_DIRECTORY}/counts";
    read_state($state);
    add('fleethands_metrics_time_seconds', time);
    add('fleethands_info', 1, version => $declared->{fleethands}[0] // '');
    part('ollama', sub { collect_ollama($declared) });
    part('drift', sub { collect_drift($declared) });
    part('disk', sub { collect_disk($declared) });
    part('gpu', sub { collect_gpus($declared) });
    part('connections', sub { collect_connections($declared) });
    part('proof', sub { collect_proof($declared) });
    if ($declared->{gateway_address}) {
        part('certificate', sub { collect_certificate($declared) });
        part('gateway_log', sub { collect_gateway() });
    }
    write_file("$ENV{STATE_DIRECTORY}/fleethands.prom", all_samples());
    write_state($state); # after the metrics: whatever happens in between, the next run has counts that are not lower
}

read_families();
eval { collect(); 1 } or die "<3>error: $@";
