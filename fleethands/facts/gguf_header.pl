# BYTES: copies the header of a GGUF file from standard input to standard output, as far as fleethands/fit/header.py needs it: a list
# of more than 1024 elements becomes its length, a text of more than 4096 bytes an empty one. perl-base has all that this needs.
# Status 2: it is no GGUF file, or a damaged one. Status 3: it ends too early. Status 5: the header is longer than BYTES.
use strict;
use warnings;

my $left = $ARGV[0];
my $out  = '';
my %size = (0 => 1, 1 => 1, 2 => 2, 3 => 2, 4 => 4, 5 => 4, 6 => 4, 7 => 1, 10 => 8, 11 => 8, 12 => 8);
my ($string, $list, $whole) = (8, 9, 10);

binmode STDIN;
binmode STDOUT;

sub take {
    my ($size) = @_;
    exit 5 if $size > $left;
    $left -= $size;
    my $data = '';
    while (length $data < $size) {
        read(STDIN, $data, $size - length $data, length $data) or exit 3;
    }
    return $data;
}

sub drop {
    my ($size) = @_;
    while ($size > 0) {
        my $part = $size < 65536 ? $size : 65536;
        take($part);
        $size -= $part;
    }
}

sub copy { my $data = take($_[0]); $out .= $data; exit 2 if length $out > 1 << 20; return $data }
sub copy_count { return unpack 'Q<', copy(8) }
sub copy_kind  { return unpack 'V', copy(4) }
sub copy_name  { my $size = copy_count(); exit 2 if $size > 1024; copy($size) }

sub copy_text {
    my $size = unpack 'Q<', take(8);
    if ($size > 4096) { drop($size); $size = 0 }
    $out .= pack 'Q<', $size;
    copy($size);
}

sub copy_scalar {
    my ($kind) = @_;
    return copy_text() if $kind == $string;
    exit 2 unless $size{$kind};
    copy($size{$kind});
}

sub copy_list {
    my $kind  = unpack 'V', take(4);
    my $count = unpack 'Q<', take(8);
    exit 2 unless $kind == $string || $size{$kind};
    if ($count <= 1024) {
        $out .= pack 'VVQ<', $list, $kind, $count;
        copy_scalar($kind) for 1 .. $count;
        return;
    }
    $out .= pack 'VQ<', $whole, $count;
    exit 5 if $count > $left;
    return drop($count * $size{$kind}) if $kind != $string;
    drop_texts($count);
}

# A vocabulary has some 100,000 texts, so this loop calls no function.
sub drop_texts {
    my ($count) = @_;
    my $data;
    exit 5 if $count > $left / 8;
    for (1 .. $count) {
        (read(STDIN, $data, 8) // 0) == 8 or exit 3;
        my $size = unpack 'Q<', $data;
        exit 5 if $size > $left - 8;
        $left -= $size + 8;
        !$size || (read(STDIN, $data, $size) // 0) == $size or exit 3;
        exit 5 if $left < 8;
    }
}

sub copy_value {
    my $kind = unpack 'V', take(4);
    return copy_list() if $kind == $list;
    $out .= pack 'V', $kind;
    copy_scalar($kind);
}

sub copy_tensor {
    copy_name();
    my $dimensions = copy_kind();
    exit 2 if $dimensions > 4;
    copy(8 * $dimensions + 12);
}

exit 2 unless copy(4) eq 'GGUF';
my $version = copy_kind();
exit 2 unless $version == 2 || $version == 3;
my ($tensors, $pairs) = (copy_count(), copy_count());
exit 2 if $tensors > 65536 || $pairs > 4096;
for (1 .. $pairs) { copy_name(); copy_value() }
copy_tensor() for 1 .. $tensors;
print $out or exit 3;
