# spelled MANIFEST: the file as it is there. Ollama takes the case of a name's parts from models that it has already
# (server/routes.go getExistingName, v0.24.0).
spelled() {
  store=${1%/*/*/*/*}
  same=''
  if [ ! -f "$1" ] && [ -d "$store" ]; then
    same=$(find "$store" -mindepth 4 -maxdepth 4 -type f -ipath "$1" | head -n 1)
  fi
  printf '%s\n' "${same:-$1}"
}
