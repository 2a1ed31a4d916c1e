# Runs all sections. The probe reads one host and changes nothing. What could not be read is unknown, never absent.
# $ordinary: sections that need nothing but their own function (facts/framing.py)
: "${ordinary:?}" "${newline:?}" "${mark:?}" "${home:?}" "${models_dir:?}" "${image?}" "${ollama_image?}"

# Docker and Ollama may hang, and upstream is slow, so all three run at the same time as the other sections. Nothing is
# written to the host: their output waits in a pipe.
sections() {
  own_home
  case $models_dir in @home*) models_dir=$home${models_dir#@home} ;; esac
  listening=$(listen 2>/dev/null)
  listened=$?
  {
    answer=$(section docker "$listening")
    printf '%s\n' "$answer"
    images_missing=''
    case $answer in *"${newline}image -$newline"* | *"${newline}stopped$newline"*) images_missing=" $image " ;; esac
    case $answer in *"${newline}ollama_image -$newline"* | *"${newline}stopped$newline"*) images_missing="$images_missing $ollama_image " ;; esac
    section upstream "$images_missing"
  } | {
    exec 3<&0
    section ollama </dev/null | {
      for name in system disk gpu; do section "$name"; done
      dpkg=$(section packages)
      printf '%s\n' "$dpkg"
      section apt "$dpkg"
      shown=$(show_units 2>/dev/null)
      ended=$?
      for name in $ordinary; do
        case $name in units | process) section "$name" "$ended" "$shown" ;; *) section "$name" ;; esac
      done
      section sockets "$listened" "$listening"
      cat
    }
    cat <&3
  }
}

# Only ASCII is sent, in whatever encoding the host has its names. The last line has the digest of the whole answer.
plain() { if have tr; then tr -c '\11\12\40-\176' '?'; else cat; fi; }
answer=$(sections | plain)
printf '\n%s\n' "$answer"
if have sha256sum; then digest=$(printf '%s\n' "$answer" | sha256sum); else digest=-; fi
printf '%s done %s\n' "$mark" "${digest%% *}"
