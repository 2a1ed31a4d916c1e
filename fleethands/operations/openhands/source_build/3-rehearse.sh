# shellcheck disable=SC2034,SC2154  # the parts are one script
# The rehearsal: the build is started once as the service's user, in the same sandbox as the service, on other ports and with a
# temporary state.
rehearsal=/run/fleethands/rehearsal

# a random key, because a client with the key of a backend has a shell
rehearsal_key() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

prepare_rehearsal() {
  rm -rf "$rehearsal"
  install -d -m 0755 /run/fleethands
  install -d -m 0700 -o "$user" -g "$user" "$rehearsal"
  {
    way_to_packages
    printf '%s=%s\n' HOME "$rehearsal" PATH "$build/bin:/usr/bin:/bin" LOCAL_BACKEND_API_KEY "$key" \
      OH_CANVAS_SAFE_BACKEND_PORT "$2" OH_CANVAS_SAFE_AUTOMATION_PORT "$3" OH_CANVAS_SAFE_VITE_PORT "$4" \
      FILE_STORE local FILE_STORE_PATH "$rehearsal" WORKSPACE_BASE "$rehearsal" LITELLM_LOCAL_MODEL_COST_MAP True
  } | atomic_file "$rehearsal.env" 0600 root:root
}

end_rehearsal() {
  end_unit fleethands-rehearsal
  rm -rf "$rehearsal" "$rehearsal.env"
}

# answers URL: the key goes in on standard input, because all users can read command lines
answers() {
  printf 'header = "X-Session-API-Key: %s"\n' "$key" |
    curl -q --silent --noproxy '*' --fail --output /dev/null --max-time 5 --config - "$1"
}

rehearse() {
  # shellcheck disable=SC2086
  set -- $ports
  key=$(rehearsal_key)
  prepare_rehearsal "$@"
  since=$(date +%s) end=$(($(date +%s) + 900))
  in_unit fleethands-rehearsal "$user" --working-directory "$rehearsal" --property EnvironmentFile="$rehearsal.env" \
    --property ReadWritePaths="-$build/cache $rehearsal" "$build/bin/serve" 127.0.0.1 "$1"
  for page in $pages; do
    until answers "http://127.0.0.1:$1$page"; do
      if [ "$(date +%s)" -ge "$end" ] || ! systemctl is-active --quiet fleethands-rehearsal; then
        echo 'last lines of its journal:' >&2
        journalctl -u fleethands-rehearsal --since "@$since" -n 30 --no-pager -o cat >&2
        end_rehearsal
        fail "$ref${repo:+ of $repo} does not start; the current one keeps running" 'look for the cause in the lines above, then run again'
      fi
      room_or_end fleethands-rehearsal
      sleep 0.5
    done
  done
  end_rehearsal
}
