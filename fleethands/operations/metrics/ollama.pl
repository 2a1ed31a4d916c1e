# Ollama: whether it answers, its version, its models, and which of them are loaded.
my ($running, %present, %loaded) = (''); # version; models by lower-case names

sub ask_ollama {
    my ($url, $path) = @_;
    return parse_json(output_of(8, find_program('curl') // 'curl', qw(-q --silent --fail --noproxy * --max-time 5), "$url$path"));
}

sub collect_ollama {
    my ($declared) = @_;
    my $url = $declared->{ollama_url}[0] // return 0;
    my $answer = ask_ollama($url, '/api/version');
    $running = ref $answer eq 'HASH' ? text_of($answer->{version}) : '';
    add('fleethands_ollama_up', $running ne '' ? 1 : 0);
    add('fleethands_ollama_info', 1, declared => $declared->{ollama_version}[0] // '', running => $running);
    return 1 if $running eq '';
    my ($tags, $ps) = (ask_ollama($url, '/api/tags'), ask_ollama($url, '/api/ps'));
    return 0 if !$tags || !$ps;
    $present{lc text_of($_->{name})} = $_ for rows($tags, 'models');
    $loaded{lc text_of($_->{name})} = $_ for rows($ps, 'models');
    add_models($declared);
    return 1;
}

sub add_models {
    my ($declared) = @_;
    my %names = map { lc $_->[0] => $_->[0] } map { [split / /] } @{$declared->{model} // []};
    $names{$_} //= text_of($present{$_}{name}) for keys %present;
    for my $key (sort keys %names) {
        my @model = (model => $names{$key});
        my ($stored, $held) = ($present{$key}, $loaded{$key});
        add('fleethands_model_present', $stored ? 1 : 0, @model);
        next if !$stored;
        add('fleethands_model_size_bytes', text_of($stored->{size}), @model);
        add('fleethands_model_loaded', $held ? 1 : 0, @model);
        add('fleethands_model_memory_bytes', $held ? text_of($held->{size}) : 0, @model);
        add('fleethands_model_vram_bytes', $held ? text_of($held->{size_vram}) || 0 : 0, @model);
    }
}

# how many things differ from what the last apply left; of each kind only if it is known
sub collect_drift {
    my ($declared) = @_;
    my $version = $declared->{ollama_version}[0];
    add('fleethands_drift', $version eq $running ? 0 : 1, kind => 'version') if defined $version && $running ne '';
    add('fleethands_drift', count_other_models($declared), kind => 'models') if %present || $running ne '';
    my $files = count_other_files($declared);
    add('fleethands_drift', $files, kind => 'files') if defined $files;
    return defined $files;
}

sub count_other_models {
    my ($declared) = @_;
    my $count = 0;
    for (@{$declared->{model} // []}) {
        my ($name, $digest) = split / /;
        my $stored = $present{lc $name};
        $count++ if !$stored || (length($digest // '') && text_of($stored->{digest}) ne $digest);
    }
    return $count;
}

sub count_other_files {
    my ($declared) = @_;
    my %wanted = map { /\A([0-9a-f]{64})  (.+)/ ? ($2 => $1) : () } lines_of($declared->{sums}[0] // return);
    return 0 if !%wanted;
    my %found;
    read_lines(10, 1 << 20, sub { $found{$2} = $1 if $_[0] =~ /\A([0-9a-f]{64}) [ *](.*)/; 1 }, 'sha256sum', '--', sort keys %wanted)
        >= 0 or return;
    return scalar grep { ($found{$_} // '') ne $wanted{$_} } keys %wanted;
}
