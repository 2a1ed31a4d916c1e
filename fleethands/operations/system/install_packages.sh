# Installs packages of the distribution, and removes none for them.
#   packages: names with blanks between them; engines: packages that must not be upgraded
#   unstarted: units of these packages that must not run, with blanks between them
#   debs: lines `DIGEST NAME` of the packages of a bundle, from which all is installed then; empty without a bundle
: "${packages:?}" "${engines:?}" "${unstarted?}" "${debs?}"
try_again="on the host: apt-get update && apt-get install --no-install-recommends $packages"
[ -z "$debs" ] || try_again='see which packages it has, on this machine: fleethands bundle show FILE --packages'
work=$(mktemp -d)
remove_at_end "$work"
log=$work/log
sources='' # options that replace apt's sources

say_why() {
  tail -n 15 "$log" >&2
  said=$(sed -n 's/^E: //p' "$log" | head -n 1)
  case $said in *'dpkg --configure -a'*) try_again='on the host: dpkg --configure -a' ;; esac
  fail "cannot install $packages${said:+: $said}" "$try_again"
}

# shellcheck disable=SC2086
apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 $sources "$@"; }
# shellcheck disable=SC2086
has_package() { apt-cache $sources show "$1" >/dev/null 2>&1; }

# DPkg::Lock::Timeout does not cover the lock of the lists (apt 2.6), which a booting host holds for minutes
update() {
  end=$(($(date +%s) + 300))
  until apt update >"$log" 2>&1; do
    if grep -q '/lists/lock' "$log" && [ "$(date +%s)" -lt "$end" ]; then sleep 1 && continue; fi
    # another source may be unreachable; if apt knows the packages without it, that does not matter
    # shellcheck disable=SC2086
    apt -s install --no-install-recommends $packages >/dev/null 2>&1 || say_why
    echo "note: apt-get update: $(grep '^E: ' "$log" | head -n 1 | cut -c 4-)"
    return 0
  done
}

# The plan asked apt with older lists. Installed packages stay, because they are in use, and an upgrade of an engine stops its
# containers.
check_side_effects() {
  # shellcheck disable=SC2086
  simulated=$(apt -s install --no-install-recommends $packages 2>/dev/null) || return 0 # the installation prints the reason
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

[ -z "$debs" ] || make_repository "$work/repository"
update
# since Debian 13 the command is a package of its own
case " $packages " in
  *' docker.io '*) if has_package docker-cli; then packages="$packages docker-cli"; fi ;;
esac
check_side_effects
# a package starts its service at once; a masked one stays off, and the package of nginx would serve a page on port 80
for unit in $unstarted; do
  if [ -e "/etc/systemd/system/$unit" ] || [ -L "/etc/systemd/system/$unit" ]; then continue; fi
  mark_managed mask "$unit"
  ln -s /dev/null "/etc/systemd/system/$unit"
done
# shellcheck disable=SC2086
apt -y -o Dpkg::Options::=--force-confold --no-remove install --no-install-recommends $packages >>"$log" 2>&1 9>&- || say_why
[ -z "$debs" ] || printf '%s\n' "$debs" | drop_parts
