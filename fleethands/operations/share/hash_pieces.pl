# Hashes the pieces of a part that arrives from the internet, so that neighbors can check what they pass on. Ends with the
# process that downloads it.
# Its environment: directory, digest, size (0 if it is not known), run, process
sub watch_download {
    my ($directory, $digest, $size, $run, $process) = @ENV{qw(directory digest size run process)};
    my $name = "$directory/sha256-$digest";
    while (-d $run) {
        my $alive = kill 0, $process;
        touch("$run/busy");
        if (-e $name) { # it is complete, and its last pieces may not be hashed
            hash_new_pieces($name, "$name.pieces", -s $name);
            return;
        }
        hash_new_pieces("$name.part", "$name.pieces", $size);
        return if !$alive;
        pause(0.05);
    }
}

watch_download();
