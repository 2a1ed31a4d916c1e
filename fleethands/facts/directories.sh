# shellcheck disable=SC2154 # shell.sh sets newline, the probe models_dir
# The home of Ollama, whether accounts can enter the directories that they use, and who owns the models.
: "${home:?}" "${directories?}" "${accounts:?}"

# The home of the account `ollama`, if the account owns that directory and its service can see it. Otherwise the home
# that upstream's installer makes.
own_home() {
  # shellcheck disable=SC2086 # the first of them is ollama; the section `accounts` prints all
  entries=$(getent passwd $accounts 2>/dev/null)
  case $entries in ollama:*) line=${entries%%"$newline"*} ;; *) return 0 ;; esac
  line=${line%:*} own=''
  case ${line##*:} in "$home" | /home/* | /root/* | /run/user/* | *[*?\\[]* | */../* | */..) ;; /*) own=${line##*:} ;; esac
  [ -n "$own" ] || return 0
  line=${line#*:*:}
  if [ -d "$own" ]; then
    [ "$(stat -L -c %u "$own")" = "${line%%:*}" ] || return 0
  elif [ "$own" != /var/lib/ollama ]; then # the home in later releases of upstream
    return 0
  fi
  home=$own
}

# Each line of $directories has a number, an account and a directory.
read_directories() {
  need timeout find head stat base64 tr || return $?
  [ "$home" = /usr/share/ollama ] || { spell "$home" && printf '%s\n' "home $word"; }
  all=''
  while read -r number account path; do
    follow || return 1
    [ "$real" = "$there" ] || { spell "${real%/}${path#"$there"}" && printf '%s\n' "leads $number $word"; }
    all=$all$above
  done <<END
$directories
END
  IFS=$newline
  set -f
  # shellcheck disable=SC2086
  closed=$newline$(find $all -maxdepth 0 ! -perm -0001)$newline
  unset IFS
  [ "$closed" = "$newline$newline" ] || barred
  models_kept
}

# The real path of $path, and all its parent directories, one a line, the uppermost first
follow() {
  case $path in @home*) path=$home${path#@home} ;; esac
  there=$path
  until [ -d "$there" ]; do there=${there%/*} && there=${there:-/}; done
  cd -P "$there" || return 1
  real=$PWD above='' up=$PWD
  [ "$there" != "$path" ] || up=${real%/*}
  while [ "${up:-/}" != / ]; do above=$up$newline$above up=${up%/*}; done
  above=/$newline$above
}

# The first parent of each of $directories that its account may not enter. A missing directory has no mode of its own.
barred() {
  while read -r number account path; do
    follow || return 1
    IFS=$newline
    for each in $above; do
      unset IFS
      case $closed in *"$newline$each$newline"*) ;; *) continue ;; esac
      may "$account" test -x "$each" || { told barred "$number" "$each" && break; }
    done
    unset IFS
  done <<END
$directories
END
}

# PATH: whether only root can write to its parent directories, and to those of its symlink target
only_roots() {
  leads=$(readlink -f "$1") && [ "$(stat -c %u "$1")" = 0 ] || return 1
  set -- "${1%/*}" "${leads%/*}"
  for each in "$@"; do
    while [ -n "$each" ]; do set -- "$@" "$each" && each=${each%/*}; done
  done
  [ -z "$(find / "$@" -maxdepth 0 \( ! -uid 0 -o -perm -020 -o -perm -002 \))" ]
}

# KIND NUMBER PATH
told() { spell "$3" && printf '%s\n' "$1 $2 $(stat -c '%a %U:%G' "$3" | encoded) $word"; }

# ACCOUNT COMMAND...: run a command as an account. So the kernel decides, with groups and access lists.
may() {
  have setpriv || return 0
  who=$1
  group=$(id -g "$who") || return 1
  shift
  limit setpriv --reuid "$who" --regid "$group" --init-groups "$@" </dev/null
}

# A file in the model store that Ollama may not write, because another account owns it. The directory itself is not
# reported: an operation of its own changes its owner.
models_kept() {
  id -u ollama >/dev/null || return 0
  set -- "$models_dir/" -mindepth 1
  case $models_dir in "$home/.ollama/"*) set -- "$home/.ollama/" ;; esac
  [ -d "$1" ] || return 0
  set -- "$@" -xdev -maxdepth 6 ! -user ollama
  found=$(limit find "$@" | head -n 1)
  if [ -n "$found" ] && may ollama test -x "$1"; then found=$(may ollama find "$@" ! -writable | head -n 1); fi
  [ -z "$found" ] || told kept 0 "$found"
}
