# Puts one Ollama release beside the others and makes it the current one. Nothing that serves is touched
# before the archive's sha256 is right and its binary has said its version.
: "${version:?}" "${url:?}" "${archives:?}" "${sha256?}" "${variant:?}" "${keep:?}" "${spare?}" "${prefix:?}" "${sent?}"
: "${digests?}" "${renew?}" "${by_proxy?}"
home=/opt/ollama/$version
work=/opt/ollama/.incoming
hint_again='the run can be repeated: nothing on the host was changed'

# fetch NAME PLACE MOST: a file of the release, of at most so many bytes; curl's own limit knows only announced ones
fetch() {
  (
    trap '' XFSZ
    ulimit -f $(($3 / 512))
    out curled "$url" --fail --connect-timeout 15 --speed-limit 1024 --speed-time 60 --max-time 14400 --retry 3 --retry-delay 2 \
      --max-filesize "$3" --output "$2" "$url/v$version/$1"
  )
}

# out COMMAND…: by the proxy that Ollama has; where that does not lead there, as the host itself goes
out() {
  (exported && "$@") && return 0 || ended=$?
  if [ -n "$by_proxy" ] && [ "$ended" -ne 23 ] && [ "$ended" -ne 63 ]; then "$@"; else return "$ended"; fi
}

sound() {
  [ -f "$home/.fleethands" ] && [ ! -L "$home" ] &&
    read -r was_sha256 was_size was_mtime was_variant <"$home/.fleethands" &&
    [ "$(stat -c '%s %Y %a %u' "$home/bin/ollama")" = "$was_size $was_mtime 755 0" ] &&
    [ "${was_variant:-whole}" = "$variant" ] &&
    { [ -z "$sha256" ] || [ "$was_sha256" = "$sha256" ]; }
}

bring() {
  rm -rf "$work"
  sender=$(getent passwd "${SUDO_USER:-root}" | cut -d : -f 6)
  remove_at_end "$work"
  mkdir -p "$work/tree"
  [ -z "$sent" ] || receive
  able
  room
  main_sha256=$sha256
  for archive in $archives; do
    take
    : "${main_sha256:=$expected}"
  done
  archive=${archives%% *}
  case $archive in *.tar) main_sha256=$(listed "$archive.zst") ;; esac # the controller took zstd's compression off
  check
  stamp=$(stat -c '%s %Y' "$work/tree/bin/ollama")
  echo "$main_sha256 $stamp $variant" >"$work/tree/.fleethands"
  sync -f "$work/tree"
  require_lock_token
  [ ! -e "$home" ] || mv -T "$home" "$work/before"
  mv -T "$work/tree" "$home"
}

# what the controller sent lies in the home of the user that it came as
receive() {
  for name in sums $archives; do
    mv "$sender/$prefix$name" "$work/$name" || fail "$name did not arrive from the controller" "$hint_again"
  done
}

able() {
  case $archives in
    *.zst*) command -v zstd >/dev/null || fail "zstd is missing, $archives cannot be unpacked" 'on the host: apt-get install zstd' ;;
  esac
}

# what a server says of an archive's size in bytes; 0 where it says nothing. The last answer counts, behind redirects.
size() {
  if [ -n "$sent" ]; then
    echo $(($(stat -c %s "$work/$1") / 1048576))
    return
  fi
  out at_most 65536 curled "$url" --fail --head --connect-timeout 15 --max-time 30 "$url/v$version/$1" 2>/dev/null | tr -d '\r' |
    awk 'tolower($1) == "content-length:" { size = $2 ~ /^[0-9]+$/ && length($2) <= 15 ? $2 : 0 } END { printf "%.0f\n", size / 1048576 }'
}

# the archive and what comes out of it: upstream's unpack to some 2.3 times their size, without the GPU libraries to far less
room() {
  needed=0
  for archive in $archives; do
    needs=$(size "$archive")
    echo "$needs" >"$work/$archive.size"
    tree=$((needs * 25 / 10))
    case $archive in *.tar) tree=$needs ;; esac
    [ "$variant" != cpu ] || [ "$tree" -lt 256 ] || tree=256
    needed=$((needed + needs + tree))
  done
  free=$(df -Pk "$work" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$needed" -le "$free" ] || fail "/opt has $free MiB free, $needed MiB are needed for $archives" \
    'nothing was downloaded; on the host: df -h /opt' "without a GPU less is needed: declare ollama_variant as cpu"
}

# the archive is fetched, checked and unpacked into the tree, and gone
take() {
  expected=$(printf %s "$digests" | of_archive)
  case $archive in *.tar) expected='' ;; esac
  [ -n "$expected" ] || look_up
  [ -n "$sent" ] || bring_archive
  received=$(sha256sum "$work/$archive" | cut -d ' ' -f 1)
  [ "$received" = "$expected" ] ||
    fail "$archive of Ollama $version is not what was expected: expected sha256 $expected, received $received" \
      ${renew:+"if upstream really replaced it, $renew --only $version"} "$hint_again"
  unpack || fail "cannot unpack $archive" "free space: $(df -Ph /opt | awk 'NR == 2 { print $4 }')" "$hint_again"
  only_files
  rm "$work/$archive"
}

# an archive may have what was announced, or three quarters of what is free where nothing was
bring_archive() {
  read -r most <"$work/$archive.size"
  [ "$most" -gt 0 ] || most=$(df -Pk "$work" | awk 'NR == 2 { free = int($4 / 1365); print free < 16384 ? free : 16384 }')
  fetch "$archive" "$work/$archive" $(((most + 1) * 1048576)) && return 0 || ended=$?
  case $ended in
    23 | 63) fail "$url/v$version/$archive has more than the $most MiB that it may have" "$hint_again" 'on the host: df -h /opt' ;;
    *) fail "cannot fetch $url/v$version/$archive" "$hint_again" ;;
  esac
}

of_archive() { awk -v name="./$archive" '$2 == name && $1 ~ /^[0-9a-f]+$/ && length($1) == 64 { print $1; exit }'; }
listed() { archive=$1 of_archive <"$work/sums"; }

look_up() {
  [ -f "$work/sums" ] || fetch sha256sum.txt "$work/sums" 1048576 ||
    fail "cannot fetch $url/v$version/sha256sum.txt" "give the archive's digest as ollama_sha256, or a mirror as ollama_url" "$hint_again"
  expected=$(listed "$archive")
  [ -n "$expected" ] || fail "$url/v$version/sha256sum.txt names no $archive" "$hint_again"
}

# Upstream's archives unpack to some 2.3 times their size. A stream that goes on beyond ten times, or beyond what is free, is cut.
stream_limit() {
  df -Pk "$work/tree" | awk -v size="$(stat -c %s "$work/$archive")" 'NR == 2 {
    most = size * 10 + 67108864
    free = ($4 - 16384) * 1024
    if (free < most) most = free
    printf "%.0f\n", (most > 0 ? most : 0)
  }'
}

stream() {
  case $archive in
    *.tar.zst) zstd -dc ;;
    *.tar) cat ;;
    *) gzip -dc ;;
  esac <"$work/$archive"
}

# without the right to make a device, or a file with rights of its own
unpack() {
  set --
  [ "$variant" != cpu ] || set -- --exclude='lib/ollama/cuda_*' --exclude='lib/ollama/vulkan'
  { stream || : >"$work/broken"; } | head -c "$(stream_limit)" |
    setpriv --bounding-set=-mknod,-setfcap --inh-caps=-mknod,-setfcap \
      tar -xf - -C "$work/tree" --no-same-owner --no-same-permissions "$@" &&
    [ ! -e "$work/broken" ] && chown -hR 0:0 "$work/tree" && chmod -R u+rw,u-s,g-s,o-t,go-w "$work/tree" && chmod 755 "$work/tree"
}

# a link is followed by whoever runs Ollama, so it stays inside
only_files() {
  odd=$(find "$work/tree" ! -type f ! -type d ! -type l -print -quit)
  inside=$(realpath "$work/tree" | sed 's/[][\\.*^$]/\\&/g') # /opt may be a link
  [ -n "$odd" ] || odd=$(find "$work/tree" -type l -exec realpath -zm -- {} + | grep -zv "^$inside/" | tr '\0' '\n' | head -n 1)
  [ -z "$odd" ] || fail "$archive holds more than files and links among them: $(printf %s "$odd" | head -c 200)" "$hint_again"
}

# Nobody has run this binary yet: it runs as a user that systemd makes for it, without a network, and what it leaves behind is ended.
version_of() {
  systemctl stop fleethands-check 2>/dev/null || true # of a run that was ended half-way
  set -- "$1" --version
  for each in DynamicUser NoNewPrivileges PrivateDevices PrivateNetwork PrivateTmp ProtectControlGroups ProtectHome \
    ProtectKernelModules ProtectKernelTunables RestrictSUIDSGID; do
    set -- --property "$each=yes" "$@"
  done
  systemd-run --quiet --wait --pipe --collect --unit fleethands-check --property ProtectSystem=strict \
    --property CapabilityBoundingSet= --property RuntimeMaxSec=30 --property TimeoutStopSec=2 \
    --setenv OLLAMA_HOST=127.0.0.1:9 --setenv HOME=/tmp "$@" 2>&1 </dev/null 9>&- | head -c 4096 | tr -cd '\n -~'
}

check() {
  [ -f "$work/tree/bin/ollama" ] && [ ! -L "$work/tree/bin/ollama" ] || fail "$archive holds no bin/ollama" "$hint_again"
  chmod 755 "$work/tree/bin" "$work/tree/bin/ollama"
  said=$(version_of "$work/tree/bin/ollama") || true
  case "$said " in
    *"$version "* | *"$version"[![:alnum:].-]*) ;;
    *) fail "the binary in $archive is not Ollama $version: it says \`$(echo "$said" | tail -n 1)\`" "$hint_again" ;;
  esac
}

point() {
  [ "$(readlink "$2" 2>/dev/null)" = "$1" ] && return 0
  ln -sfn "$1" "$2.fleethands"
  mv -fT "$2.fleethands" "$2"
}

mkdir -p /opt/ollama /usr/local/bin
sound || bring
if [ -n "${sender:-}" ]; then rm -f "$sender/$prefix"*; fi # of an upload that was cut off
before=$(readlink /opt/ollama/current || true)
point "$version" /opt/ollama/current
point /opt/ollama/current/bin/ollama /usr/local/bin/ollama

# the one before this and those of the records stay for a rollback; after a repair of this one, the newest of the others
others=$keep
if [ -n "$before" ] && [ "$before" != "$version" ]; then others=$((keep - 1)); fi
set -- -e "$home" -e "/opt/ollama/${before:-$version}"
for each in $spare; do set -- "$@" -e "/opt/ollama/$each"; done
find /opt/ollama/ -mindepth 2 -maxdepth 2 -name .fleethands -printf '%T@ %h\n' | sort -rn | cut -d ' ' -f 2- |
  grep -vxF "$@" | tail -n "+$others" | while IFS= read -r old; do
  rm -rf "$old"
done
