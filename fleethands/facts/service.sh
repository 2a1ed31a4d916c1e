# shellcheck disable=SC2154 # shell.sh sets word
# The files that systemd reads for ollama.service, foreign ones included, and the packages that own those.
: "${models_dir:?}"

# Each directory shadows those after it (systemd.unit(5), "System Unit Search Path").
read_service() {
  need base64 tr readlink head sed getent || return $?
  store=$(readlink -f "$models_dir") || store=$models_dir
  spell "$store"
  printf '%s\n' "store $word"
  for place in /etc/systemd/system.control /run/systemd/system.control /run/systemd/transient /etc/systemd/system \
    /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
    for path in "$place/ollama.service" "$place"/ollama.service.d/*.conf "$place"/service.d/*.conf; do
      [ -e "$path" ] && service_unit "$path"
    done
  done
  for path in /usr/local/bin/ollama /usr/local/lib/ollama; do
    if [ -L "$path" ]; then case $(readlink "$path") in /opt/ollama/*) continue ;; esac fi
    if [ -e "$path" ] || [ -L "$path" ]; then
      echo "there :$path"
      service_package "$path"
    fi
  done
  true
}

# A symlink to /dev/null masks the files that it shadows: its text is empty.
service_text() { # KIND PATH
  word=''
  [ ! -f "$2" ] || joined "$(head -c 65536 "$2" | base64)"
  text=${word:--}
  spell "$2"
  printf '%s\n' "$1 $word $text"
}

service_unit() {
  service_text unit "$1"
  [ -f "$1" ] || return 0
  first=''
  IFS= read -r first <"$1"
  case $first in '# Written by fleethands'*) return 0 ;; esac
  service_package "$1"
  sed -n 's/^[[:space:]]*EnvironmentFile[[:space:]]*=[[:space:]]*-\{0,1\}//p' "$1" | while IFS= read -r pattern; do
    IFS=''
    for file in $pattern; do
      case $file in /*) [ -f "$file" ] && spell "$1" && service_text "file $word" "$file" ;; esac
    done
  done
  sed -n 's/^[[:space:]]*User[[:space:]]*=[[:space:]]*//p' "$1" | while IFS= read -r user; do
    line=$(getent passwd "$user") || continue
    line=${line%:*}
    spell "$user" && name=$word
    spell "${line##*:}"
    printf '%s\n' "home $name $word"
  done
}

service_package() {
  have dpkg-query || return 0
  owner=$(limit dpkg-query -S "$1") || owner=$(limit dpkg-query -S "${1#/usr}") || return 0
  spell "$1" && path=$word
  spell "${owner%%:*}"
  printf '%s\n' "package $path $word"
}
