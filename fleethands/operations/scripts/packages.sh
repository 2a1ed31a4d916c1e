# Installs packages from the distribution.
: "${packages:?}"
say_why() {
  tail -n 15 "$log" >&2
  fail "cannot install $packages" "on the host: apt-get update && apt-get install $packages"
}
log=$(mktemp)
remove_at_end "$log"
apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update >"$log" 2>&1 || say_why
# a package of its own since Debian 13, part of docker.io before
case " $packages " in
  *' docker.io '*) if apt-cache show docker-cli >/dev/null 2>&1; then packages="$packages docker-cli"; fi ;;
esac
# shellcheck disable=SC2086
apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold \
  install --no-install-recommends $packages >>"$log" 2>&1 9>&- || say_why
