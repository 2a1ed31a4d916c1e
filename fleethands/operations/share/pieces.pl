# Pieces of a part and their digests. The file HEX.pieces has one digest a line. In front of hash_pieces.pl and ask_neighbors.pl.
use strict;
use warnings;
use Fcntl qw(:mode O_RDONLY O_WRONLY O_CREAT O_APPEND O_NOFOLLOW SEEK_SET);
use IO::Handle;
use IPC::Open2 qw(open2);
use POSIX ();

my $PIECE = 4 << 20;
$SIG{PIPE} = 'IGNORE';

# seconds, in hundredths; Time::HiRes is not part of perl-base
sub now { return (POSIX::times())[0] / 100 }

sub pause { select undef, undef, undef, $_[0] }

# perl-base has no Digest::SHA
sub digest_of {
    my ($bytes) = @_;
    my $process = open2(my $from, my $to, 'sha256sum');
    binmode $to;
    print {$to} $$bytes;
    close $to;
    my $line = <$from> // '';
    waitpid $process, 0;
    return $line =~ /^([0-9a-f]{64}) / ? $1 : die "error: sha256sum does not answer\n";
}

# the relay checks the time of this file: a host that fetches is not idle
sub touch {
    my ($path) = @_;
    open my $file, '>>', $path or return;
    utime undef, undef, $path;
}

sub open_to_append {
    my ($path) = @_;
    sysopen my $file, $path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600 or die "error: cannot write $path: $!\n";
    $file->autoflush(1);
    return $file;
}

# the digests of the pieces that a file has; a line that a crash cut short is removed
sub read_pieces {
    my ($path) = @_;
    open my $file, '<', $path or return;
    my @digests;
    while (my $line = <$file>) {
        last unless $line =~ /^([0-9a-f]{64})\n\z/;
        push @digests, $1;
    }
    truncate $path, 65 * @digests;
    return @digests;
}

sub read_piece {
    my ($path, $number) = @_;
    sysopen my $file, $path, O_RDONLY | O_NOFOLLOW or return;
    sysseek $file, $number * $PIECE, SEEK_SET;
    my $bytes = '';
    while (length $bytes < $PIECE) {
        sysread $file, $bytes, $PIECE - length $bytes, length $bytes or last;
    }
    return \$bytes;
}

# appends the digests of all pieces that the part has and the list has not; the last piece of a part may be short
sub hash_new_pieces {
    my ($part, $list, $size) = @_;
    my $known = () = read_pieces($list);
    my $length = -s $part // 0;
    if ($known && ($known - 1) * $PIECE >= $length) { # the download has started over
        unlink $list;
        $known = 0;
    }
    my $whole = $size && $length >= $size ? int(($length + $PIECE - 1) / $PIECE) : int($length / $PIECE);
    return $length if $whole <= $known;
    my $out = open_to_append($list);
    for my $number ($known .. $whole - 1) {
        my $bytes = read_piece($part, $number) or last;
        print {$out} digest_of($bytes) . "\n";
    }
    return $length;
}
