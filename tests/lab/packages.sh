#!/bin/sh
# Install the Debian packages that the lab's controller side needs, and those of its arguments. It is
# quick if they are installed.
# None of their services is started or enabled: the lab runs its own nginx and registry while it is up.
set -eu

needed="systemd-container mmdebstrap debian-archive-keyring btrfs-progs util-linux iproute2 nftables
    openssh-client docker-registry nginx fcgiwrap zstd pigz git ca-certificates
    busybox-static make gcc g++ libc6-dev nlohmann-json3-dev libstb-dev curl openssl $*"
policy=/usr/sbin/policy-rc.d
wait_for_lock="-o DPkg::Lock::Timeout=300"

fail() {
    echo "error: $1" >&2
    exit 1
}

main() {
    command -v dpkg-query >/dev/null || fail "the lab needs Debian or Ubuntu (apt, systemd-nspawn, btrfs)"
    missing=$(missing)
    [ -n "$missing" ] || exit 0
    root=
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || fail "root or passwordless sudo is needed to install:$missing"
        root=sudo
    fi
    echo "lab: install$missing" >&2
    if [ ! -e "$policy" ]; then
        trap '$root rm -f "$policy"' EXIT
        trap 'exit 130' HUP INT TERM
        printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
        $root chmod 755 "$policy"
    fi
    install
}

missing() {
    # shellcheck disable=SC2086  # several words on purpose
    states=$(dpkg-query --show --showformat='${db:Status-Status}:${Package} ' $needed 2>/dev/null || true)
    for package in $needed; do
        case " $states" in
            *" installed:$package "*) ;;
            *) printf ' %s' "$package" ;;
        esac
    done
}

install() {
    # shellcheck disable=SC2086
    $root apt-get $wait_for_lock --quiet update >&2 || echo "lab: package lists not renewed" >&2
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get $wait_for_lock --quiet --yes \
        --no-install-recommends install $missing >&2
    for service in nginx docker-registry fcgiwrap.socket; do
        case $missing in
            *" ${service%.socket}"*) $root systemctl disable --quiet "$service" || true ;;
        esac
    done
}

main
