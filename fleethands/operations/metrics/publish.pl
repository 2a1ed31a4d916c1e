# Run as root after collect.pl: copies the metrics to where they are read, and adds what only root can read. It writes only in
# directories of root's, and reads nothing through a link that another user made.
#   collected: the file of the collector; sentinel: the state of the sentinel
#   own: directory that fleethands makes; textfile: directory of node_exporter, or empty
use strict;
use warnings;
use Fcntl qw(:mode O_RDONLY O_WRONLY O_CREAT O_EXCL O_NOFOLLOW O_NONBLOCK);
use POSIX ();

my $LARGEST = 8 << 20;
umask 022;

sub read_file {
    my ($path) = @_;
    sysopen(my $file, $path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) or return;
    my @stat = stat $file;
    return if !S_ISREG($stat[2]) || $stat[3] != 1 || $stat[7] > $LARGEST;
    read($file, my $text, $LARGEST);
    return $text;
}

# the state of the sentinel has a schema, the verdict, the time of the proof and more, each on a line (facts/sentinel.py)
sub sentinel_metrics {
    my ($schema, $verdict, $time) = split /\n/, read_file($ENV{sentinel}) // return '';
    return '' if ($schema // '') ne '1' || ($verdict // '') !~ /\A(?:ok|broken)\z/;
    my ($year, $month, $day, $hour, $minute, $second) = ($time // '') =~ /\A(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z\z/ or return '';
    my $at = POSIX::mktime($second, $minute, $hour, $day, $month - 1, $year - 1900);
    my ($ok, $name) = ($verdict eq 'ok' ? 1 : 0, 'fleethands_sentinel');
    return "# HELP ${name}_ok Whether all links held in the last proof of the sentinel.\n# TYPE ${name}_ok gauge\n${name}_ok $ok\n"
        . "# HELP ${name}_time_seconds When the sentinel made its last proof, in seconds since 1970.\n"
        . "# TYPE ${name}_time_seconds gauge\n${name}_time_seconds $at\n";
}

# publish DIRECTORY, TEXT: within the directory itself, even if the path leads elsewhere a moment later
sub publish {
    my ($directory, $text) = @_;
    chdir $directory or die "$directory: $!\n";
    die "$directory leads to another directory\n" if POSIX::getcwd() ne $directory;
    my @stat = stat '.';
    die "$directory is not root's, or others can write in it\n" if $stat[4] != 0 || $stat[2] & 022;
    my $new = '.fleethands.prom.new';
    unlink $new; # left by a process that was killed
    sysopen(my $file, $new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644) or die "$directory: $!\n";
    my $written = print({$file} $text) && close $file;
    rename $new, 'fleethands.prom' or $written = 0 if $written;
    return if $written;
    my $why = $!;
    unlink $new;
    die "cannot write in $directory: $why\n";
}

$ENV{TZ} = 'UTC';
POSIX::tzset();
my $text = read_file($ENV{collected}) // die "<3>error: $ENV{collected} cannot be read\n";
$text .= sentinel_metrics();
mkdir $ENV{own}, 0755;
my $failed = 0;
for my $directory (grep { length } @ENV{qw(own textfile)}) {
    next if eval { publish($directory, $text); 1 };
    print STDERR "<3>error: $@"; # 3: an error, so that the unit's LogLevelMax lets it into the journal
    $failed = 1;
}
exit $failed;
