# Starts the relay of a host in transient units, or adds this run to one that is at work. One unit has the rules and cleans up,
# another one runs the relay without privileges: commands around a unit would be in its sandbox, too.
#   token: of this run, which neighbors send; address: by which they reach this host; port: on which the relay listens
#   neighbors: lines `before ADDRESS PORT` or `after ADDRESS PORT`; hosts: addresses that may connect, one a line
#   rate: bytes a second that the relay sends, 0 for no limit; idle: seconds without a request after which it ends
#   parts: directory of parts; models_dir: of Ollama's models
#   relay, ask_neighbors, hash_pieces: texts of programs
set -eu
: "${token:?}" "${address:?}" "${port:?}" "${neighbors?}" "${hosts:?}" "${rate:?}" "${idle:?}" "${parts:?}" "${models_dir:?}" \
  "${relay:?}" "${ask_neighbors:?}" "${hash_pieces:?}"
unit=fleethands-relay.service
server=fleethands-relay-server.service
share=/run/fleethands/share
blobs=$models_dir/blobs

# fail REASON: no relay runs; the host takes part as far as it can
fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

need() { command -v "$1" >/dev/null || fail "the command $1 is missing"; }

has_nft() { command -v nft >/dev/null; }

state() { systemctl show "$unit" -p ActiveState --value; }

await_end() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(state)" = deactivating ] || return 0
    sleep 0.5
  done
  fail "the unit $unit does not stop"
}

# keep_lines FILE LINES MOST: lines of the file and new ones, each once
keep_lines() {
  { cat "$share/$1" 2>/dev/null || true; printf '%s\n' "$2"; } | awk 'NF && !seen[$0]++' | tail -n "$3" >"$share/$1.new"
  mv -T "$share/$1.new" "$share/$1"
}

write_state() {
  mkdir -p "$share/wanted" "$share/internet" "$share/kept" "$share/silent"
  keep_lines tokens "$token" 8
  keep_lines hosts "$hosts" 1000
  printf 'token %s\n%s\n' "$token" "$neighbors" >"$share/neighbors.new"
  printf %s "$relay" >"$share/relay.pl"
  printf %s "$ask_neighbors" >"$share/ask_neighbors.pl"
  printf %s "$hash_pieces" >"$share/hash_pieces.pl"
  copy_manifests
  printf '%s\n' "$clean_up" >"$share/clean_up.sh"
  mv -T "$share/neighbors.new" "$share/neighbors" # last, because a fetch uses the programs from then on
}

# Copies of the manifests of models by their digests, so that a pinned model needs no registry. Ollama's user reads them, and
# the relay sees nothing of their directories, in which that user can put links.
copy_manifests() {
  rm -rf "$share/manifests.new"
  mkdir -p "$share/manifests.new"
  ollama=$(numbers_of ollama 2>/dev/null) || ollama=''
  # shellcheck disable=SC2016
  [ -z "$ollama" ] || as_owner "$ollama" 20 sh -c 'find "$1" -type f -size -64k -print0 2>/dev/null | head -z -n 500 |
    xargs -0r -n 1 sh -c "head -c 65536 \"\$1\" | base64 -w 0; echo" sh' sh "$models_dir/manifests" | head -c 8000000 |
    while IFS= read -r text; do
      printf %s "$text" | base64 -d >"$share/manifest" 2>/dev/null || continue
      mv -T "$share/manifest" "$share/manifests.new/sha256-$(sha256sum <"$share/manifest" | cut -d ' ' -f 1)"
    done || true
  rm -rf "$share/manifests"
  mv -T "$share/manifests.new" "$share/manifests"
}

# Sets `store`, where the relay sees the blobs, and `owner`, the UID whose files it serves from there: Ollama's user, who may
# have put a link in the place of the directory, or root, if no other user can.
find_store() {
  store='' owner=''
  [ -d "$blobs" ] || return 0
  owner=$(stat -c %u "$blobs")
  case $owner in 0) real_path "$blobs" >/dev/null || return 0 ;; *) [ "$owner" = "$(id -u ollama 2>/dev/null)" ] || return 0 ;; esac
  store=/run/blobs
}

# addresses KIND: those of the hosts, for a set of nftables
addresses() {
  case $1 in 6) grep : "$share/hosts" ;; *) grep -v : "$share/hosts" ;; esac | paste -sd , -
}

# set_of KIND: `elements` of a set, unless it is empty
set_of() {
  found=$(addresses "$1")
  [ -z "$found" ] || echo "elements = { $found };"
}

write_rules() {
  cat >"$share/rules.nft" <<END
table inet fleethands_share
delete table inet fleethands_share
table inet fleethands_share {
  set hosts4 { type ipv4_addr; $(set_of 4) }
  set hosts6 { type ipv6_addr; $(set_of 6) }
  chain input {
    type filter hook input priority filter - 2; policy accept;
    tcp dport $port ip saddr @hosts4 accept
    tcp dport $port ip6 saddr @hosts6 accept
    tcp dport $port drop
  }
}
END
}

# listen_address: the address itself where the host has it; behind a router, all addresses
listen_address() {
  if ip -o address show to "$address" 2>/dev/null | grep -q .; then
    echo "$address"
  else
    case $address in *:*) echo :: ;; *) echo 0.0.0.0 ;; esac
  fi
}

# What the relay leaves when it ends, however it ends: nothing, except kept parts. It is a file, because systemd writes each `$` of
# a transient unit twice, and reads them so after a daemon-reload. The shell reads it whole before it removes it.
# shellcheck disable=SC2016
clean_up='{
systemctl stop fleethands-relay-server.service 2>/dev/null
nft delete table inet fleethands_share 2>/dev/null
for each in /run/fleethands/share/kept/*; do grep -qs " sha256:${each##*/}$" "$1/kept" || rm -f "$1/sha256-${each##*/}"; done
rm -f "$1"/sha256-*.pieces
rm -rf /run/fleethands/share
exit 0
}'

# The relay sees its program, the parts, the blobs and manifests, and may read them although they belong to other users. It
# writes nothing.
start_unit() {
  listen=$(listen_address)
  set -- --property 'TemporaryFileSystem=/usr/share:ro /usr/local:ro' --property "BindReadOnlyPaths=$share" \
    --property "BindReadOnlyPaths=$parts"
  # systemd has no empty root for a user that exists only while a unit runs, so that each directory is hidden
  for each in /[a-z]*/; do
    each=${each%/}
    case $each in /bin | /sbin | /lib* | /usr | /proc | /sys | /dev | /tmp) continue ;; esac
    [ -L "$each" ] || set -- "$@" --property "TemporaryFileSystem=\"$each\":ro"
  done
  [ -z "$store" ] || set -- "$@" --property "BindReadOnlyPaths=\"$blobs\":$store"
  systemctl reset-failed "$unit" "$server" 2>/dev/null || true
  echo "$store" >"$share/store"
  load="/usr/sbin/nft -f $share/rules.nft"
  if ! has_nft; then # a bare host: systemd filters the packets of the relay, and the relay itself looks at addresses, too
    load=/bin/true
    cp "$share/hosts" "$share/filter"
    set -- "$@" --property IPAddressDeny=any --property "IPAddressAllow=$(paste -sd ' ' "$share/hosts")"
  fi
  systemd-run --quiet --collect --unit "$unit" --description "the relay of fleethands" --service-type exec --property "ExecStartPre=$load" \
    --property "ExecStopPost=/bin/sh $share/clean_up.sh '$parts'" \
    systemd-run --quiet --wait --collect --unit "$server" "$@" \
    --property DynamicUser=yes --property AmbientCapabilities=CAP_DAC_READ_SEARCH \
    --property CapabilityBoundingSet=CAP_DAC_READ_SEARCH --property NoNewPrivileges=yes --property PrivateDevices=yes \
    --property 'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX' --property MemoryDenyWriteExecute=yes \
    --property SystemCallFilter=@system-service --property TasksMax=4 --property MemoryMax=256M \
    --property RuntimeMaxSec=1d --property OOMScoreAdjust=500 --property Nice=5 \
    --setenv "address=$listen" --setenv "port=$port" --setenv "run=$share" --setenv "parts=$parts" --setenv "store=$store" \
    --setenv "owner=$owner" --setenv "rate=$rate" --setenv "idle=$idle" /usr/bin/perl "$share/relay.pl" 2>"$share/failure" 8<&- ||
    fail "the relay does not start: $(head -c 300 "$share/failure" | tail -n 1)"
}

# Another program may have taken the port.
is_listening() {
  process=$(systemctl show "$server" -p MainPID --value)
  [ "${process:-0}" -gt 0 ] && ss -Hltnp "sport = :$port" | grep -q "[(,]pid=$process,"
}

await_listener() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    ! is_listening || return 0
    [ "$(state)" = active ] || return 1
    sleep 0.2
  done
  return 1
}

# A model store that was made since is not seen by the relay that runs.
has_new_store() { [ -n "$store" ] && [ -z "$(cat "$share/store" 2>/dev/null)" ]; }

# A filter of systemd lets only the hosts through that it had at the start of the relay.
has_new_hosts() { [ -s "$share/filter" ] && printf '%s\n' "$hosts" | grep -qvxFf "$share/filter"; }

# serve: start the relay, or add this run to the one that is at work
serve() {
  await_end
  if [ "$(state)" = active ]; then
    touch "$share/busy" || true # so that it does not end now
    write_state
    write_rules
    ! has_nft || nft -f "$share/rules.nft" || fail 'the rules of the relay do not load'
  else
    [ -e "$share/tokens" ] || rm -rf "$share"
    mkdir -p "$share"
    write_state
    write_rules
    start_unit
  fi
}

fail_without_listener() {
  taken=$(ss -Hltnp "sport = :$port" | sed -n 's/.*users:(("\([A-Za-z0-9._-]*\)",pid=\([0-9]*\),.*/\1, process \2/p' | head -n 1)
  [ -z "$taken" ] || fail "another program listens on port $port: $taken"
  fail "the relay does not listen on port $port: $(journalctl -u "$server" -n 1 -o cat --no-pager | head -c 300)"
}

umask 077
for each in perl systemd-run ss awk paste; do need "$each"; done
[ -d "$parts" ] || { mkdir -p "${parts%/*}" && mkdir -m 0700 "$parts"; }
exec 8<"$parts" # two runs may come at once
flock -w 30 8 || fail 'another run is starting the relay of this host'
find_store
await_end
if [ "$(state)" = active ] && { has_new_store || has_new_hosts; }; then
  keep=$(cat "$share/tokens") allowed=$(cat "$share/hosts") kept=$(ls "$share/kept")
  rm -rf "$share/kept" "$share/filter" # the end of the relay would remove these parts
  systemctl stop "$unit"
  mkdir -p "$share/kept"
  for each in $kept; do : >"$share/kept/$each"; done
  printf '%s\n' "$keep" >"$share/tokens"
  printf '%s\n' "$allowed" >"$share/hosts"
fi
serve
if ! await_listener; then # a relay ends by itself, perhaps just now
  serve
  await_listener || fail_without_listener
fi
echo "relay: listens"
