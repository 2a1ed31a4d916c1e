# Collects what Prometheus wants to know of this host, and writes the metrics to a file. Needs nothing beyond perl-base, curl and
# openssl. It runs without privileges; what it reads may be wrong or hostile, so each value has a form and each list a limit.
use strict;
use warnings;
use Errno qw(EINTR);
use Fcntl qw(:mode O_RDONLY O_NOFOLLOW O_NONBLOCK);
use POSIX ();

$ENV{TZ} = 'UTC'; # for mktime; Time::Local is not part of perl-base
POSIX::tzset();

my ($MOST_SAMPLES, $LONGEST_LABEL) = (1000, 600);
my (@families, %families, %samples);

# the last part of this program has the families, one a line: NAME TYPE HELP
sub read_families {
    while (my $line = <DATA>) {
        chomp $line;
        my ($name, $type, $help) = split / /, $line, 3;
        push @families, $name;
        $families{$name} = {type => $type, help => $help};
    }
}

# seconds, in hundredths; Time::HiRes is not part of perl-base
sub now { return (POSIX::times())[0] / 100 }

# a number as Prometheus reads it; undef for anything else
sub number {
    my ($text) = @_;
    return defined $text && $text =~ /\A-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?\z/ ? $text : undef;
}

my $UTF8 = qr/[\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}
    |\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/x;

# one byte that is not UTF-8 would make Prometheus refuse the whole file
sub label {
    my ($text) = @_;
    my $safe = '';
    while (length $text && length $safe < $LONGEST_LABEL) {
        $safe .= $text =~ s/\A($UTF8)// ? $1 : substr($text, 0, 1, '') && '?';
    }
    $safe =~ s/(["\\])/\\$1/g;
    return $safe;
}

# add NAME, VALUE, LABEL => TEXT, …: one sample. A suffix of a histogram's is part of the name.
sub add {
    my ($name, $value, @labels) = @_;
    my ($family) = grep { exists $families{$_} } $name, $name =~ s/_(?:bucket|sum|count)\z//r;
    return if !defined number($value) || @{$samples{$family} //= []} >= $MOST_SAMPLES;
    my @pairs;
    while (my ($key, $text) = splice @labels, 0, 2) { push @pairs, sprintf '%s="%s"', $key, label($text) }
    push @{$samples{$family}}, $name . (@pairs ? '{' . join(',', @pairs) . '}' : '') . " $value\n";
}

# part NAME, CODE: CODE returns whether it could read its part; a mistake in one part leaves the others alone
sub part {
    my ($name, $code) = @_;
    my $ok = eval { $code->() };
    print STDERR "<3>error: $name: $@" if $@; # 3: an error, so that the unit's LogLevelMax lets it into the journal
    add('fleethands_metrics_part_ok', $ok ? 1 : 0, part => $name);
}

sub all_samples {
    my $text = '';
    for my $name (grep { $samples{$_} } @families) {
        $text .= "# HELP $name $families{$name}{help}\n# TYPE $name $families{$name}{type}\n" . join '', @{$samples{$name}};
    }
    return $text;
}

# write_file PATH, TEXT: aside, and renamed when it is whole
sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', "$path.new" or die "cannot write $path: $!\n";
    print {$file} $text or die "cannot write $path: $!\n";
    close $file or die "cannot write $path: $!\n";
    rename "$path.new", $path or die "cannot write $path: $!\n";
}

sub lines_of {
    my ($path, $most) = @_;
    sysopen(my $file, $path, O_RDONLY | O_NONBLOCK) or return;
    return if !-f $file;
    read($file, my $text, $most // 1 << 20);
    return split /\n/, $text // '';
}
