# Installs packages from the distribution, and removes none for them.
: "${packages:?}" "${engines:?}"
try_again="on the host: apt-get update && apt-get install --no-install-recommends $packages"
log=$(mktemp)
remove_at_end "$log"

say_why() {
  tail -n 15 "$log" >&2
  said=$(sed -n 's/^E: //p' "$log" | head -n 1)
  case $said in *'dpkg --configure -a'*) try_again='on the host: dpkg --configure -a' ;; esac
  fail "cannot install $packages${said:+: $said}" "$try_again"
}

apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"; }

# DPkg::Lock::Timeout does not hold for the lock of the lists (apt 2.6): a host that boots holds it for minutes
update() {
  end=$(($(date +%s) + 300))
  until apt update >"$log" 2>&1; do
    if grep -q '/lists/lock' "$log" && [ "$(date +%s)" -lt "$end" ]; then sleep 1 && continue; fi
    # a source of somebody else's may be gone; what is wanted is known without it
    # shellcheck disable=SC2086
    apt -s install --no-install-recommends $packages >/dev/null 2>&1 || say_why
    echo "note: apt-get update: $(grep '^E: ' "$log" | head -n 1 | cut -c 4-)"
    return 0
  done
}

# The plan asked apt already, but by the lists of then. What is installed stays: somebody uses it, and an engine that is
# upgraded stops what runs in it.
nothing_suffers() {
  # shellcheck disable=SC2086
  simulated=$(apt -s install --no-install-recommends $packages 2>/dev/null) || return 0 # it says why when it is to do it
  removed=$(printf '%s\n' "$simulated" | sed -n 's/^Remv \([^ ]*\) .*/\1/p' | tr '\n' ' ')
  [ -z "$removed" ] || refuse "remove ${removed% }"
  for engine in $engines; do
    case $simulated in *"Inst $engine ["*) refuse "upgrade and restart $engine" ;; esac
  done
}

refuse() {
  fail "to install $packages, apt would $1, which is in use on this host" \
    "see it, on the host: apt-get -s install --no-install-recommends $packages" \
    "if that may be, on the host: apt-get install --no-install-recommends $packages"
}

update
# a package of its own since Debian 13, part of docker.io before
case " $packages " in
  *' docker.io '*) if apt-cache show docker-cli >/dev/null 2>&1; then packages="$packages docker-cli"; fi ;;
esac
nothing_suffers
# shellcheck disable=SC2086
apt -y -o Dpkg::Options::=--force-confold --no-remove install --no-install-recommends $packages >>"$log" 2>&1 9>&- || say_why
