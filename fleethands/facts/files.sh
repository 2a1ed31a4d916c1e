# shellcheck disable=SC2154 # shell.sh sets newline and word
# Files by path: kind, mode, owner and content.
: "${home:?}" "${files:?}"

# One `stat` reads all files, and one `readlink` all symlinks.
read_files() {
  need timeout stat readlink base64 tr || return $?
  set --
  while IFS= read -r path; do
    case $path in @home*) path=$home${path#@home} ;; esac
    case $path in
      # a symlink to a directory counts as the directory, if only root can have made the symlink
      */) path=${path%/} && if [ -L "$path" ] && [ -d "$path" ] && only_roots "$path"; then path=$path/; fi ;;
    esac
    set -- "$@" "$path"
  done <<END
$files
END
  known=$(known_files "$@")
  link_targets "$@"
  for path in "$@"; do
    case $known in "$newline"*) known=${known#?} ;; esac
    case ${known%%"$newline"*} in
      *" $path")
        one_file "$path" "${known%%" $path$newline"*}"
        known=${known#*" $path"}
        ;;
      *) echo absent ;;
    esac
  done
}

# PATH...: a line for each that exists, in the same order, and a line at the end
known_files() {
  for path in "$@"; do
    shift
    if [ -L "$path" ] || [ -e "$path" ]; then set -- "$@" "$path"; fi
  done
  [ $# -eq 0 ] || stat -c '%a %u %g %U %G %s %Y %n' "$@"
  echo .
}

# PATH...: two lines in $targets for each symlink among them, in the same order: its path and its target; nothing where a
# target has several lines, a path is no symlink any more, or this `readlink` takes one path only
link_targets() {
  targets=''
  for path in "$@"; do
    shift
    [ ! -L "$path" ] || set -- "$@" "$path"
  done
  [ $# -gt 0 ] || return 0
  found=$(readlink "$@" && echo .) || return 0
  lines=0
  while IFS= read -r _; do lines=$((lines + 1)); done <<END
$found
END
  [ "$lines" -eq $(($# + 1)) ] || return 0
  for path in "$@"; do
    targets=$targets$path$newline${found%%"$newline"*}$newline
    found=${found#*"$newline"}
  done
}

# PATH META, where META are its fields in a line of `known_files`
one_file() {
  path=$1 meta=$2
  # shellcheck disable=SC2086
  set -- $meta
  if [ -L "$path" ]; then
    target_of "$path"
    printf '%s\n' "link $2 $3 $word"
    return
  fi
  kind=other
  [ -f "$path" ] && kind='file'
  [ -d "$path" ] && kind=directory
  word=-
  if [ "$kind" = file ] && [ "$6" -gt 0 ] && [ "$6" -le 65536 ]; then
    case $path in /opt/openhands/*/*) joined "$(held "$path" | base64)" ;; *) joined "$(base64 <"$path")" ;; esac
  fi
  printf '%s\n' "$kind $meta ${word:--}"
}

# SYMLINK: its target in $word. Another account may make or remove a symlink at any moment, so the next two lines of $targets
# may be those of another path.
target_of() {
  case $targets in
    "$1$newline"*)
      targets=${targets#*"$newline"}
      spell "${targets%%"$newline"*}"
      targets=${targets#*"$newline"}
      ;;
    *) joined "$(readlink "$1" | base64)" ;;
  esac
}
