# Commands that may hang: each has a deadline, and a limit for what it prints.
my %stuck; # commands that did not end when they were killed, such as an nvidia-smi in the kernel: NAME => process

sub start {
    my (@command) = @_;
    pipe my $output, my $input or die "no pipe: $!\n";
    my $process = fork // die "no process: $!\n";
    if (!$process) {
        POSIX::setpgid(0, 0);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $input;
        open STDERR, '>', '/dev/null' if !$ENV{metrics_debug};
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    close $input;
    return ($process, $output);
}

# end_process PROCESS, NAME, WAIT: its status, after at most WAIT seconds and a KILL; -1 if it does not end even so
sub end_process {
    my ($process, $name, $wait) = @_;
    my $deadline = now() + $wait;
    for my $attempt (1 .. 2) {
        while (1) {
            return $? if waitpid($process, POSIX::WNOHANG()) == $process;
            last if now() >= $deadline;
            select undef, undef, undef, 0.02;
        }
        kill 'KILL', -$process;
        $deadline = now() + 1;
    }
    $stuck{$name} = $process;
    return -1;
}

# read_lines SECONDS, LIMIT, TAKE, COMMAND…: TAKE gets each line, and returns false to stop. Returns the status of the command,
# 0 if it was stopped, and -1 for a command that was late or printed more than LIMIT bytes.
sub read_lines {
    my ($seconds, $limit, $take, @command) = @_;
    my $name = $command[0];
    return -1 if is_stuck($name);
    my ($process, $output) = start(@command);
    my ($deadline, $text, $read, $status) = (now() + $seconds, '', 0, undef);
    while (!defined $status) {
        my $left = $deadline - now();
        vec(my $wanted = '', fileno $output, 1) = 1;
        if ($left <= 0 || !(select($wanted, undef, undef, $left) || $!{EINTR})) { $status = -1; last }
        my $count = sysread $output, $text, 1 << 16, length $text;
        next if !defined $count && $!{EINTR};
        last if !$count;
        $read += $count;
        while (!defined $status && $text =~ s/\A([^\n]*)\n//) { $status = 0 if !$take->($1) }
        $status = -1 if $read > $limit;
    }
    $take->($text) if !defined $status && length $text;
    close $output;
    my $ended = end_process($process, $name, defined $status ? 0 : 1);
    return $status // $ended;
}

# output_of SECONDS, COMMAND…: what it printed; undef if it failed
sub output_of {
    my ($seconds, @command) = @_;
    my @lines;
    my $status = read_lines($seconds, 4 << 20, sub { push @lines, $_[0]; 1 }, @command);
    return $status == 0 ? join "\n", @lines : undef;
}

sub is_stuck {
    my ($name) = @_;
    my ($comm) = lines_of('/proc/' . ($stuck{$name} // 'none') . '/comm', 64);
    my $is = defined $comm && $comm eq substr $name =~ s{.*/}{}r, 0, 15;
    delete $stuck{$name} if !$is;
    return $is;
}

sub find_program {
    my ($name) = @_;
    return (grep { -x } map { "$_/$name" } split(/:/, $ENV{PATH}), '/usr/lib/wsl/lib')[0];
}
