# The record of a proof has one line for each link. Only the first broken link is printed as an error, because the links after it
# depend on it.
#   record: its file; apply: the hint of what an apply repairs
#   container: name of OpenHands' container
#   entry, shift, records, kept: the release record that a proof writes (release_record.py); entry: empty to write none
: "${record:?}" "${container:?}" "${entry?}" "${shift?}" "${records?}" "${kept?}" "${run?}"
seen=''
broken=''
figures='' # the measured speed as JSON, for the release record
tab=$(printf '\t')
: "${apply:?}"

now() { date +%s%3N; }

one_line() { printf %s "$1" | tr '\n\t' '  ' | tail -c 300; }

# begin_link NAME: the next result is of this link
begin_link() {
  link=$1
  begun=$(now)
}

elapsed() { echo $(($(now) - begun)); }

# holds WORDS [FIGURES]
holds() { seen="$seen$link${tab}ok$tab$(elapsed)$tab$(one_line "$1")$tab${2:+$tab$2}
"; }

# breaks CAUSE|HINT [FIGURES]: the hint is the command that repairs the link, after the place to type it
breaks() {
  cause=$(one_line "${1%|*}")
  seen="$seen$link${tab}broken$tab$(elapsed)$tab$cause$tab${1##*|}${2:+$tab$2}
"
  [ -z "$broken" ] || return 0
  broken=$link
  printf 'error: %s: %s\n' "$link" "$cause" >&2
  printf 'hint: %s\n' "${1##*|}" >&2
}

# keep_record: write the release record, and shift the older ones. Each file is replaced as a whole, the oldest first, so each is
# a valid record even if the script is interrupted. A hard link is moved over a file, because `ln` would remove the file first.
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
  printf '%s%s, "run": "%s", "time": "%s"}\n' "$entry" "${figures:+, \"speed\": $figures}" "$run" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" |
    atomic_file "$records.json" 0600 root:root
}

# is_locked_by_run: such a run makes a proof itself at its end
is_locked_by_run() { [ -e /run/fleethands/lock ] && ! flock -n -s /run/fleethands/lock true; }

# conclude: remove the previous container or service if the proof holds, otherwise restore it
conclude() {
  if [ -z "$broken" ]; then
    keep_record
    remove_previous_openhands "$container"
    write_proof
    return
  fi
  write_proof
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

write_proof() { printf '%s' "$seen" | atomic_file "$record" 0644 root:root; }

# finish: print the results for the controller, and write them down unless a run or an unfinished change will do so
finish() {
  printf '%s' "$seen"
  if [ -n "$entry" ]; then
    conclude
  elif ! has_previous_openhands "$container" && ! is_locked_by_run; then
    write_proof
  fi
  [ -z "$broken" ] || stop
  exit 0
}
