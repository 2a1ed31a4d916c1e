# shellcheck disable=SC2154 # shell.sh sets word, directories.sh entries
# The system itself: kernel, disks, packages, accounts, units.
: "${newline:?}" "${home:?}" "${packages:?}" "${accounts:?}" "${groups:?}" "${units:?}" "${places:?}"

read_system() {
  need id uname date || return $?
  echo "uid $(id -u)"
  both=$(uname -rm)
  printf '%s\n' "arch ${both##* }" "kernel ${both% *}"
  echo "clock $(date +%s)"
  memory=0
  while read -r label kib _; do
    case $label in MemAvailable: | SwapFree:) memory=$((memory + kib)) ;; esac
  done </proc/meminfo && echo "memory $memory"
  if [ -r /etc/os-release ]; then
    (
      ID='' VERSION_ID='' PRETTY_NAME=''
      # shellcheck disable=SC1091
      . /etc/os-release
      printf '%s\n' "id $ID" "version $VERSION_ID" "name $PRETTY_NAME"
    )
  fi
  if [ -d /run/systemd/system ]; then
    need timeout systemctl || return $?
    echo "systemd $(limit systemctl is-system-running)"
  fi
  true
}

# The mount decides whether a directory is writable: busybox' `test -w` is always true for root.
read_disk() {
  need timeout stat awk || return $?
  disk_of "$places"
}

# DIRECTORIES, one a line: all sizes, then all devices, then all modes
disk_of() {
  asked=$1
  shift
  IFS=$newline
  set -f
  for place in $asked; do
    case $place in @home*) place=$home${place#@home} ;; esac
    while [ ! -d "$place" ]; do place=${place%/*} && place=${place:-/}; done
    cd -P "$place" || return 1 # the device of a symlink itself is of no use
    set -- "$@" "$PWD"
  done
  limit stat -f -c '%a %S %T' "$@" || return $?
  stat -c %d "$@" || return $?
  # shellcheck disable=SC2016
  awk 'BEGIN { for (i = 2; i < ARGC; i++) { place[i] = ARGV[i]; ARGV[i] = "" } }
    { point = $5; gsub(/\\040/, " ", point); under = point == "/" ? point : point "/" }
    { mode = $6 ~ /^ro(,|$)/ || $NF ~ /^ro(,|$)/ ? "read-only" : "writable" }
    { if ($6 ~ /(^|,)noexec(,|$)/) mode = mode ",noexec" }
    { for (i in place) if (index(place[i] "/", under) == 1 && length(point) >= best[i]) { best[i] = length(point); found[i] = mode } }
    END { for (i = 2; i in place; i++) print found[i] }' /proc/self/mountinfo "$@"
}

read_packages() {
  need dpkg-query || return $?
  # shellcheck disable=SC2086,SC2016
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages
  true
}

read_accounts() {
  need getent id tr || return $?
  while IFS= read -r line; do
    name=${line%%:*}
    [ -n "$name" ] || continue
    joined "$(id -nG "$name")" ,
    printf '%s\n' "user $word $line"
  done <<END
$entries
END
  # shellcheck disable=SC2086
  known=$(getent group $groups)
  while IFS= read -r line; do
    [ -z "$line" ] || printf '%s\n' "group $line"
  done <<END
$known
END
}

# STATUS LINES of `show_units`
read_units() {
  [ -z "$2" ] || printf '%s\n' "$2"
  return "$1"
}

# They are read once, because the section `process` needs them too. The first one is ollama.service.
show_units() {
  need timeout systemctl || return $?
  # shellcheck disable=SC2086
  limit systemctl show $units -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p MainPID \
    -p NeedDaemonReload -p DropInPaths -p FragmentPath -p NRestarts -p Result
}
