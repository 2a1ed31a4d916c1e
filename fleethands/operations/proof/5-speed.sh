# Measures how fast the model answers, and compares that with the release record.
#   speed_request: the request as JSON; NONCE is replaced, because Ollama keeps a prompt that it has read; so is LENGTH
#   speed_of: fields of JSON that say what is measured
#   before, before_noise, before_answers: tokens a second by the release record; before_spread: the noise between records
#   uncompared: why nothing can be compared
#   slowdown_limit: percent by which the host may be slower than before; empty for no limit
#   ollama_container: its name, where Ollama runs in a container
: "${speed_request:?}" "${speed_of:?}" "${before?}" "${before_noise?}" "${before_answers?}" "${before_spread:?}"
: "${uncompared?}" "${slowdown_limit?}" "${ollama_container:?}" "${model:?}" "${local_url:?}" "${place:?}" "${tokens:=1}"
load='' length=16 ollama_group=''
ANSWERS=5 SERIES_WITHIN=8000 # of one series: its answers, and milliseconds
[ -z "$slowdown_limit" ] || SERIES_WITHIN=20000
COMPARED_ANSWERS=3 # with fewer of them nothing is compared
FREE_CPU=30 # percent of its time that a thread may wait for a CPU; if it waits longer, nothing is compared
SERIES=3 PAUSE=3 # series that have to find a host slower, and the seconds between them

# read_first_answer LOADED: sets `load` to the seconds in which the last answer loaded the model, empty if it was LOADED; and `length`
# to the tokens of each answer to measure, which are fewer from a model that gives less than 8 a second
read_first_answer() {
  [ -n "$1" ] || load=$(answer_field load_duration | LC_ALL=C awk '{ printf "%.3f", $1 / 1e9 }')
  length=$(echo "$(answer_field eval_duration) $tokens" | LC_ALL=C awk '{ print (NF == 2 && $1 / $2 > 125e6 ? 8 : 16) }')
}

answer_field() { printf %s "${answer:?}" | sed -n "s/.*\"$1\":\([0-9]\{1,15\}\)[,}].*/\1/p"; } # NAME

# measure_answer SECONDS: prints `TOKENS_A_SECOND SECONDS_TO_THE_FIRST`, nothing without a whole answer. Ollama sends the headers of
# a stream with its first token (server/routes.go, v0.32.15). The last object has Ollama's own durations. What answers may be another
# machine, so a figure that no host has (speed.py), or an infinite one, is no answer: the release record would be no JSON.
measure_answer() {
  body=$(printf %s "$speed_request" | sed "s/NONCE/$(date +%N)/; s/\"LENGTH\"/$length/")
  curl -q --silent --no-buffer --noproxy '*' --connect-timeout 10 --max-time "$1" --data "$body" \
    --write-out '\nfirst %{time_starttransfer} %{http_code}\n' "$local_url/api/generate" | head -c 1048576 | LC_ALL=C awk '
    function field(name,   before) {
      before = length(name) + 3
      return match($0, "\"" name "\":[0-9]+") && RLENGTH <= before + 15 ? substr($0, RSTART + before, RLENGTH - before) + 0 : 0
    }
    /"done":true/ { tokens = field("eval_count"); took = field("eval_duration") }
    /^first [0-9.]+ [0-9]+$/ { first = $2 + 0; status = $3 }
    END {
      rate = took > 0 ? tokens / took * 1e9 : 0
      if (status == 200 && tokens > 1 && rate >= 0.001 && rate <= 1e9 && first > 0 && first <= 1e9) printf "%.6f %.6f\n", rate, first
    }' || true
}

# control_group: prints the line of /proc/PID/cgroup that names the control group of Ollama's service or container (man 7 cgroups).
# Any account can start a process with the name `ollama`, but only root can start one there.
control_group() {
  main=$(systemctl show ollama.service -p MainPID --value)
  # the main process of a container's unit is Docker's client
  case $(readlink "/proc/${main:-0}/exe") in
    */docker) main=$(timeout 10 docker container inspect --format '{{.State.Pid}}' "$ollama_container") ;;
  esac
  grep -m 1 -E '^(0:|[0-9]+:name=systemd):/.+' "/proc/${main:-0}/cgroup"
}

# read_cpu_times: prints `THREAD RAN WAITED`, in nanoseconds, for each thread of Ollama on this host (Linux: sched-stats.rst). A virtual
# machine waits too while its hypervisor runs others (steal, man 5 proc_stat). No thread's own figures show that.
read_cpu_times() {
  [ -n "$ollama_group" ] || return 0
  awk '$1 == "cpu" { printf "hypervisor %.0f %.0f\n", ($2 + $3 + $4 + $7 + $8) * 1e7, $9 * 1e7 }' /proc/stat
  grep -lxF "$ollama_group" /proc/[0-9]*/cgroup 2>/dev/null | while read -r name; do
    awk '{ print FILENAME, $1, $2 }' "${name%/cgroup}"/task/*/schedstat 2>/dev/null || true
  done
}

# cpu_wait BEFORE MILLISECONDS: prints for how many percent of its time the most delayed thread waited for a CPU since then, of those
# that ran for a tenth of the time. Other work makes a model on the CPU slow, and is no fault of the change.
cpu_wait() {
  { echo "$1" && read_cpu_times | sed 's/^/now /'; } | LC_ALL=C awk -v least="$2" '
    NF == 3 { ran[$1] = $2; waited[$1] = $3 }
    NF == 4 && $2 in ran {
      delay = $4 - waited[$2]; work = $3 - ran[$2]
      if (work > 0 && work > least * 1e5 && delay / (delay + work) > most) most = delay / (delay + work)
    }
    END { printf "%.0f", most * 100 }'
}

# is_disturbed: without a limit nothing is compared, so one answer is enough where other work keeps Ollama waiting. More would
# slow that work down: the threads of a model on the CPU wait for each other without a pause.
is_disturbed() { [ -z "$slowdown_limit" ] && [ "$(cpu_wait "$times" $(($(now) - from)))" -gt "$FREE_CPU" ]; }

# measure_series: sets `samples`, with one line for each answer, and `waited`, the percentage of cpu_wait
measure_series() {
  samples='' tried=0 times=$(read_cpu_times) from=$(now)
  while [ "$tried" -lt "$ANSWERS" ]; do
    rest=$(((SERIES_WITHIN - $(now) + from) / 1000))
    [ "$rest" -gt 0 ] || break
    tried=$((tried + 1))
    samples="$samples$(measure_answer "$rest")
"
    ! is_disturbed || break
  done
  waited=$(cpu_wait "$times" $(($(now) - from)))
}

# summarize: prints `ANSWERS SLOWER|FIGURES|WORDS` of `samples`. SLOWER is `yes` if the host is slower than the limit allows, even at
# the favorable end of the range; or `busy` if its time without waiting for a CPU is not too slow. A median of n answers is off
# by 1.25 s / sqrt(n), where s is 1.48 times the median deviation. Two series on an idle host differ by another 2 percent.
summarize() {
  printf %s "$samples" | LC_ALL=C awk -v before="$before" -v before_noise="$before_noise" -v before_answers="$before_answers" -v spread="$before_spread" \
    -v limit="$slowdown_limit" -v least="$COMPARED_ANSWERS" -v load="$load" -v waited="$waited" -v free="$FREE_CPU" '
    function median(list, count,   i, j, each) {
      for (i = 2; i <= count; i++) {
        each = list[i]
        for (j = i - 1; j > 0 && list[j] > each; j--) list[j + 1] = list[j]
        list[j + 1] = each
      }
      return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
    }
    function noise(list, count, middle,   i, off) {
      for (i = 1; i <= count; i++) off[i] = list[i] > middle ? list[i] - middle : middle - list[i]
      return 1.4826 * median(off, count)
    }
    function relative(middle, scatter, count) { return 1.2533 * scatter / sqrt(count) / middle }
    function percent(part) { return part > 1e4 ? 1e6 : part < -1e4 ? -1e6 : part * 100 }
    function shown(rate) { return sprintf(rate >= 100 ? "%.0f" : rate >= 10 ? "%.1f" : "%.2f", rate) }
    NF == 2 { count++; rates[count] = $1; firsts[count] = $2 }
    END {
      if (!count) { print "0 no||"; exit }
      rate = median(rates, count); scatter = noise(rates, count, rate)
      first = median(firsts, count); unsteady = noise(firsts, count, first)
      figures = sprintf("\"answers\": %d, \"tokens_per_second\": %.3f, \"tokens_per_second_noise\": %.3f, \"first_token_seconds\": %.4f, \"first_token_seconds_noise\": %.4f", count, rate, scatter, first, unsteady)
      if (load != "") figures = figures sprintf(", \"load_seconds\": %.3f", load)
      figures = figures sprintf(", \"cpu_wait_percent\": %d", waited)
      words = shown(rate) " tokens/s"
      if (before != "" && count >= least) {
        ratio = rate / before
        off = percent(2 * ratio * sqrt(relative(rate, scatter, count) ^ 2 + relative(before, before_noise, before_answers) ^ 2 + spread ^ 2 + 0.02 ^ 2))
        slower = percent(1 - ratio)
        figures = figures sprintf(", \"before\": %.3f, \"slowdown_percent\": %.2f, \"uncertainty_percent\": %.2f", before, slower, off)
        words = words sprintf(", %s before (%+.0f %% ± %.0f %%)", shown(before), slower > 0 && slower < 0.5 ? 0 : -slower, off)
        broken = limit != "" && slower - off > limit
        if (waited > free || (1 - ratio / (1 - waited / 100)) * 100 - off <= limit) busy = 1
      } else words = words sprintf(" ± %.0f %%", scatter / rate * 100)
      if (broken) words = words sprintf(", limit %s %%", limit)
      words = words sprintf(first < 1 ? "; first token after %.3f s" : "; first token after %.1f s", first)
      if (load != "") words = words sprintf(", loaded in %.1f s", load)
      printf "%d %s|%s|%s; %d answer%s\n", count, broken ? (busy ? "busy" : "yes") : "no", figures, words, count, count == 1 ? "" : "s"
    }'
}

# measure_speed: all series have to find a slower host, because other work may slow one of them down
measure_speed() {
  begin_link speed
  ollama_group=$(control_group 2>/dev/null) || ollama_group=''
  series=1
  measure_series
  summary=$(summarize)
  while [ "$series" -lt "$SERIES" ]; do
    case $summary in *' no|'*) break ;; esac
    sleep "$PAUSE"
    series=$((series + 1))
    measure_series
    summary=$(summarize)
  done
  answers=${summary%% *} sentence=${summary##*|} figures=${summary#*|}
  figures=${figures%%|*}
  [ -z "$figures" ] || figures="{$speed_of, $figures}"
  [ -z "$slowdown_limit" ] || note_uncompared
  case $summary in
    *' yes|'*) breaks "$sentence|$place: curl -sS $local_url/api/ps" "$figures" ;;
    '0 '*) holds "not measured: no whole answer in time" ;;
    *) holds "$sentence" "$figures" ;;
  esac
}

note_uncompared() {
  case $summary in *' busy|'*) echo "note: the speed was not compared: other work kept Ollama waiting for a CPU, for $waited % of the time" >&2 && return 0 ;; esac
  [ -n "$before" ] || { echo "note: the speed was not compared: $uncompared" >&2 && return 0; }
  [ "$answers" -ge "$COMPARED_ANSWERS" ] || echo "note: the speed was not compared: $answers whole answers in $((SERIES_WITHIN / 1000)) s are too few" >&2
}
