# Installs one Ollama release next to the others and makes it the current one. The running Ollama is not touched before the
# archive's checksum is right and its binary has reported the right version.
#   archives, digests: its files, and their checksums in the format of sha256sum.txt, as far as they are declared or pinned
#   sha256: checksum of the main archive, if declared or pinned
#   sent, prefix: yes if the controller uploaded the archives, and how their names begin in the login user's home
#   by_proxy: yes if Ollama's environment has a proxy
#   keep, spare: how many releases stay on the host, and those that release records name
#   renew: command that pins the release again; empty without a lockfile
#   fetcher: text of a unit's script on a host that fetches parts (fetch.sh); otherwise empty
#   keeps_parts: yes on a host that keeps its archives (keep_parts.sh)
: "${version:?}" "${url:?}" "${archives:?}" "${sha256?}" "${variant:?}" "${keep:?}" "${spare?}" "${prefix:?}" "${sent?}"
: "${digests?}" "${renew?}" "${by_proxy?}" "${fetcher?}" "${keeps_parts:?}"
home=/opt/ollama/$version
work=/opt/ollama/.incoming
hint_again='the run can be repeated: nothing on the host was changed'

# download NAME PATH MAX_BYTES: a file of the release. curl's own limit only counts if the server announces the size.
download() {
  (
    trap '' XFSZ
    ulimit -f $(($3 / 512))
    with_proxy curled "$url" --fail --connect-timeout 15 --speed-limit 1024 --speed-time 60 --max-time 14400 --retry 3 --retry-delay 2 \
      --max-filesize "$3" --output "$2" "$url/v$version/$1"
  )
}

# with_proxy COMMAND…: through Ollama's proxy. If that fails, the host's own route is tried.
with_proxy() {
  (exported && "$@") && return 0 || ended=$?
  if [ -n "$by_proxy" ] && [ "$ended" -ne 23 ] && [ "$ended" -ne 63 ]; then "$@"; else return "$ended"; fi
}

is_installed() {
  [ -f "$home/.fleethands" ] && [ ! -L "$home" ] &&
    read -r was_sha256 was_size was_mtime was_variant <"$home/.fleethands" &&
    [ "$(stat -c '%s %Y %a %u' "$home/bin/ollama")" = "$was_size $was_mtime 755 0" ] &&
    [ "${was_variant:-whole}" = "$variant" ] &&
    { [ -z "$sha256" ] || [ "$was_sha256" = "$sha256" ]; }
}

install_release() {
  rm -rf "$work"
  sender=$(getent passwd "${SUDO_USER:-root}" | cut -d : -f 6)
  remove_at_end "$work"
  mkdir -p "$work/tree"
  [ -z "$sent" ] || take_upload
  require_zstd
  check_space
  main_sha256=$sha256 fetched=''
  for archive in $archives; do
    fetch_archive
    : "${main_sha256:=$expected}"
  done
  archive=${archives%% *}
  case $archive in *.tar) main_sha256=$(listed_checksum "$archive.zst") ;; esac # the controller took zstd's compression off
  check_binary
  stamp=$(stat -c '%s %Y' "$work/tree/bin/ollama")
  echo "$main_sha256 $stamp $variant" >"$work/tree/.fleethands"
  sync -f "$work/tree"
  require_lock_token
  printf '%s\n' "$fetched" | keep_parts release ollama
  [ ! -e "$home" ] || mv -T "$home" "$work/before"
  mv -T "$work/tree" "$home"
}

# the controller uploads to the home of the user that it logs in as
take_upload() {
  for name in sums $archives; do
    mv "$sender/$prefix$name" "$work/$name" || fail "$name did not arrive from the controller" "$hint_again"
  done
}

require_zstd() {
  case $archives in
    *.zst*) command -v zstd >/dev/null || fail "zstd is missing, $archives cannot be unpacked" 'on the host: apt-get install zstd' ;;
  esac
}

# archive_bytes NAME: as the server announces it; 0 if it does not. After redirects, the last response counts.
archive_bytes() {
  if [ -n "$fetcher" ] && complete=$(complete_part "$1"); then
    stat -c %s "$complete"
    return
  fi
  if [ -n "$sent" ]; then
    stat -c %s "$work/$1"
    return
  fi
  known=$(printf %s "$digests" | archive=$1 pick_checksum)
  if [ -n "$fetcher" ] && [ -n "$known" ] && [ -e "$(part_file "$known")" ]; then
    stat -c %s "$(part_file "$known")"
    return
  fi
  with_proxy at_most 65536 curled "$url" --fail --head --connect-timeout 15 --max-time 30 "$url/v$version/$1" 2>/dev/null | tr -d '\r' |
    awk 'tolower($1) == "content-length:" { size = $2 ~ /^[0-9]+$/ && length($2) <= 15 ? $2 : 0 } END { printf "%.0f\n", size }'
}

# Space for the archives and their files: upstream's unpack to some 2.3 times their size, without the GPU libraries to far less.
check_space() {
  needed=0
  for archive in $archives; do
    bytes=$(archive_bytes "$archive")
    needs=$((bytes / 1048576))
    echo "$needs $bytes" >"$work/$archive.size"
    tree=$((needs * 25 / 10))
    case $archive in *.tar) tree=$needs ;; esac
    [ "$variant" != cpu ] || [ "$tree" -lt 256 ] || tree=256
    needed=$((needed + needs + tree))
  done
  free=$(df -Pk "$work" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$needed" -le "$free" ] || fail "/opt has $free MiB free, $needed MiB are needed for $archives" \
    'nothing was downloaded; on the host: df -h /opt' "without a GPU less is needed: declare ollama_variant as cpu"
}

# downloads, checks and unpacks $archive into the tree, then removes it
fetch_archive() {
  expected=$(printf %s "$digests" | pick_checksum)
  case $archive in *.tar) expected='' ;; esac
  [ -n "$expected" ] || [ -z "$fetcher" ] || expected=$(known_digest "$archive")
  [ -n "$expected" ] || look_up_checksum
  [ -n "$sent" ] || download_archive
  received=$(sha256sum "$work/$archive" | cut -d ' ' -f 1)
  if [ "$received" != "$expected" ]; then
    [ -z "$fetcher" ] || rm -f "$(part_file "$expected")" # the disk damaged it
    fail "$archive of Ollama $version is not what was expected: expected sha256 $expected, received $received" \
      ${renew:+"if upstream really replaced it, $renew --only $version"} "$hint_again"
  fi
  unpack || fail "cannot unpack $archive" "free space: $(df -Ph /opt | awk 'NR == 2 { print $4 }')" "$hint_again"
  check_file_types
  rm "$work/$archive"
}

# An archive may have its announced size, or three quarters of the free space if no size was announced.
download_archive() {
  read -r most bytes <"$work/$archive.size"
  if [ -n "$fetcher" ]; then
    fetch_archive_part
    return
  fi
  [ "$most" -gt 0 ] || most=$(df -Pk "$work" | awk 'NR == 2 { free = int($4 / 1365); print free < 16384 ? free : 16384 }')
  download "$archive" "$work/$archive" $(((most + 1) * 1048576)) && return 0 || ended=$?
  case $ended in
    23 | 63) fail "$url/v$version/$archive has more than the $most MiB that it may have" "$hint_again" 'on the host: df -h /opt' ;;
    *) fail "cannot fetch $url/v$version/$archive" "$hint_again" ;;
  esac
}

# by its digest, in a unit. The part is renamed, or copied to another file system. Neighbors may still want it, now or later.
fetch_archive_part() {
  fetch_in_unit release "$version" "$bytes
sha256:$expected - $url/v$version/$archive"
  if keep_shared "$expected" || [ "$keeps_parts" = yes ]; then
    ln -T "$(part_file "$expected")" "$work/$archive" 2>/dev/null || cp -T "$(part_file "$expected")" "$work/$archive"
  else
    mv -T "$(part_file "$expected")" "$work/$archive"
  fi || fail "cannot move $archive to $work" 'on the host: df -h /opt' "$hint_again"
  rm -rf "${place:?}"
  fetched="$fetched${fetched:+
}sha256:$expected"
}

# known_digest NAME: of an archive whose digest is declared or pinned, or which a bundle brought
known_digest() {
  digest=$(printf %s "$digests" | archive=$1 pick_checksum)
  [ -n "$digest" ] || digest=$(delivered_digest release "$version/$1")
  echo "${digest#sha256:}"
}

# complete_part NAME: the file of an archive that this host has already, as a part
complete_part() {
  file=$(part_file "$(known_digest "$1")")
  [ -f "$file" ] && echo "$file"
}

pick_checksum() { awk -v name="./$archive" '$2 == name && $1 ~ /^[0-9a-f]+$/ && length($1) == 64 { print $1; exit }'; }
listed_checksum() { archive=$1 pick_checksum <"$work/sums"; }

look_up_checksum() {
  [ -f "$work/sums" ] || download sha256sum.txt "$work/sums" 1048576 ||
    fail "cannot fetch $url/v$version/sha256sum.txt" "give the archive's digest as ollama_sha256, or a mirror as ollama_url" "$hint_again"
  expected=$(listed_checksum "$archive")
  [ -n "$expected" ] || fail "$url/v$version/sha256sum.txt names no $archive" "$hint_again"
}

# Upstream's archives unpack to some 2.3 times their size. A stream is cut after ten times, or when the disk is almost full.
unpack_limit() {
  df -Pk "$work/tree" | awk -v size="$(stat -c %s "$work/$archive")" 'NR == 2 {
    most = size * 10 + 67108864
    free = ($4 - 16384) * 1024
    if (free < most) most = free
    printf "%.0f\n", (most > 0 ? most : 0)
  }'
}

decompress() {
  case $archive in
    *.tar.zst) zstd -dc ;;
    *.tar) cat ;;
    *) gzip -dc ;;
  esac <"$work/$archive"
}

# tar runs without the capabilities to make devices or to give files capabilities
unpack() {
  set --
  [ "$variant" != cpu ] || set -- --exclude='lib/ollama/cuda_*' --exclude='lib/ollama/vulkan'
  { decompress || : >"$work/broken"; } | head -c "$(unpack_limit)" |
    setpriv --bounding-set=-mknod,-setfcap --inh-caps=-mknod,-setfcap \
      tar -xf - -C "$work/tree" --no-same-owner --no-same-permissions "$@" &&
    [ ! -e "$work/broken" ] && chown -hR 0:0 "$work/tree" && chmod -R u+rw,u-s,g-s,o-t,go-w "$work/tree" && chmod 755 "$work/tree"
}

# symlinks must stay inside the release: every user who runs Ollama follows them
check_file_types() {
  odd=$(find "$work/tree" ! -type f ! -type d ! -type l -print -quit)
  inside=$(realpath "$work/tree" | sed 's/[][\\.*^$]/\\&/g') # /opt may be a link
  [ -n "$odd" ] || odd=$(find "$work/tree" -type l -exec realpath -zm -- {} + | grep -zv "^$inside/" | tr '\0' '\n' | head -n 1)
  [ -z "$odd" ] || fail "$archive holds more than files and links among them: $(printf %s "$odd" | head -c 200)" "$hint_again"
}

# The binary is untrusted: it runs as a dynamic user of systemd's, without a network, and systemd ends all its processes.
run_version() {
  systemctl stop fleethands-check 2>/dev/null || true # left by a run that was interrupted
  set -- "$1" --version
  for each in DynamicUser NoNewPrivileges PrivateDevices PrivateNetwork PrivateTmp ProtectControlGroups ProtectHome \
    ProtectKernelModules ProtectKernelTunables RestrictSUIDSGID; do
    set -- --property "$each=yes" "$@"
  done
  systemd-run --quiet --wait --pipe --collect --unit fleethands-check --property ProtectSystem=strict \
    --property CapabilityBoundingSet= --property RuntimeMaxSec=30 --property TimeoutStopSec=2 \
    --setenv OLLAMA_HOST=127.0.0.1:9 --setenv HOME=/tmp "$@" 2>&1 </dev/null 9>&- | head -c 4096 | tr -cd '\n -~'
}

check_binary() {
  [ -f "$work/tree/bin/ollama" ] && [ ! -L "$work/tree/bin/ollama" ] || fail "$archive holds no bin/ollama" "$hint_again"
  chmod 755 "$work/tree/bin" "$work/tree/bin/ollama"
  said=$(run_version "$work/tree/bin/ollama") || true
  case "$said " in
    *"$version "* | *"$version"[![:alnum:].-]*) ;;
    *) fail "the binary in $archive is not Ollama $version: it says \`$(echo "$said" | tail -n 1)\`" "$hint_again" ;;
  esac
}

swap_symlink() {
  [ "$(readlink "$2" 2>/dev/null)" = "$1" ] && return 0
  ln -sfn "$1" "$2.fleethands"
  mv -fT "$2.fleethands" "$2"
}

mkdir -p /opt/ollama /usr/local/bin
is_installed || install_release
if [ -n "${sender:-}" ]; then rm -f "$sender/$prefix"*; fi # left by an interrupted upload
before=$(readlink /opt/ollama/current || true)
swap_symlink "$version" /opt/ollama/current
swap_symlink /opt/ollama/current/bin/ollama /usr/local/bin/ollama

# The previous release and those of the release records stay for a rollback. After a repair of the current release, the newest
# of the others stays instead.
others=$keep
if [ -n "$before" ] && [ "$before" != "$version" ]; then others=$((keep - 1)); fi
set -- -e "$home" -e "/opt/ollama/${before:-$version}"
for each in $spare; do set -- "$@" -e "/opt/ollama/$each"; done
find /opt/ollama/ -mindepth 2 -maxdepth 2 -name .fleethands -printf '%T@ %h\n' | sort -rn | cut -d ' ' -f 2- |
  grep -vxF "$@" | tail -n "+$others" | while IFS= read -r old; do
  rm -rf "$old"
done
