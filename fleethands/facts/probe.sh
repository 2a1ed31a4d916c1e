# Reads one host and changes nothing. Each section ends with its own status: what could not be read is unknown, never
# absent. It is written for dash and busybox. Values of unknown content travel as base64, one line each.
# 124: no answer in time; 127: a command is missing, which the section's last line names.
: "${mark:?}" "${packages:?}" "${accounts:?}" "${groups:?}" "${files:?}" "${units:?}" "${ollama_url:?}" "${models_dir:?}" "${container:?}" "${image?}" "${ports:?}"
: "${places:?}" "${offers?}" "${manifest_type:?}"
newline='
'

have() { command -v "$1" >/dev/null 2>&1; }
encoded() { base64 | tr -d '\n'; echo; }

need() {
  for tool in "$@"; do
    have "$tool" || { echo "needs $tool" && return 127; }
  done
}

# seconds COMMAND…: killed after so long, as a client of a hung daemon may ignore a gentler signal
within() {
  timeout -s KILL "$@"
  case $? in 0) return 0 ;; 137 | 143) return 124 ;; *) return $? ;; esac
}
limit() { within 5 "$@"; }

# several commands that share 5 s
until_deadline() {
  left=$((deadline - $(date +%s)))
  [ "$left" -gt 0 ] || return 124
  within "$left" "$@"
}

section() {
  printf '%s begin %s\n' "$mark" "$1"
  ("read_$1") 2>/dev/null </dev/null
  printf '\n%s end %s %s\n' "$mark" "$1" "$?"
}

read_system() {
  need id uname date || return $?
  echo "uid $(id -u)"
  echo "arch $(uname -m)"
  echo "kernel $(uname -r)"
  echo "clock $(date +%s)"
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

# Whether a place can be written is its mount's to say: busybox' `test -w` is always true for root.
read_disk() {
  need timeout stat awk || return $?
  IFS=$newline
  set -f
  for place in $places; do
    while [ ! -d "$place" ]; do place=${place%/*} && place=${place:-/}; done
    set -- "$@" "$place"
  done
  limit stat -f -c '%a %S' "$@" || return $?
  stat -c %d "$@" || return $?
  # shellcheck disable=SC2016
  awk 'BEGIN { for (i = 2; i < ARGC; i++) { place[i] = ARGV[i]; ARGV[i] = "" } }
    { point = $5; gsub(/\\040/, " ", point); under = point == "/" ? point : point "/" }
    { mode = $6 ~ /^ro(,|$)/ || $NF ~ /^ro(,|$)/ ? "read-only" : "writable" }
    { for (i in place) if (index(place[i] "/", under) == 1 && length(point) >= best[i]) { best[i] = length(point); found[i] = mode } }
    END { for (i = 2; i in place; i++) print found[i] }' /proc/self/mountinfo "$@"
}

# NVIDIA and AMD display controllers (PCI class 0x03) with the driver that holds them, and what the drivers say.
read_gpu() {
  nvidia='' seen=''
  for device in /sys/bus/pci/devices/*; do
    [ -r "$device/class" ] || continue
    read -r vendor <"$device/vendor"
    read -r class <"$device/class"
    case "$vendor $class" in 0x10de\ 0x03*) nvidia=yes ;; 0x1002\ 0x03*) ;; *) continue ;; esac
    read -r product <"$device/device"
    driver=$(readlink "$device/driver")
    total=- used=-
    [ -r "$device/mem_info_vram_total" ] && read -r total <"$device/mem_info_vram_total" && read -r used <"$device/mem_info_vram_used"
    driver=${driver##*/}
    echo "pci ${device##*/} $vendor $product ${driver:--} $total $used"
    seen=yes
  done
  [ -r /etc/nv_tegra_release ] && read -r tegra </etc/nv_tegra_release && printf '%s\n' "tegra $tegra"
  [ -r /sys/module/nvidia/version ] && read -r version </sys/module/nvidia/version && echo "nvidia $version" && nvidia=yes
  [ -d /sys/module/amdgpu ] && echo amdgpu
  smi=$(command -v nvidia-smi || command -v /usr/lib/wsl/lib/nvidia-smi) && nvidia=yes
  [ -n "$nvidia$seen" ] || return 0
  need timeout base64 tr stat || return $?
  for node in /dev/nvidia[0-9]* /dev/kfd /dev/dri/renderD*; do
    [ -e "$node" ] && echo "node $node $(stat -c '%a %G' "$node")"
  done
  if [ -n "$smi" ]; then
    said=$(limit "$smi" --query-gpu=index,name,uuid,driver_version,memory.total,memory.used --format=csv,noheader,nounits 2>&1)
    echo "smi $? $(printf %s "$said" | encoded)"
  fi
  if [ -n "$nvidia" ] && have ldconfig; then
    case $(ldconfig -p) in *libcuda.so.1\ *) echo 'libcuda yes' ;; *) echo 'libcuda no' ;; esac
  fi
  true
}

read_packages() {
  need dpkg-query || return $?
  # shellcheck disable=SC2086,SC2016
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages
  true
}

read_accounts() {
  need getent id tr || return $?
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
  need stat readlink base64 tr || return $?
  printf '%s\n' "$files" | while IFS= read -r path; do one_file "$path" || return 1; done
}

read_releases() {
  for marker in /opt/ollama/*/.fleethands; do
    [ -f "$marker" ] || continue
    home=${marker%/.fleethands}
    [ -L "$home" ] && continue
    need stat cat || return $?
    binary=$(stat -c '%s %Y %a %u' "$home/bin/ollama") || binary='- - - -'
    echo "${home##*/} $binary $(cat "$marker")"
  done
}

read_units() {
  need timeout systemctl || return $?
  # shellcheck disable=SC2086
  limit systemctl show $units -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p MainPID \
    -p NeedDaemonReload -p DropInPaths -p FragmentPath -p NRestarts -p Result
}

read_process() {
  need timeout systemctl readlink sed cut base64 tr || return $?
  pid=$(limit systemctl show ollama.service -p MainPID --value) || return $?
  case $pid in '' | 0) return 0 ;; esac
  exe=$(readlink "/proc/$pid/exe") || return 0 # ended meanwhile
  started=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)
  echo "$pid $started $(printf %s "$exe" | encoded)"
  encoded <"/proc/$pid/environ"
}

read_ollama() {
  need curl base64 tr || return $?
  body=$(curl -sS --noproxy '*' --max-time 5 --fail "$ollama_url/api/version")
  case $? in 0) ;; 7) echo refused && return 0 ;; 28) return 124 ;; *) return 1 ;; esac
  printf %s "$body" | encoded
}

# A model's digest is that of its manifest (ollama manifest/manifest.go, v0.32.15); so it is known while Ollama is stopped.
read_models() {
  [ -d "$models_dir/manifests" ] || return 0
  need timeout find sha256sum || return $?
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
  need timeout base64 tr date || return $?
  deadline=$(($(date +%s) + 5))
  version=$(until_deadline docker version --format '{{.Server.Version}}')
  case $? in 0) echo "version $version" ;; 124) return 124 ;; 125 | 126 | 127) return 1 ;; *) echo stopped && return 0 ;; esac
  docker_object container "$container" || return $?
  docker_publishers || return $?
  [ -z "$image" ] || docker_object image "$image"
}

docker_object() {
  body=$(until_deadline docker "$1" inspect "$2" 2>&1)
  case $? in
    0) echo "$1 $(printf %s "$body" | encoded)" ;;
    124) return 124 ;;
    *) case $body in *'No such '* | *'no such '*) echo "$1 -" ;; *) return 1 ;; esac ;;
  esac
}

# the containers behind docker-proxy on a port of ours, unless it is our own container ($body)
docker_publishers() {
  case $listening in *'"docker'*) ;; *) return 0 ;; esac
  for port in $ports; do
    case $body in *"\"HostPort\": \"$port\""*) continue ;; esac
    case $listening in *":$port "*) ;; *) continue ;; esac
    names=$(until_deadline docker ps --filter "publish=$port" --format '{{.Names}}') || return $?
    for name in $names; do echo "publisher $port $name"; done
  done
}

read_firewall() {
  if ! have nft; then echo missing && return 0; fi
  need sha256sum cut || return $?
  listing=$(nft --stateless list table inet fleethands) || { echo none && return 0; }
  echo "loaded $(printf %s "$listing" | sha256sum | cut -d ' ' -f 1)"
}

# The listeners on the ports in question; the docker section needs them too, so they are read once.
listen() {
  need timeout ss || return $?
  filter=''
  for port in $ports; do filter="${filter:+$filter or }sport = :$port"; done
  limit ss -Hltnp "( $filter )"
}

read_sockets() {
  [ -z "$listening" ] || printf '%s\n' "$listening"
  return "$listened"
}

# What is missing here is asked of where it would come from, all at once: each line of $offers is a kind, a name and
# for curl the line of a configuration that holds the address; nothing of it shows on a command line.
read_upstream() {
  need uname || return $?
  machine=$(uname -m)
  IFS=$newline
  set -f
  for offer in $offers; do
    rest=${offer#* }
    name=${rest%% *}
    case $offer in
      model\ *) [ -f "$models_dir/manifests/$name" ] && continue ;;
      archive\ *)
        [ -f "/opt/ollama/${name%%/*}/.fleethands" ] && continue
        [ "${name##*/}" = "$machine" ] || continue
        ;;
      image\ *) [ -n "$image_missing" ] || continue ;;
    esac
    set -- "$@" "$offer"
  done
  [ $# -gt 0 ] || return 0
  need base64 tr || return $?
  ask_all "$@"
}

# every one runs beside the others, and each writes whole lines: the next in the pipe passes them on
ask_all() {
  [ $# -gt 0 ] || return 0
  offer=$1
  shift
  ask "$offer" </dev/null | { ask_all "$@" && cat; }
}

ask() {
  rest=${1#* }
  name=${rest%% *}
  case $1 in
    model\ *)
      tool=curl
      answer=$(exported && fetch "${rest#* }" -L -w '\n%{http_code}' --max-filesize 4194304 --header "Accept: $manifest_type")
      ;;
    archive\ *) tool=curl && answer=$(fetch "${rest#* }" -I -L) ;;
    image\ *) tool=docker && answer=$(within 10 docker manifest inspect --verbose "$name") ;;
  esac
  status=$?
  have "$tool" || status=127
  echo "${1%% *} $name $machine $status $(printf %s "$answer" | encoded)"
}

fetch() {
  printf '%s\n' "$1" | {
    shift
    curl -sS --globoff --config - --connect-timeout 5 --max-time 8 "$@"
  }
}

# Docker and Ollama may hang, and the world outside is slow: they are asked beside all the rest. Nothing is written
# anywhere: what they say waits in its pipe.
sections() {
  listening=$(listen 2>/dev/null)
  listened=$?
  {
    answer=$(section docker)
    printf '%s\n' "$answer"
    case $answer in *"${newline}image -$newline"* | *"${newline}stopped$newline"*) image_missing=yes ;; *) image_missing='' ;; esac
    section upstream
  } | {
    exec 3<&0
    section ollama </dev/null | {
      for name in system disk gpu packages accounts files releases units process models store firewall sockets; do section "$name"; done
      cat
    }
    cat <&3
  }
}

# Only ASCII travels, whatever a host's names are written in, and the last line holds the digest of it all.
plain() { if have tr; then tr -c '\11\12\40-\176' '?'; else cat; fi; }
answer=$(sections | plain)
printf '\n%s\n' "$answer"
if have sha256sum; then digest=$(printf '%s\n' "$answer" | sha256sum); else digest=-; fi
printf '%s done %s\n' "$mark" "${digest%% *}"
