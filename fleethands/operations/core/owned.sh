# Safe work in directories that root does not own: of the agent, of Ollama, of another account. The owner of a directory can
# replace its content at any moment, so root uses no path that leads through it. Root works there as the owner, or from within
# the directory.

# numbers_of USER[:GROUP]: prints UID:GID; without a group, that of the user's name
numbers_of() (
  user=${1%%:*} group=${1#*:}
  case $user in '' | *[!0-9]*) user=$(id -u "$user") || exit 1 ;; esac
  case $group in '' | *[!0-9]*) group=$(getent group "$group" | cut -d : -f 3) ;; esac
  [ -n "$group" ] && echo "$user:$group"
)

# as_owner UID:GID SECONDS COMMAND…: run it without root's rights, environment, directory and open files; fails for root's UID
as_owner() (
  case $1 in '' | *[!0-9:]*) exit 1 ;; esac
  [ "${1%:*}" -gt 0 ] || exit 1
  owner=$1 seconds=$2 groups=--clear-groups
  shift 2
  ! getent passwd "${owner%:*}" >/dev/null || groups=--init-groups # as systemd gives them to a service of that user
  cd / && exec timeout -s KILL "$seconds" setpriv --reuid "${owner%:*}" --regid "${owner#*:}" "$groups" --no-new-privs \
    --inh-caps=-all --bounding-set=-all env -i PATH="$PATH" LC_ALL=C "$@" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
)

# only_roots DIRECTORY: status 0 if only root can write to it
only_roots() {
  [ -n "$(find "$1" -maxdepth 0 -type d -uid 0 ! -perm -0002 2>/dev/null)" ] &&
    { [ -z "$(find "$1" -maxdepth 0 -perm -0020 ! -gid 0)" ] || is_empty_group "$(stat -c %g "$1")"; }
}

# is_empty_group GID: status 0 for a group without members, such as Debian's staff
is_empty_group() { [ -z "$(getent group "$1" | cut -d : -f 4)" ] && ! getent passwd | cut -d : -f 4 | grep -qx "$1"; }

# real_path PATH: prints where it leads to. It follows only symlinks that root made in directories of root's. Status 1: a
# directory above PATH is not root's.
real_path() (
  real='' left=$1/ hops=0 foreign=''
  while [ -n "$left" ]; do
    name=${left%%/*} left=${left#*/}
    case $name in '' | .) continue ;; ..) real=${real%/*} && continue ;; esac
    [ -n "$foreign" ] || { [ ! -e "${real:-/}" ] && [ ! -L "$real" ]; } || only_roots "${real:-/}" || foreign=yes
    next=$real/$name
    if [ -z "$foreign" ] && [ -L "$next" ] && [ "$(stat -c %u "$next")" = 0 ] && [ "$hops" -lt 40 ]; then
      target=$(readlink "$next") hops=$((hops + 1))
      case $target in /*) real='' ;; esac
      left=$target/$left
    else
      real=$next
    fi
  done
  printf '%s\n' "${real:-/}"
  [ -z "$foreign" ]
)

# within DIRECTORY COMMAND…: run it in the directory itself, even if the path leads elsewhere a moment later
within() (
  place=$(real_path "$1") || true
  cd -P "$place" 2>/dev/null && [ "$(pwd -P)" = "$place" ] || exit 1
  shift
  "$@"
)

# make_within PATH: create a directory and its missing parents
make_within() { [ -d "$1" ] || { make_within "$(dirname "$1")" && within "$(dirname "$1")" mkdir "./$(basename "$1")"; }; }

# read_as UID:GID FILE [OPTION…]: print the file as its owner. It neither waits for a pipe nor follows a symlink.
read_as() (
  owner=$1 file=$2
  shift 2
  as_owner "$owner" 3600 dd if="$file" bs=1M iflag=nofollow,nonblock,fullblock status=none "$@" 2>/dev/null
)

# owned_file PATH MODE OWNER: standard input replaces the file as a whole, in a directory of the owner's
owned_file() {
  [ "${3%%:*}" != root ] || fail "$1 is not written: others than root can write in a directory above it" "on the host: namei -l '$1'"
  # shellcheck disable=SC2016
  said=$(as_owner "$(numbers_of "$3")" 60 sh -c 'umask 077
    new=$(mktemp "${1%/*}/.fleethands-XXXXXX") && cat >"$new" && chmod "$2" "$new" && sync "$new" && mv -fT "$new" "$1" &&
      echo written && exit
    rm -f "$new"' sh "$1" "$2" 2>&1 | head -c 1000 | head -n 1)
  [ "$said" = written ] || fail "$3 cannot write $1${said:+: $said}" "on the host: ls -ld '${1%/*}'; df -h '${1%/*}'"
}

# has_mounts DIRECTORY: status 0 if another file system is mounted somewhere in it
has_mounts() {
  # shellcheck disable=SC2016
  below=$1/ awk '{ gsub(/\\040/, " ", $5); gsub(/\\134/, "\\", $5); if (index($5, ENVIRON["below"]) == 1) found = 1 } END { exit !found }' \
    /proc/self/mountinfo
}

# give_tree DIRECTORY UID UID:GID: change the owner of all files in it that belong to UID. It does not follow symlinks, and
# leaves other file systems alone.
give_tree() { within "$1" give_here "$2" "$3"; }
give_here() {
  set -- "$1" "+${2%:*}:+${2#*:}"
  if [ "$1" = 0 ] || has_mounts "$(pwd -P)"; then # the second name of a hard link of root's may be anywhere
    find . -xdev -mindepth 1 -uid "$1" ! \( -uid 0 ! -type d -links +1 \) -execdir chown -h --from="+$1" "$2" {} + &&
      chown -h --from="+$1" "$2" .
  else
    chown -R -h -P --from="+$1" "$2" .
  fi
}

# remove_tree PATH: remove it with its content, except other file systems; of a symlink, only the symlink
remove_tree() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  within "$(dirname "$1")" rm -rf --one-file-system "./$(basename "$1")" ||
    fail "$1 is not removed: its path leads through a link that root did not make" "on the host: namei -l '$1'"
}
