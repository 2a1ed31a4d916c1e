# Runs one command in a session of its own. Standard input ends when the controller stops or loses the connection: then
# all processes of the command are stopped. The first line of output, with the mark, shows that the script runs.
: "${mark:?}"

# begin WORDS: what follows is the output of the command
begin() { printf '%s begin %s\n' "$mark" "$1"; }

# run_until_input_ends COMMAND...: the shell exits with the status of the command
run_until_input_ends() {
  exec 3<&0
  setsid "$@" </dev/null 3<&- &
  child=$!
  stop_with_input "$child" >/dev/null 2>&1 &
  watcher=$!
  exec 3<&- 2>/dev/null # the shell itself prints `Terminated`
  status=0
  wait "$child" || status=$?
  kill "$watcher"
  exit "$status"
}

# stop_with_input PROCESS: the group has the number of its first process
stop_with_input() {
  while read -r _ <&3; do :; done
  kill -s TERM -- "-$1" || kill -s TERM "$1"
  sleep 5
  kill -s KILL -- "-$1"
}
