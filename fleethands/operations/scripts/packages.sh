# Installs packages from the distribution.
: "${packages:?}"
say_why() {
  tail -n 15 "$log" >&2
  rm -f "$log"
  fail "cannot install $packages" "on the host: apt-get update && apt-get install $packages"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update >"$log" 2>&1 || say_why
# shellcheck disable=SC2086
apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold \
  install --no-install-recommends $packages >>"$log" 2>&1 9>&- || say_why
