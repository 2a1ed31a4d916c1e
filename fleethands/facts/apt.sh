# What apt would do to install missing packages, from the package lists that the host has. The simulation takes no lock,
# writes nothing and asks no questions. It only runs if a package is missing.
: "${wanted?}"
apt_lists=/var/lib/apt/lists

# PACKAGES: the answer of the section `packages`
read_apt() {
  case $1 in *' end packages 0') ;; *) return 0 ;; esac
  # shellcheck disable=SC2154 # shell.sh sets newline
  known=$newline$1$newline missing=''
  for names in $wanted; do
    name=${names%%|*}
    if apt_has "$names"; then
      # since Debian 13, docker.io only recommends the package of the command `docker`
      [ "$name" != docker.io ] || have docker || missing="$missing docker-cli"
    elif [ "$name" != docker.io ] || ! apt_spares; then
      missing="$missing $name"
    fi
  done
  [ -n "$missing" ] || return 0
  need apt-get timeout date find head base64 tr || return $?
  echo "wanted$missing"
  # apt checks this when it takes dpkg's lock, which a simulation does not
  for update in /var/lib/dpkg/updates/[0-9]*; do [ ! -e "$update" ] || { echo 'dpkg interrupted' && return; }; done
  for list in "$apt_lists"/*_Packages*; do [ -e "$list" ] && apt_simulated && return; done
  echo 'lists none'
}

# Whether another engine listens on Docker's socket. The socket's file alone proves nothing: it outlives its engine.
apt_spares() {
  case $(limit ss -Hlx) in *'/run/docker.sock '*) return 0 ;; esac
  return 1
}

# GROUP: whether one of the packages `a|b` is installed
apt_has() {
  group=$1
  while [ -n "$group" ]; do
    case $known in *"${newline}installed ${group%%|*}$newline"*) return 0 ;; esac
    case $group in *'|'*) group=${group#*|} ;; *) return 1 ;; esac
  done
}

apt_simulated() {
  deadline=$(($(date +%s) + 20))
  # apt caches its parsed lists. It would rewrite a cache that is older than the lists, so it must not use that one.
  set -- -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  ! apt_keeps srcpkgcache || set -- -o Dir::Cache::pkgcache=
  ! apt_keeps pkgcache /var/lib/dpkg/status || set --
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

# CACHE [FILE]: whether the cache is newer than the lists and the file
apt_keeps() {
  cache=/var/cache/apt/$1.bin
  shift
  [ -e "$cache" ] && [ -z "$(find "$apt_lists" "$@" -prune -newer "$cache")" ]
}

# OPTION... PACKAGE...: apt's output, then a line with its status
apt_says() {
  {
    before "$deadline" apt-get -q -y -V -o APT::Get::HideAutoRemove=1 --no-remove --print-uris --no-install-recommends \
      install "$@" 2>&1
    echo "$newline$?"
  } | head -c 131072
}
