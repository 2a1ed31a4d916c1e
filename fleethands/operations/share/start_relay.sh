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
  printf '%s\n' "$clean_up" >"$share/clean_up.sh"
  mv -T "$share/neighbors.new" "$share/neighbors" # last, because a fetch uses the programs from then on
}

# The manifests of models by their digests, so that a pinned model needs no registry. Ollama's user reads them.
write_index() {
  : >"$share/index"
  ollama=$(numbers_of ollama 2>/dev/null) && [ -d "$models_dir/manifests" ] || return 0
  # shellcheck disable=SC2016
  as_owner "$ollama" 20 sh -c 'find "$1" -type f -size -64k -print0 | head -z -n 500 | xargs -0r sha256sum' sh "$models_dir/manifests" |
    directory=$models_dir/manifests awk '/^[0-9a-f]+  / { at = index($0, ENVIRON["directory"])
      if (at) print substr($0, 1, 64) " /run/manifests" substr($0, at + length(ENVIRON["directory"])) }' >"$share/index" || true
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
  seen=''
  if [ -d "$blobs" ]; then
    set -- "$@" --property "BindReadOnlyPaths=\"$blobs\":/run/blobs" \
      --property "BindReadOnlyPaths=\"-$models_dir/manifests\":/run/manifests"
    seen=/run/blobs
  fi
  systemctl reset-failed "$unit" "$server" 2>/dev/null || true
  echo "$seen" >"$share/places"
  systemd-run --quiet --collect --unit "$unit" --description "the relay of fleethands" --service-type exec --property "ExecStartPre=/usr/sbin/nft -f $share/rules.nft" \
    --property "ExecStopPost=/bin/sh $share/clean_up.sh '$parts'" \
    systemd-run --quiet --wait --collect --unit "$server" "$@" \
    --property DynamicUser=yes --property AmbientCapabilities=CAP_DAC_READ_SEARCH \
    --property CapabilityBoundingSet=CAP_DAC_READ_SEARCH --property NoNewPrivileges=yes --property PrivateDevices=yes \
    --property 'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX' --property MemoryDenyWriteExecute=yes \
    --property SystemCallFilter=@system-service --property TasksMax=4 --property MemoryMax=256M \
    --property RuntimeMaxSec=1d --property OOMScoreAdjust=500 --property Nice=5 \
    --setenv "address=$listen" --setenv "port=$port" --setenv "run=$share" --setenv "parts=$parts" --setenv "places=$seen" \
    --setenv "rate=$rate" --setenv "idle=$idle" /usr/bin/perl "$share/relay.pl" 2>"$share/failure" 8<&- ||
    fail "the relay does not start: $(head -c 300 "$share/failure" | tail -n 1)"
}

await_listener() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    [ -z "$(ss -Hltn "sport = :$port")" ] || return 0
    [ "$(state)" = active ] || break
    sleep 0.2
  done
  fail "the relay does not listen on port $port: $(journalctl -u "$server" -n 1 -o cat --no-pager | head -c 300)"
}

# A model store that was made since is not seen by the relay that runs.
has_new_store() { [ -d "$blobs" ] && [ -z "$(cat "$share/places" 2>/dev/null)" ]; }

umask 077
for each in perl nft systemd-run ss awk paste; do need "$each"; done
[ -d "$parts" ] || { mkdir -p "${parts%/*}" && mkdir -m 0700 "$parts"; }
exec 8<"$parts" # two runs may come at once
flock -w 30 8 || fail 'another run is starting the relay of this host'
await_end
if [ "$(state)" = active ] && has_new_store; then
  keep=$(cat "$share/tokens") allowed=$(cat "$share/hosts") kept=$(ls "$share/kept")
  rm -rf "$share/kept" # the end of the relay would remove these parts
  systemctl stop "$unit"
  mkdir -p "$share/kept"
  for each in $kept; do : >"$share/kept/$each"; done
  printf '%s\n' "$keep" >"$share/tokens"
  printf '%s\n' "$allowed" >"$share/hosts"
fi
if [ "$(state)" = active ]; then
  write_state
  write_rules
  write_index
  nft -f "$share/rules.nft" || fail 'the rules of the relay do not load'
else
  [ -e "$share/tokens" ] || rm -rf "$share"
  mkdir -p "$share"
  write_state
  write_rules
  write_index
  start_unit
fi
await_listener
echo "relay: listens"
