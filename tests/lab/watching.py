"""A neighbor that tries each port of each address of a host about five times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tests.lab.host import Host

# One process: a shell would start three for each try, and take both cores of this machine from the hosts.
WATCH = """
use strict;
use Fcntl;
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
my @targets = map {{ my $address = $_; map [$address, $_], qw({ports}) }} qw({addresses});
open my $found, '>>', '/tmp/open' or die;
select((select($found), $| = 1)[0]);
while (1) {{
    my ($waiting, $left, %tries) = ('', 0.2);
    for my $target (@targets) {{
        my ($address, $port) = @$target;
        my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
        my $there = inet_pton($family, $address);
        socket my $try, $family, SOCK_STREAM, 0 or die;
        fcntl $try, F_SETFL, O_NONBLOCK;
        connect $try, $family == AF_INET6 ? pack_sockaddr_in6($port, $there) : pack_sockaddr_in($port, $there);
        vec($waiting, fileno $try, 1) = 1;
        $tries{{fileno $try}} = [$try, "$address $port\\n"];
    }}
    while (%tries && $left > 0) {{
        (my $ready, $left) = select undef, my $done = $waiting, undef, $left;
        last unless $ready > 0;
        for my $number (grep vec($done, $_, 1), keys %tries) {{
            my ($try, $line) = @{{delete $tries{{$number}}}};
            print $found $line unless unpack 'i', getsockopt $try, SOL_SOCKET, SO_ERROR;
            vec($waiting, $number, 1) = 0;
        }}
    }}
    select undef, undef, undef, 0.02;
}}
"""


@contextmanager
def watching(neighbour: Host, host: Host, ports: Iterable[int]) -> Iterator[Callable[[], set[str]]]:
    """What the neighbor found open on a host at any moment so far: `ADDRESS PORT`."""
    script = WATCH.format(addresses=f"{host.address} {host.address6}", ports=" ".join(map(str, ports)))
    neighbour.run("cat > /tmp/watch; : > /tmp/open; systemd-run --quiet --unit watch perl /tmp/watch", stdin=script)
    yield lambda: set(neighbour.run("sort -u /tmp/open").stdout.splitlines())
    neighbour.run("systemctl stop watch")


def seen(host: Host, *ports: int) -> str:
    """A command of the neighbour's that succeeds once it saw all these ports of a host open, over both protocols."""
    lines = [f"{address} {port}" for address in (host.address, host.address6) for port in ports]
    return " && ".join(f"grep -qxF '{line}' /tmp/open" for line in lines)
