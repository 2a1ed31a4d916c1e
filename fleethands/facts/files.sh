# Files by path: kind, mode, owner and content.
: "${home:?}" "${files:?}"

one_file() {
  if [ -L "$1" ]; then
    owner=$(stat -c '%u %g' "$1") || { echo absent && return; }
    echo "link $owner $(readlink "$1" | encoded)"
  elif [ ! -e "$1" ] || ! meta=$(stat -c '%a %u %g %U %G %s %Y' "$1"); then
    echo absent
  else
    kind=other
    [ -f "$1" ] && kind='file'
    [ -d "$1" ] && kind=directory
    size=${meta% *}
    size=${size##* }
    content=-
    if [ "$kind" = file ] && [ "$size" -le 65536 ]; then
      case $1 in /opt/openhands/*/*) content=$(held "$1" | encoded) ;; *) content=$(encoded <"$1") ;; esac
    fi
    echo "$kind $meta ${content:--}"
  fi
}

# A symlink to a directory counts as the directory, if only root can have made the symlink.
one_directory() {
  if [ -L "$1" ] && [ -d "$1" ] && only_roots "$1"; then one_file "$1/"; else one_file "$1"; fi
}

read_files() {
  need timeout stat readlink base64 tr || return $?
  printf '%s\n' "$files" | while IFS= read -r path; do
    case $path in @home*) path=$home${path#@home} ;; esac
    case $path in */) one_directory "${path%/}" ;; *) one_file "$path" ;; esac
  done
}
