# The record of a proof: what each link of the chain showed, line by line. Only the first broken one is an error's word:
# those behind it hang on it.
: "${record:?}" "${container:?}" "${entry?}" "${shift?}" "${records?}" "${kept?}" "${run?}"
seen=''
broken=''
tab=$(printf '\t')
: "${apply:?}"

now() { date +%s%3N; }

flat() { printf %s "$1" | tr '\n\t' '  ' | tail -c 300; }

# link NAME: what is tried from here on
link() {
  link=$1
  begun=$(now)
}

took() { echo $(($(now) - begun)); }

holds() { seen="$seen$link${tab}ok$tab$(took)$tab$(flat "$1")$tab
"; }

# breaks CAUSE|HINT: a hint is a command that repairs it, after the place to type it
breaks() {
  cause=$(flat "${1%|*}")
  seen="$seen$link${tab}broken$tab$(took)$tab$cause$tab${1##*|}
"
  [ -z "$broken" ] || return 0
  broken=$link
  printf 'error: %s: %s\n' "$link" "$cause" >&2
  printf 'hint: %s\n' "${1##*|}" >&2
}

# What was declared and has held is kept, the last few of them. Each file is replaced as a whole and the oldest first, so
# that whenever this ends, each of them is a record; a link is moved in place of a file, as `ln` would take it away first.
keep_record() {
  [ -n "$entry" ] || return 0
  if [ "$shift" = yes ] && ! cmp -s "$records.json" "$records-1.json"; then
    older=$((kept - 1))
    while [ "$older" -gt 0 ]; do
      newer="$records-$((older - 1)).json"
      [ "$older" -gt 1 ] || newer=$records.json
      if [ -f "$newer" ]; then ln -f "$newer" "$records.fleethands" && mv -fT "$records.fleethands" "$records-$older.json"; fi
      rm -f "$records.fleethands"
      older=$((older - 1))
    done
  fi
  printf '%s, "run": "%s", "time": "%s"}\n' "$entry" "$run" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" |
    atomic_file "$records.json" 0600 root:root
}

# a run that has locked this host makes the proof itself, at its end
run_has_host() { [ -e /run/fleethands/lock ] && ! flock -n -s /run/fleethands/lock true; }

# What gave way to what is proven goes, and what gave way to what is not comes back: by the run that changes this host, or by
# the next one, for which nothing is written down here.
concluded() {
  if [ -z "$broken" ]; then
    keep_record
    remove_previous_openhands "$container"
    noted
    return
  fi
  noted
  back=0
  restore_previous_openhands "$container" || back=$?
  case $back in
    0) echo 'error: the previous one is running again' >&2 ;;
    2)
      echo 'error: the previous one is back in place, and does not start' >&2
      echo "hint: $(manual_start_hint "$container")" >&2
      ;;
  esac
}

noted() { printf '%s' "$seen" | atomic_file "$record" 0644 root:root; }

# for the controller to read, and for the host to keep
finish() {
  printf '%s' "$seen"
  if [ -n "$entry" ]; then
    concluded
  elif ! has_previous_openhands "$container" && ! run_has_host; then
    noted
  fi
  [ -z "$broken" ] || stop
  exit 0
}
