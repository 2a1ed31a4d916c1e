# Reads one host and changes nothing. Each section ends with its own status: what could not be read is
: "${mark:?}" "${packages:?}" "${accounts:?}" "${groups:?}" "${files:?}" "${units:?}" "${ollama_url:?}" "${models_dir:?}" "${container:?}" "${image?}" "${ports:?}"
# unknown, never absent. Values of unknown content travel as base64, one line each.
# 124: a tool did not answer in time; 127: a tool is missing.

limit() { timeout 5 "$@"; }
have() { command -v "$1" >/dev/null 2>&1; }
encoded() { base64 | tr -d '\n'; echo; }

section() {
  printf '%s begin %s\n' "$mark" "$1"
  ("read_$1") 2>/dev/null
  printf '\n%s end %s %s\n' "$mark" "$1" "$?"
}

read_system() {
  echo "uid $(id -u)"
  echo "arch $(uname -m)"
  echo "kernel $(uname -r)"
  echo "clock $(date +%s)"
  if [ -r /etc/os-release ]; then
    (
      ID='' VERSION_ID='' PRETTY_NAME=''
      # shellcheck disable=SC1091
      . /etc/os-release
      echo "id $ID"
      echo "version $VERSION_ID"
      echo "name $PRETTY_NAME"
    )
  fi
  if [ -d /run/systemd/system ]; then echo "systemd $(limit systemctl is-system-running)"; fi
  true
}

read_disk() {
  for place in / /opt /usr/share /var/lib; do
    [ -d "$place" ] || continue
    free=$(limit df -Pk "$place" | awk 'NR == 2 { print $4 }') || return 124
    writable=yes
    [ -w "$place" ] || writable=no
    echo "$place $free $writable"
  done
}

read_packages() {
  have dpkg-query || return 127
  # shellcheck disable=SC2086,SC2016
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages
  true
}

read_accounts() {
  have getent || return 127
  for name in $accounts; do
    line=$(getent passwd "$name") && echo "user $(id -nG "$name" | tr ' ' ',') $line"
  done
  for name in $groups; do
    line=$(getent group "$name") && echo "group $line"
  done
  true
}

one_file() {
  if [ -L "$1" ]; then
    echo "link $(stat -c '%u %g' "$1") $(readlink "$1" | encoded)"
  elif [ ! -e "$1" ]; then
    echo absent
  else
    kind=other
    [ -f "$1" ] && kind='file'
    [ -d "$1" ] && kind=directory
    meta=$(stat -c '%a %u %g %U %G %s %Y' "$1") || return 1
    size=${meta% *}
    size=${size##* }
    content=-
    if [ "$kind" = file ] && [ "$size" -le 65536 ]; then content=$(encoded <"$1"); fi
    echo "$kind $meta ${content:--}"
  fi
}

read_files() {
  printf '%s\n' "$files" | while IFS= read -r path; do one_file "$path" || return 1; done
}

read_releases() {
  for marker in /opt/ollama/*/.fleethands; do
    [ -f "$marker" ] || continue
    home=${marker%/.fleethands}
    [ -L "$home" ] && continue
    binary=$(stat -c '%s %Y %a %u' "$home/bin/ollama") || binary='- - - -'
    echo "${home##*/} $binary $(cat "$marker")"
  done
}

read_units() {
  have systemctl || return 127
  # shellcheck disable=SC2086
  limit systemctl show $units -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p MainPID \
    -p NeedDaemonReload -p DropInPaths -p FragmentPath -p NRestarts -p Result
}

read_process() {
  pid=$(limit systemctl show ollama.service -p MainPID --value) || return $?
  case $pid in '' | 0) return 0 ;; esac
  exe=$(readlink "/proc/$pid/exe") || return 0 # ended meanwhile
  started=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)
  echo "$pid $started $(printf %s "$exe" | encoded)"
  encoded <"/proc/$pid/environ"
}

read_ollama() {
  have curl || return 127
  body=$(curl -sS --max-time 5 --fail "$ollama_url/api/version")
  case $? in 0) ;; 7) echo refused && return 0 ;; 28) return 124 ;; *) return 1 ;; esac
  printf %s "$body" | encoded
}

# A model's digest is that of its manifest (ollama manifest/manifest.go, v0.32.15); so it is known while Ollama is stopped.
read_models() {
  [ -d "$models_dir/manifests" ] || return 0
  cd "$models_dir/manifests" && limit find . -type f -exec sha256sum {} +
}

# Pulls that have not come to their end, models made from Modelfiles, and what this boot's Ollama was asked to load.
read_store() {
  for record in /var/lib/fleethands/pulls/*; do
    [ -f "$record" ] && echo "pulling $(cat "$record")"
  done
  for record in /var/lib/fleethands/models/*; do
    [ -f "$record" ] && echo "made $(cat "$record")"
  done
  if [ -f /run/fleethands/preloaded ]; then cat /run/fleethands/preloaded; fi
}

read_docker() {
  if ! have docker; then echo missing && return 0; fi
  version=$(limit docker version --format '{{.Server.Version}}')
  case $? in 0) echo "version $version" ;; 124) return 124 ;; *) echo stopped && return 0 ;; esac
  docker_object container "$container"
  [ -z "$image" ] || docker_object image "$image"
}

docker_object() {
  body=$(limit docker "$1" inspect "$2" 2>&1)
  case $? in
    0) echo "$1 $(printf %s "$body" | encoded)" ;;
    124) return 124 ;;
    *) case $body in *'No such '*) ;; *) return 1 ;; esac ;;
  esac
}

read_firewall() {
  if ! have nft; then echo missing && return 0; fi
  listing=$(nft --stateless list table inet fleethands) || { echo none && return 0; }
  echo "loaded $(printf %s "$listing" | sha256sum | cut -d ' ' -f 1)"
}

read_sockets() {
  have ss || return 127
  for port in $ports; do
    limit ss -Hltnp "sport = :$port" | while read -r line; do echo "$port $line"; done
  done
}

for name in system disk packages accounts files releases units process ollama models store docker firewall sockets; do
  section "$name"
done
printf '%s done\n' "$mark"
