# The machine: GPUs, the disk of the models, connections, the last proof.
sub collect_gpus {
    my ($declared) = @_;
    my $program = find_program('nvidia-smi');
    return ($declared->{gpu}[0] // '') ne 'yes' if !$program;
    my $fields = 'index,name,driver_version,memory.total,memory.used,temperature.gpu,utilization.gpu';
    my $text = output_of(10, $program, "--query-gpu=$fields", '--format=csv,noheader,nounits') // return 0;
    for my $line (split /\n/, $text) {
        my ($index, $name, $driver, $total, $used, $temperature, $busy) = split /\s*,\s*/, $line;
        next if !defined $index || $index !~ /\A[0-9]{1,3}\z/;
        my @gpu = (gpu => $index);
        add('fleethands_gpu_info', 1, @gpu, name => $name // '', driver => $driver // '');
        add('fleethands_gpu_memory_total_bytes', $total * (1 << 20), @gpu) if defined number($total);
        add('fleethands_gpu_memory_used_bytes', $used * (1 << 20), @gpu) if defined number($used);
        add('fleethands_gpu_temperature_celsius', $temperature, @gpu);
        add('fleethands_gpu_utilization_ratio', $busy / 100, @gpu) if defined number($busy);
    }
    return 1;
}

sub collect_disk {
    my ($declared) = @_;
    my $place = $declared->{models_dir}[0] // return 1;
    my $text = output_of(5, 'df', '--block-size=1', '--output=size,avail', '--', $place) // return 0;
    $text =~ /\n\s*([0-9]+)\s+([0-9]+)\s*\z/ or return 0;
    add('fleethands_models_disk_size_bytes', $1);
    add('fleethands_models_disk_free_bytes', $2);
    return 1;
}

# connections to PORT of this host
sub count_connections {
    my ($port) = @_;
    my ($count, $hex) = (0, sprintf ':%04X', $port);
    for my $table ('/proc/net/tcp', '/proc/net/tcp6') {
        open my $file, '<', $table or next;
        while (<$file>) { $count++ if /\A\s*[0-9]+: [0-9A-F]+\Q$hex\E [0-9A-F:]+ 01 / }
    }
    return $count;
}

sub collect_connections {
    my ($declared) = @_;
    for my $service (grep { $declared->{"${_}_port"} } qw(ollama gateway)) {
        add("fleethands_${service}_connections", count_connections($declared->{"${service}_port"}[0]));
    }
    return 1;
}

my %MONTHS = do { my $n = 0; map { $_ => $n++ } qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec) };

# the certificate that clients see
sub collect_certificate {
    my ($declared) = @_;
    my $address = $declared->{gateway_address}[0];
    my $shown = output_of(8, 'openssl', 's_client', '-connect', $address) // '';
    my ($pem) = $shown =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----)/s;
    add('fleethands_gateway_up', $pem ? 1 : 0);
    return 1 if !$pem;
    write_file("$ENV{STATE_DIRECTORY}/certificate", "$pem\n");
    my $said = output_of(5, 'openssl', 'x509', '-noout', '-enddate', '-in', "$ENV{STATE_DIRECTORY}/certificate") // return 0;
    $said =~ /=(\w{3}) +(\d+) (\d\d):(\d\d):(\d\d) (\d{4}) GMT/ or return 0;
    return 0 if !defined $MONTHS{$1};
    add('fleethands_gateway_certificate_end_seconds', POSIX::mktime($5, $4, $3, $2, $MONTHS{$1}, $6 - 1900));
    return 1;
}

sub collect_proof {
    my ($declared) = @_;
    my $path = $declared->{proof}[0] // return 1;
    return 1 if !-f $path; # no proof was made, or something changed since
    for my $line (lines_of($path)) {
        my ($link, $verdict, $took, undef, undef, $speed) = split /\t/, $line;
        return 0 if !defined $took || $verdict !~ /\A(?:ok|broken)\z/;
        add('fleethands_proof_ok', $verdict eq 'ok' ? 1 : 0, link => $link);
        add('fleethands_proof_link_seconds', $took / 1000, link => $link) if $took =~ /\A[0-9]{1,9}\z/;
        my $measured = parse_json($speed);
        next if ref $measured ne 'HASH';
        my @model = (model => text_of($measured->{model}));
        add('fleethands_proof_tokens_per_second', $measured->{tokens_per_second}, @model);
        add('fleethands_proof_first_token_seconds', $measured->{first_token_seconds}, @model);
    }
    add('fleethands_proof_time_seconds', (stat $path)[9]);
    return 1;
}
