# Explains why a link to an external Ollama broke.
#   elsewhere: `there` on another machine, or `here` on a loopback address of this host
#   server: its name or address; bring_model: what pulls the model there
: "${elsewhere?}" "${server:=}" "${bring_model:=}" "${port_of_ollama:?}" "${place:?}" "${local_url:?}" "${model:?}" "${restart:?}"

explain_external() { # `STATUS ANSWER [ours|thrown-away]`
  case $1 in
    6) explain_external_name "$3" ;;
    7) explain_external_refusal "$3" ;;
    28 | 124 | 137) explain_external_timeout "$3" ;;
    35 | 51 | 58 | 59 | 60 | 77) echo "${3:+from a container }the certificate of $local_url will not do: $(one_line "$2" | tr '|' ' ')|$(certificate_hint "$3")" ;;
    *) explain_external_answer "$1" "$2" ;;
  esac
}

explain_external_answer() { # STATUS ANSWER
  case $2 in
    *'not found'*) echo "Ollama at $local_url has no model $model|$bring_model" ;;
    *'HTTP 403'*) echo "Ollama at $local_url refuses the request (403): its OLLAMA_HOST, or a server before it|$restart" ;;
    *) explain_answer "$1" "$2" ;;
  esac
}

# containers ask Docker's name server, which does not read the host's /etc/hosts
explain_external_name() { # WHERE
  address=$(getent ahosts "$server" | sed -n '1s/ .*//p')
  case $address in *:*) address="[$address]" ;; esac
  if [ -z "$1" ]; then
    echo "the name $server is not known on this host|on the host: getent ahosts $server"
  elif [ "$elsewhere" = here ]; then
    explain_name "$1"
  else
    echo "containers of this host do not know the name $server|in the inventory: by its address, as \"ollama_address\": \"$(with_server "${address:-10.0.0.5}")\""
  fi
}

with_server() { printf %s "$local_url" | sed "s#//$server#//$1#"; } # ADDRESS

explain_external_refusal() { # WHERE
  if [ "$elsewhere" = there ]; then
    if [ -z "$1" ]; then echo "connection refused: nothing listens at $local_url|$restart"; else explain_forwarding; fi
    return
  fi
  where=$(listen_addresses)
  case $where in
    '') echo "connection refused: nothing listens at $local_url|$restart" ;;
    127.* | '[::1]'*) echo "connection refused: that Ollama listens on $where alone, which no container reaches|$place, and close port $port_of_ollama to other machines: $(environment_hint OLLAMA_HOST=0.0.0.0)" ;;
    *) explain_firewall "$port_of_ollama" ;;
  esac
}

explain_external_timeout() { # WHERE
  if [ "${link:?}" = list ]; then
    echo "no answer from $local_url in time: a firewall keeps this host out, or that machine is off|$(allow_hint)"
  elif [ -z "$1" ]; then
    explain_timeout
  elif [ "$elsewhere" = here ]; then
    explain_firewall "$port_of_ollama"
  else
    explain_forwarding
  fi
}

# explain_forwarding: the host reaches the server, and its containers do not
explain_forwarding() {
  case $local_url in
    *//\[*)
      echo "this host reaches $local_url, and its containers do not: Docker's networks have no IPv6, unless it is set up|in the inventory: \`ollama_address\` by that server's IPv4 address"
      return
      ;;
  esac
  from=$(bridge_name)
  rules=$(dropping_chains forward | while read -r family table chain; do
    printf ' && nft insert rule %s %s %s iifname %s tcp dport %s accept' "$family" "$table" "$chain" "$from" "$port_of_ollama"
  done)
  rules=${rules# && }
  chains=$(dropping_chains forward | awk '{ printf "%s%s %s", sep, $2, $3; sep = ", " }')
  what="this host reaches $local_url, and its containers do not: a firewall drops what it forwards${chains:+: $chains}"
  if ufw status 2>/dev/null | grep -q '^Status: active'; then
    echo "$what|on the host: ufw route allow in on $from to any port $port_of_ollama proto tcp"
  else
    echo "$what|on the host: ${rules:-nft list ruleset}"
  fi
}

# allow_hint: the server has to allow the address that this host uses on the way there
allow_hint() {
  address=$(getent ahosts "$server" | sed -n '1s/ .*//p')
  ours=$(ip -o route get "${address:-$server}" 2>/dev/null | sed -n 's/.* src \([0-9a-f.:]*\).*/\1/p')
  echo "on that server, where ufw is its firewall: ufw allow from ${ours:-this host} to any port $port_of_ollama proto tcp"
}

certificate_hint() { # WHERE
  if [ -z "$1" ]; then echo 'on the host: apt-get install ca-certificates'; else echo 'in the inventory: an address by http inside your network, or have a public authority sign it'; fi
}

# environment_hint ASSIGNMENT: the command that sets a variable of the service, and restarts it
environment_hint() {
  directory=/etc/systemd/system/ollama.service.d
  echo "mkdir -p $directory && { echo '[Service]'; echo 'Environment=$1'; } > $directory/zz-${1%%=*}.conf && systemctl daemon-reload && systemctl restart ollama"
}

# explain_external_context: OpenHands' prompt does not fit into the context of the model
explain_external_context() {
  what="$model is loaded there with a context of ${got:?} tokens, and OpenHands' own prompt needs ${least:?}"
  if printf %s "${about?}" | grep -q '"parameters":"[^"]*num_ctx'; then
    echo "$what: it sets its own num_ctx|in the inventory: another model, as one made there with PARAMETER num_ctx 32768"
  else
    echo "$what: that server's OLLAMA_CONTEXT_LENGTH is shorter|$place: $(environment_hint OLLAMA_CONTEXT_LENGTH=32768)"
  fi
}
