# What apt would do to install what this host lacks, by the lists that it has. It is asked without a lock, writes nothing
# and asks nobody; where nothing is missing it is not asked.
: "${wanted?}"
apt_lists=/var/lib/apt/lists

# SECTION: what dpkg says of the packages in question
read_apt() {
  case $1 in *' end packages 0') ;; *) return 0 ;; esac
  # shellcheck disable=SC2154 # probe.sh has it
  known=$newline$1$newline missing=''
  for group in $wanted; do
    name=${group%%|*}
    if apt_has "$group"; then
      # since Debian 13 the engine comes without its command, if apt installs no recommended packages
      [ "$name" != docker.io ] || have docker || missing="$missing docker-cli"
    elif [ "$name" != docker.io ] || [ ! -S /run/docker.sock ]; then
      missing="$missing $name"
    fi
  done
  [ -n "$missing" ] || return 0
  need apt-get timeout date find head base64 tr || return $?
  echo "wanted$missing"
  for list in "$apt_lists"/*_Packages*; do [ -e "$list" ] && apt_simulated && return; done
  echo 'lists none'
}

# GROUP: whether one of its packages, `a|b`, is installed
apt_has() {
  IFS='|'
  for name in $1; do case $known in *"${newline}installed $name$newline"*) unset IFS && name=${1%%|*} && return 0 ;; esac; done
  unset IFS
  name=${1%%|*}
  return 1
}

apt_simulated() {
  deadline=$(($(date +%s) + 20))
  # apt takes what it keeps of its lists where that is newer than they are; else it would write it anew
  set -- -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  [ ! -e /var/cache/apt/srcpkgcache.bin ] || [ -n "$(find "$apt_lists" -prune -newer /var/cache/apt/srcpkgcache.bin)" ] ||
    set -- -o Dir::Cache::pkgcache=
  command=''
  case "$missing " in *' docker.io '*) command=docker-cli ;; esac
  # shellcheck disable=SC2086
  said=$(apt_says "$@" $missing $command)
  case $command,$said in
    docker-cli,*'E: Unable to locate package docker-cli'* | docker-cli,*"E: Package 'docker-cli' has no installation candidate"*)
      # shellcheck disable=SC2086
      said=$(apt_says "$@" $missing)
      ;;
  esac
  echo "said $(printf %s "$said" | encoded)"
}

# OPTION… PACKAGE…: its words, and its status in a line of its own
apt_says() {
  {
    before "$deadline" apt-get -q -y -V "$@" -o APT::Get::HideAutoRemove=1 --no-remove --print-uris --no-install-recommends install 2>&1
    echo "$newline$?"
  } | head -c 131072
}
