# shellcheck disable=SC2154 # docker_api.sh sets info, shell.sh word
# The engine behind Docker's socket: its version, its image store, its unit, its GPUs.

# What answers at Docker's socket, where its images are, and which unit runs it. Without an answer: where they would be.
docker_engine() {
  info=''
  docker_info
  case $? in 124) return 124 ;; 125 | 126 | 127) return 1 ;; esac
  case $info in
    podman | *'"BuildahVersion":'*) echo podman ;;
    *'"ServerVersion":"'[!\"]*)
      json_string "$info" ServerVersion
      version=$value
      printf '%s\n' "version $version"
      docker_security
      docker_images
      docker_room "$root"
      docker_unit
      docker_gpus
      ;;
    *)
      root=''
      [ ! -f /etc/docker/daemon.json ] ||
        root=$(head -c 65536 /etc/docker/daemon.json | sed -n 's/.*"data-root"[[:space:]]*:[[:space:]]*"\(\/[^"\\]*\)".*/\1/p' | head -n 1)
      docker_room "${root:-/var/lib/docker}"
      docker_gpus
      docker_rootless
      ;;
  esac
}

# How a container gets NVIDIA's GPUs. Docker's `--gpus` finds its hook by name, whatever runtime is configured (moby
# daemon/nvidia_linux.go, v26). Newer releases list the devices of CDI.
docker_gpus() {
  case ${info%%'"DefaultRuntime"'*} in
    *'"Runtimes":{'*'"nvidia":'*) echo 'gpus runtime' ;;
    *)
      if have nvidia-container-runtime-hook; then echo 'gpus runtime'
      else case $info in *'"nvidia.com/gpu='*) echo 'gpus cdi' ;; esac
      fi
      ;;
  esac
}

# The list of security options, as it is
docker_security() {
  last=''
  IFS='['
  set -f
  # shellcheck disable=SC2086
  set -- $info
  unset IFS
  set +f
  for each in "$@"; do
    case $last in *'"SecurityOptions":') printf '%s\n' "security ${each%%']'*}" && return 0 ;; esac
    last=$each
  done
}

# containerd has its own image store: in the system's containerd, or in one that Docker starts for itself.
docker_images() {
  json_string "$info" DockerRootDir
  root=$value
  case $info in
    *'"io.containerd.snapshotter.v1"'*)
      if [ ! -S /run/containerd/containerd.sock ]; then
        root=$root/containerd/daemon
      else
        root=''
        [ ! -f /etc/containerd/config.toml ] ||
          root=$(head -c 65536 /etc/containerd/config.toml | sed -n "s/^root *= *[\"']\(\/[^\"']*\)[\"'].*/\1/p" | head -n 1)
        root=${root:-/var/lib/containerd}
      fi
      ;;
  esac
}

# DIRECTORY of the images, and its free space
docker_room() {
  case $1 in /*) ;; *) return 0 ;; esac
  spell "$1"
  printf '%s\n' "images $word"
  room=$(disk_of "$1")
  [ -z "$room" ] || while IFS= read -r each; do printf '%s\n' "room $each"; done <<END
$room
END
}

# The unit that runs the engine, if it is not docker.service
docker_unit() {
  pid=''
  [ ! -r /run/docker.pid ] || read -r pid </run/docker.pid
  unit_of "$pid"
  [ "$unit" != docker.service ] || return 0
  if [ -z "$unit" ] && have ss; then
    for holder in $(limit ss -Hlxp | sed -n 's/.*docker\.sock .*users:(\(.*\)/\1/p' | tr ',' '\n' | sed -n 's/^pid=//p'); do
      [ "$holder" = 1 ] || { pid=$holder && unit_of "$pid"; }
    done
  fi
  [ "$unit" != docker.service ] || return 0
  runs_it "$unit" "$pid" || unit=''
  enabled=''
  [ -z "$unit" ] || enabled=$(limit systemctl is-enabled "$unit")
  # a static unit cannot be enabled, but another unit may start it
  case $enabled in static) [ -z "$(limit systemctl show "$unit" --value -p WantedBy -p RequiredBy | tr -d '\n')" ] || enabled=enabled ;; esac
  echo "unit ${unit:--} ${enabled:--}"
}

# UNIT PID: whether the unit starts the process. One started from a shell belongs to the unit of that shell: ssh.service.
runs_it() {
  [ -n "$1" ] || return 1
  main=$(limit systemctl show "$1" --value -p MainPID)
  parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$2/status")
  case $1 in snap.*) return 0 ;; esac
  [ "$main" = "$2" ] || [ "$main" = "$parent" ]
}

# PID: the system unit of a process, in $unit; empty for a process in a user session
unit_of() {
  unit=''
  [ -r "/proc/${1:--}/cgroup" ] || return 0
  while IFS= read -r line; do
    case $line in
      */user.slice/*) ;;
      0::*.service | *:name=systemd:*.service) unit=${line##*/} && return 0 ;;
    esac
  done <"/proc/$1/cgroup"
}

# Users who run an engine of their own
docker_rootless() {
  have pgrep || return 0
  for pid in $(pgrep -x dockerd | head -n 100); do
    owner=$(stat -c %U "/proc/$pid") && [ "$owner" != root ] && echo "rootless $owner"
  done
  true
}
