"""Ways over the network to Ollama, OpenHands and its sandboxes: routes, addresses, flushes and other containers."""

from __future__ import annotations

from random import randint

from tests.lab import fleet, observe
from tests.lab.attacks.attack import Attack, Field, Position
from tests.lab.flavors import GUIDE, answers, sandbox_ports
from tests.lab.fleet import fleethands
from tests.lab.routing import WHOLE, flushed, gets, listens, routes, serve

RULES = "/etc/fleethands/firewall.nft"
DOCKERS = "172.17.0.0/24"  # of Docker's own network
DOCKERS6 = "fd00:d0c::/64"
# what a neighbour's kernel would not do by itself: it sends what is for 127.0.0.1 to another host
LOOPBACK = (
    "sysctl -qw net.ipv4.conf.all.route_localnet=1; ip route add 127.0.0.1 via {via} table 99;"
    " ip rule add pref 1 to 127.0.0.1 ipproto tcp dport 3000-9999 lookup 99;"
    " ip rule add pref 5 lookup local; ip rule delete pref 0"
)


def route_to_a_container(field: Field) -> None:
    host, neighbour = field.host, field.neighbour()
    other = serve(host, "other", 9000, "9000:9000")
    answers(host)
    settings = f"{listens(host, 'openhands-app', 3000)}:3000/api/settings"

    with routes(field.lab, host, neighbour, DOCKERS):
        assert gets(host, settings)
        assert (gets(neighbour, f"{other}:9000"), gets(neighbour, settings)) == (True, False)
        flushed(host)
        assert (gets(neighbour, f"{other}:9000"), gets(neighbour, settings)) == (True, False)


def route_on_bookworm(field: Field) -> None:
    """The same with Docker 20.10 and nftables 1.0.6."""
    host = field.lab["lab-3"]
    host.restore("clean", suite="bookworm")
    run = fleet.apply("lab-3")
    assert run.code == 0, run.said
    route_to_a_container(Field(field.lab, host, field.rounds, field.directory))


def route_around_docker(field: Field) -> None:
    host, neighbour = field.host, field.neighbour()
    host.run("docker network create --subnet 172.30.0.0/24 mine")
    serve(host, "page", 3000, "127.0.0.1:3001:3000")
    serve(host, "elsewhere", 3000, "127.0.0.1:3002:3000", network="mine")
    other = serve(host, "other", 9000, "9000:9000")

    with routes(field.lab, host, neighbour, DOCKERS, "172.30.0.0/24", DOCKERS6):
        for words in ("true", "systemctl restart docker", f"{WHOLE} nft flush ruleset; whole_soon", with_ipv6()):
            host.run(words, timeout=90)
            pages = [listens(host, name, 3000) for name in ("page", "elsewhere")]
            other = listens(host, "other", 9000)
            assert gets(neighbour, f"{other}:9000"), words
            assert [gets(neighbour, f"{page}:3000") for page in pages] == [False, False], words
        named = "docker inspect -f '{{.NetworkSettings.GlobalIPv6Address}}' "
        page6, other6 = (host.run(f"{named}{name}").stdout.strip() for name in ("page", "other"))
        assert (gets(neighbour, f"[{other6}]:9000"), gets(neighbour, f"[{page6}]:3000")) == (True, False)


def with_ipv6() -> str:
    """Docker gives its containers addresses that a neighbour can reach over IPv6."""
    config = f'{{"storage-driver": "overlay2", "ipv6": true, "fixed-cidr-v6": "{DOCKERS6}"}}'
    return f"echo '{config}' > /etc/docker/daemon.json; systemctl restart docker"


def other_addresses_of_the_host(field: Field) -> None:
    host, neighbour = field.host, field.neighbour()
    serve(host, "page", 3000, "172.17.0.1:3000:3000")
    serve(host, "other", 9000, "172.17.0.1:9000:9000", "127.0.0.1:9000:9000")
    neighbour.run("systemctl stop docker.socket docker; ip link delete docker0")
    host.run("sysctl -qw net.ipv4.conf.all.route_localnet=1")  # as kube-proxy does

    with routes(field.lab, host, neighbour, "172.17.0.1"):
        seen = [gets(neighbour, f"172.17.0.1:{port}") for port in (9000, 3000, 11434)]
        assert seen == [True, False, False]
    neighbour.run(LOOPBACK.format(via=host.address))
    with field.lab.site.network.routed("127.0.0.1"):
        assert [gets(neighbour, f"127.0.0.1:{port}") for port in (9000, 3000)] == [True, False]


def sandbox_of_v1(field: Field) -> None:
    host, neighbour = field.host, field.neighbour()
    ports = sandbox_ports(host)
    name = host.run("docker ps --filter name=oh-agent-server --format {{.Names}}").stdout.strip()
    inside = listens(host, name, 8000)
    tries = [f"{address}:{port}" for address in (host.address, f"[{host.address6}]") for port in ports]

    with routes(field.lab, host, neighbour, DOCKERS):
        for words in ("nft list tables", "nft flush ruleset"):
            flushed(host, words)
            assert any(gets(host, f"127.0.0.1:{port}/alive") for port in ports), words
            assert [each for each in [*tries, f"{inside}:8000"] if gets(neighbour, each)] == [], words


def another_container(field: Field) -> None:
    host = field.host
    host.run("docker network create mine")
    page = serve(host, "page", 3000, "172.17.0.1:3000:3000")
    serve(host, "beside", 9000)
    serve(host, "stranger", 9000, network="mine")

    for container in ("beside", "stranger"):
        seen = [gets(host, f"172.17.0.1:{port}", container) for port in (11434, 3000)]
        assert seen == [True, False], container
    flushed(host)
    assert not gets(host, f"{page}:3000", "stranger")


def another_container_beside_v1(field: Field) -> None:
    """Only sandboxes have a reason to call V1 over Docker's default network."""
    host = field.host
    host.run("docker network create mine")
    for name, network in (("beside", "bridge"), ("stranger", "mine")):
        host.run(f"docker run -d --name {name} --network {network} --entrypoint sleep {GUIDE} 600")

    assert [gets(host, "172.17.0.1:3000/ready", name) for name in ("beside", "stranger")] == [True, False]


def flush_in_the_first_moments(field: Field) -> None:
    moments = " ".join(f"0.{randint(0, 150):03}" for _ in range(field.rounds))
    lost = field.host.run(
        f"{WHOLE} for moment in {moments}; do systemctl restart fleethands-firewall; sleep $moment;"
        " nft flush ruleset; whole_soon || { echo $moment; nft -f " + RULES + "; }; done",
        timeout=60 + 4 * field.rounds,
    ).stdout
    assert lost == ""


def failed_reload(field: Field) -> None:
    host = field.host
    host.run(f"mv {RULES} /tmp/rules; nft flush ruleset; sleep 1; mv /tmp/rules {RULES}")
    host.run(f"{WHOLE} whole_soon")
    assert not observe.reachable(host.address, 11434, 0.5)


def table_emptied(field: Field) -> None:
    host = field.host
    last = "$(nft --handle list chain inet fleethands page | sed -n 's/.*drop # handle //p')"
    for words in (
        "nft flush table inet fleethands",
        "nft flush chain inet fleethands page",
        f"nft delete rule inet fleethands page handle {last}",
        f"nft replace rule inet fleethands page handle {last} accept",
    ):
        host.run(f"{words}")
        host.run(f"{WHOLE} whole_soon")
        assert not observe.reachable(host.address, 11434, 0.5), words
    assert fleet.changes(fleethands("plan", openhands_flavor="off")[1]) == []


ATTACKS = (
    Attack(
        "route-to-a-container",
        Position.NEIGHBOUR,
        "sets a route to OpenHands' container through its host, and asks for its settings, also after a flush",
        "the container answers only its host, and other containers are reachable as before",
        route_to_a_container,
        finding="F4",
        state="converged",
    ),
    Attack(
        "route-to-a-container-on-bookworm",
        Position.NEIGHBOUR,
        "does the same with Docker 20.10 and nftables 1.0.6",
        "the container answers only its host",
        route_on_bookworm,
        finding="F4",
        slow=True,
    ),
    Attack(
        "route-around-docker",
        Position.NEIGHBOUR,
        "sets routes to Docker's networks and to other ones, over IPv6 too, before and after restarts of Docker",
        "what listens there on OpenHands' port never answers a neighbor",
        route_around_docker,
        finding="F4",
        state="converged",
        slow=True,
    ),
    Attack(
        "other-addresses-of-the-host",
        Position.NEIGHBOUR,
        "sends packets for the gateway of Docker's network, or for 127.0.0.1, to the host",
        "ports of OpenHands and Ollama are closed at every address of the host",
        other_addresses_of_the_host,
        finding="F4",
        state="converged",
        slow=True,
    ),
    Attack(
        "sandbox-of-v1",
        Position.NEIGHBOUR,
        "asks a sandbox of V1 at its published ports, at its own address, and after a flush",
        "no sandbox answers a neighbor, and the host itself still reaches each sandbox",
        sandbox_of_v1,
        finding="F4",
        state="v1",
        slow=True,
    ),
    Attack(
        "another-container-at-the-page",
        Position.CONTAINER,
        "asks for OpenHands' page at the gateway of Docker's network, and after a flush at the container's own address",
        "the page is closed to it, and Ollama is open",
        another_container,
        finding="L11",
        state="converged",
    ),
    Attack(
        "another-container-beside-v1",
        Position.CONTAINER,
        "asks for V1's page at the gateway, where its sandboxes call it, from a separate Docker network",
        "only containers on Docker's default network get an answer",
        another_container_beside_v1,
        finding="L11",
        state="v1",
        slow=True,
    ),
    Attack(
        "flush-in-the-first-moments",
        Position.ROOT,
        "restarts the firewall table's watcher, and flushes all rules up to 150 ms later",
        "the table is restored, whenever the flush came",
        flush_in_the_first_moments,
        finding="F12",
        race=True,
    ),
    Attack(
        "reload-that-fails",
        Position.ROOT,
        "flushes all rules while the rules file can't be read",
        "the table is loaded as soon as the file can be read",
        failed_reload,
        finding="F12",
    ),
    Attack(
        "table-emptied",
        Position.ROOT,
        "empties the firewall table, or removes or replaces its drop rule, without deleting the table",
        "the table is complete again",
        table_emptied,
    ),
)
