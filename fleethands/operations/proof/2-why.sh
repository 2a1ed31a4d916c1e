# Why a link broke: the cause in words, and behind the bar the command that repairs it.
: "${model:?}" "${container:?}" "${port_of_ollama:?}" "${apply:?}" "${elsewhere?}" "${restart:?}" "${said_by_ollama:?}"
: "${ollama_image?}"

# why STATUS ANSWER [ours|thrown-away]: of curl, on the host or in which container
why() {
  case $2 in *[Rr]esolving\ timed\ out* | *'Could not resolve'*) set -- 6 "$2" "${3:-}" ;; esac
  if [ -n "$elsewhere" ]; then
    why_elsewhere "$1" "$2" "${3:-}"
    return
  fi
  case $1 in
    6) unnamed "${3:-}" ;;
    7) refused "${3:-}" ;;
    28 | 124 | 137) if [ -n "${3:-}" ]; then blocked "$port_of_ollama"; else slow; fi ;;
    *) answered "$1" "$2" ;;
  esac
}

answered() { # STATUS ANSWER
  case $2 in
    *'not found'*) echo "Ollama has no model $model|$apply" ;;
    *'error: 403'* | *'HTTP 403'*) echo "Ollama refuses the request (403): its OLLAMA_HOST or OLLAMA_ORIGINS is not as declared|$apply" ;;
    *) echo "no answer to $(if [ "${link:?}" = list ]; then echo 'the question which models it has'; else echo 'the prompt'; fi): $(flat "$2" | tr '|' ' ') (curl: $1)|$said_by_ollama" ;;
  esac
}

slow() { echo "Ollama took the prompt and gave no answer in time|$restart"; }

# Docker writes the name into a container's /etc/hosts when it starts, if the container was made so
unnamed() {
  if [ "$1" = thrown-away ]; then
    echo "Docker does not know the name host-gateway|on the host: systemctl restart docker"
  elif docker container inspect --format '{{.HostConfig.ExtraHosts}}' "$container" | grep -q host.docker.internal; then
    echo "the name host.docker.internal is gone from $container|on the host: docker restart $container"
  elif is_own_container "$container"; then
    echo "$container was made without host.docker.internal|on the host: docker rm --force $container"
  else
    echo "$container was made by somebody else, without host.docker.internal|$apply --data openhands_adopt=true"
  fi
}

# where Ollama's port is listened on: addresses with blanks between them
listened_on() { ss -Hltn "sport = :$port_of_ollama" | awk '{ print $4 }' | sort -u | tr '\n' ' ' | sed 's/ $//'; }

refused() { # WHERE
  where=$(listened_on)
  case $where in
    '') echo "connection refused: nothing listens on port $port_of_ollama, $(down)|$apply" ;;
    127.* | '[::1]'*) echo "connection refused: Ollama listens on $where alone, which no container reaches|$apply" ;;
    *) if [ -n "$1" ]; then blocked "$port_of_ollama"; else echo "connection refused, though $where is listened on|$apply"; fi ;;
  esac
}

# down: why Ollama does not run, where its service needs Docker, or the image of a container
down() {
  needed=$(sed -n 's/^Requires=//p' /etc/systemd/system/ollama.service 2>/dev/null)
  if [ -n "$ollama_image" ] && [ -n "$needed" ]; then
    if ! systemctl is-active --quiet "$needed"; then
      echo "Docker does not run ($needed is $(systemctl is-active "$needed")), and Ollama is a container" && return 0
    elif ! docker image inspect "$ollama_image" >/dev/null 2>&1; then
      echo "the image $ollama_image is not on the host" && return 0
    fi
  fi
  echo "ollama.service is $(systemctl is-active ollama)"
}

bridge() { docker network inspect bridge --format '{{index .Options "com.docker.network.bridge.name"}}' 2>/dev/null || echo docker0; }

# blocked PORT: whose firewall keeps containers from a port of their host
blocked() {
  from=$(bridge)
  what="a firewall drops what containers send to port $1"
  if ! nft list table inet fleethands >/dev/null 2>&1 && [ -e /etc/fleethands/firewall.nft ]; then
    what="$what; the table of fleethands is not loaded"
  fi
  if ufw status 2>/dev/null | grep -q '^Status: active'; then
    echo "$what: ufw|on the host: ufw allow in on $from to any port $1 proto tcp"
  elif firewall-cmd --quiet --state 2>/dev/null; then
    echo "$what: firewalld|on the host: firewall-cmd --permanent --zone=trusted --add-interface=$from && firewall-cmd --reload"
  else
    rules=$(dropping | while read -r family table chain; do
      printf ' && nft insert rule %s %s %s iifname %s tcp dport %s accept' "$family" "$table" "$chain" "$from" "$1"
    done)
    rules=${rules# && }
    chains=$(dropping | awk '{ printf "%s%s %s", sep, $2, $3; sep = ", " }')
    echo "$what${chains:+: $chains}|on the host: ${rules:-nft list ruleset}"
  fi
}

# dropping [HOOK]: chains of others that see what comes in and drop or reject some of it, as `FAMILY TABLE CHAIN`
dropping() {
  nft list chains 2>/dev/null | awk -v hook="${1:-input}" '
    $1 == "table" { family = $2; table = $3 }
    $1 == "chain" { chain = $2 }
    $0 ~ " hook " hook " " && table != "fleethands" { print family, table, chain }' |
    while read -r family table chain; do
      nft list chain "$family" "$table" "$chain" 2>/dev/null | grep -Eq 'policy drop|[[:space:]](drop|reject)' || continue
      echo "$family $table $chain"
    done
}

# whoever holds a port: `WORDS|COMMAND that ends it`; nothing if nobody does
holder() { # PORT
  line=$(ss -Hltnp "sport = :$1" | head -n 1)
  [ -n "$line" ] || return 0
  name=$(printf %s "$line" | sed -n 's/.*users:(("\([^"]*\)".*/\1/p')
  pid=$(printf %s "$line" | sed -n 's/.*pid=\([0-9]*\).*/\1/p')
  unit=$(ps -o unit= -p "${pid:-0}" 2>/dev/null | grep '\.service$' || true)
  others=$(docker ps --filter "publish=$1" --format '{{.Names}}' | grep -vx "$container" | head -n 1)
  if [ -n "$others" ]; then
    echo "the container $others|docker stop $others"
  elif [ -n "$unit" ] && [ "$unit" != docker.service ]; then
    echo "$name ($unit)|systemctl stop $unit"
  elif [ -n "$pid" ] && [ "$unit" != docker.service ]; then
    echo "$name (process $pid)|kill $pid"
  fi
}
