# Reads one host and changes nothing. Each section ends with its own status: what could not be read is unknown, never
# absent. It is written for dash and busybox. Values of unknown content travel as base64, one line each.
# 124: no answer in time; 127: a command is missing, which the section's last line names.
: "${mark:?}" "${packages:?}" "${accounts:?}" "${groups:?}" "${files:?}" "${units:?}" "${ollama_url:?}" "${models_dir:?}"
: "${places:?}" "${asked_model?}" "${image?}" "${ollama_image?}" "${ollama_container:?}" "${elsewhere?}"
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

# DEADLINE COMMAND…: for several commands that share their time
before() {
  left=$(($1 - $(date +%s)))
  shift
  [ "$left" -gt 0 ] || return 124
  within "$left" "$@"
}

# NAME ARGUMENT…: what read_NAME says, between marks, with its status
section() {
  name=$1
  shift
  printf '%s begin %s\n' "$mark" "$name"
  ("read_$name" "$@") 2>/dev/null </dev/null
  printf '\n%s end %s %s\n' "$mark" "$name" "$?"
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
  disk_of "$places"
}

# PLACES, one a line: all their sizes, then their devices, then their modes
disk_of() {
  asked=$1
  shift
  IFS=$newline
  set -f
  for place in $asked; do
    case $place in @home*) place=$home${place#@home} ;; esac
    while [ ! -d "$place" ]; do place=${place%/*} && place=${place:-/}; done
    cd -P "$place" || return 1 # a link's own device says nothing
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
  for name in $accounts; do
    line=$(getent passwd "$name") && echo "user $(id -nG "$name" | tr ' ' ',') $line"
  done
  for name in $groups; do
    line=$(getent group "$name") && echo "group $line"
  done
  true
}

# FILE of a directory that is not root's: its owner may put a FIFO, a link or a file without end there at any moment
held() { limit dd "if=$1" iflag=nonblock,fullblock bs=65537 count=1 || within 1 head -c 65537 "$1"; }

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

# a link to it counts as the directory, where nobody but root can have made the link
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
  need timeout systemctl readlink sed cut head base64 tr || return $?
  pid=$(limit systemctl show ollama.service -p MainPID --value) || return $?
  case $pid in '' | 0) return 0 ;; esac
  exe=$(readlink "/proc/$pid/exe") || return 0 # ended meanwhile
  # the kernel says where it lies behind all links; we name it as it was started
  if cd -P /opt/ollama; then case $exe in "$PWD"/*) exe=/opt/ollama${exe#"$PWD"} ;; esac fi
  started=$(sed -n '$s/.*) //p' "/proc/$pid/stat" | cut -d ' ' -f 20) # a process may put line breaks into its name
  behind=''
  case $exe in */docker) behind=$(in_container) || return $? ;; esac
  itself=$pid
  if [ -n "$behind" ]; then
    itself=${behind%% *}
    exe=$(readlink "/proc/$itself/exe") || return 0
  fi
  echo "$pid $started $(printf %s "$exe" | encoded)${behind:+ $behind}"
  head -c 131072 "/proc/$itself/environ" | encoded
}

# `PID IMAGE` of Ollama in its container, where Docker's client is the service's process
in_container() {
  found=$(limit docker container inspect --format '{{.State.Pid}} {{.Image}}' "$ollama_container")
  case $? in 124) return 124 ;; 0) case $found in [1-9]*' sha256:'*) printf '%s\n' "$found" ;; esac ;; esac
}

# BYTES ARGUMENT…: so much of what Ollama's API answers, and a line with curl's status, if all of it came
asked() {
  most=$1
  shift
  { curl -q -sS --noproxy '*' --max-time 5 --fail "$@"; echo "$newline$?"; } | head -c "$most"
}

read_ollama() {
  need curl head base64 tr || return $?
  if [ -n "$elsewhere" ]; then
    ollama_elsewhere
    return
  fi
  body=$(asked 65536 "$ollama_url/api/version")
  case ${body##*"$newline"} in 0) ;; 7) echo refused && return 0 ;; 28) return 124 ;; *) return 1 ;; esac
  printf %s "${body%"$newline"*}" | encoded
  [ -z "$asked_model" ] || model_shown
  { [ ! -e /dev/nvidia0 ] && [ ! -e /dev/kfd ] && ! have nvidia-smi && [ ! -e /usr/lib/wsl/lib/nvidia-smi ]; } || models_loaded
}

# What one that is elsewhere answers, and the way there: no proxy leads to what is inside a network. By its two ends a host
# sees that it reached itself.
ollama_elsewhere() {
  body=$({
    curl -q -s --noproxy '*' --max-time 5 -w "$newline%{http_code}|%{local_ip}|%{remote_ip}|%{redirect_url}|%{errormsg}" "$ollama_url/api/version"
    echo "$newline$?"
  } | head -c 8192)
  echo "elsewhere $(printf %s "$body" | encoded)"
  case $body in
    '{"version":'*) [ -z "$asked_model" ] || model_shown ;;
    *"${newline}28") way_there ;;
  esac
  true
}

# the host's own address on the way
way_there() {
  need getent ip sed || return 0
  address=$(limit getent ahosts "$elsewhere" | sed -n '1s/ .*//p')
  [ -z "$address" ] || limit ip -o route get "$address" | sed -n 's/.* src \([0-9a-f.:]*\).*/from \1/p'
}

models_elsewhere() {
  need curl head base64 tr || return $?
  body=$(asked 1048576 "$ollama_url/api/tags")
  case $body in *"${newline}0") ;; *"${newline}28") return 124 ;; *) return 1 ;; esac
  echo "tags $(printf %s "${body%"$newline"*}" | encoded)"
}

# how many bytes of each loaded model lie in a GPU's memory (api/types.go ProcessModelResponse, v0.32.15)
models_loaded() {
  need grep || return $?
  body=$(asked 1048576 "$ollama_url/api/ps")
  case $body in *"${newline}0") ;; *) return 0 ;; esac
  printf %s "$body" | grep -o '"size_vram":[0-9]\{1,15\}' | head -n 100 | tr '":' '  ' | tr -s ' ' | cut -c 2-
}

# what Ollama says of the model that OpenHands is to have (api/types.go ShowResponse, v0.32.15); quotes within its texts
# are escaped there
model_shown() {
  need grep || return $?
  body=$(asked 4194304 --data "{\"model\":\"$asked_model\"}" "$ollama_url/api/show")
  case $body in *"${newline}0") ;; *) return 0 ;; esac
  listed=$(printf %s "$body" | grep -o '"capabilities":\[[^]]*\]' | head -n 1) # dash takes hours for several words in 4 MiB
  case $listed in '') return 0 ;; *'"tools"'*) tools=yes ;; *) tools=no ;; esac
  window=$(printf %s "$body" | grep -o '"[A-Za-z0-9_.-]*\.context_length":[0-9]\{1,15\}' | head -n 1)
  window=${window##*:}
  echo "model $tools ${window:--}"
}

# A model's digest is that of its manifest (ollama manifest/manifest.go, v0.32.15); so it is known while Ollama is
# stopped. The directory is not root's: there may be anything, and any number of it. What can't be a manifest is left out.
read_models() {
  if [ -n "$elsewhere" ]; then
    models_elsewhere
    return
  fi
  [ -d "$models_dir/manifests" ] || return 0
  need timeout find head sha256sum date || return $?
  cd "$models_dir/manifests" || return 1
  found=$({ limit find . -mindepth 1 -maxdepth 4; echo "$mark $?"; } | head -n 20000)
  case $found in *"$mark 124") return 124 ;; esac
  # shellcheck disable=SC2046
  set -- $(manifests | head -n 1000)
  [ $# -gt 0 ] || return 0
  digests=$(limit sha256sum "$@")
  case $? in 124) one_by_one "$@" ;; *) [ -z "$digests" ] || printf '%s\n' "$digests" ;; esac
}

# of what was found, files that have the name of a model
manifests() {
  printf '%s\n' "$found" | while IFS= read -r path; do
    case $path in *[!A-Za-z0-9._/:-]* | */.*) continue ;; ./*/*/*/*) ;; *) continue ;; esac
    [ -f "$path" ] && [ ! -L "$path" ] && echo "$path"
  done
}

# FILE…: there was no time for all of them, as when a FIFO takes the place of one
one_by_one() {
  deadline=$(($(date +%s) + 10))
  for path in "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || return 124
    digest=$(held "$path" | sha256sum)
    case $digest in e3b0c44298fc1c14*) ;; *) echo "${digest%% *}  $path" ;; esac # the first is that of nothing
  done
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

# Docker names its bridges by 12 digits; whatever else begins so is somebody else's, and may carry a network card.
read_firewall() {
  four='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
  for device in /sys/class/net/br-*; do
    # shellcheck disable=SC2254
    case ${device##*/} in br-$four$four$four) ;; *) [ ! -e "$device" ] || echo "bridge ${device##*/}" ;; esac
  done
  if ! have nft; then echo missing && return 0; fi
  need sha256sum cut || return $?
  listing=$(nft --stateless list table inet fleethands) || { echo none && return 0; }
  echo "loaded $(printf %s "$listing" | sha256sum | cut -d ' ' -f 1)"
}

# Docker and Ollama may hang, and the world outside is slow: they are asked beside all the rest. Nothing is written
# anywhere: what they say waits in its pipe.
sections() {
  own_home
  case $models_dir in @home*) models_dir=$home${models_dir#@home} ;; esac
  listening=$(listen 2>/dev/null)
  listened=$?
  {
    answer=$(section docker "$listening")
    printf '%s\n' "$answer"
    images_missing=''
    case $answer in *"${newline}image -$newline"* | *"${newline}stopped$newline"*) images_missing=" $image " ;; esac
    case $answer in *"${newline}ollama_image -$newline"* | *"${newline}stopped$newline"*) images_missing="$images_missing $ollama_image " ;; esac
    section upstream "$images_missing"
  } | {
    exec 3<&0
    section ollama </dev/null | {
      for name in system disk gpu; do section "$name"; done
      dpkg=$(section packages)
      printf '%s\n' "$dpkg"
      section apt "$dpkg"
      for name in accounts files releases units service process models store directories lock firewall; do section "$name"; done
      section sockets "$listened" "$listening"
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
