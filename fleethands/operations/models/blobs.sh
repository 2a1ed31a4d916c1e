# The blobs that a manifest lists, and whether they are whole. A part of other scripts. Models belong to Ollama's user, so they
# are read and removed as that user.
: "${models_dir:?}"
blobs=$models_dir/blobs
ollama=$(numbers_of ollama)

# list_blobs MANIFEST: a line `HEX SIZE` for its config and each layer; SIZE has 15 digits at most
list_blobs() {
  case $1 in "$models_dir"/*) read_as "$ollama" "$1" ;; *) cat "$1" ;; esac | head -c 65536 | tr -d '[:space:]' | tr '{' '\n' |
    sed -n -e 's/.*"digest":"sha256:\([0-9a-f]\{64\}\)".*"size":0*\([0-9]\{1,15\}\)[,}].*/\1 \2/p' \
      -e 's/.*"size":0*\([0-9]\{1,15\}\)[,}].*"digest":"sha256:\([0-9a-f]\{64\}\)".*/\2 \1/p' | sort -u | head -n 1000
}

# find_broken_blobs MANIFEST: its blobs that are missing or have other bytes. Ollama checks them only when it downloads them.
find_broken_blobs() {
  list_blobs "$1" | while read -r hex size; do
    file=$blobs/sha256-$hex
    [ "$(stat -c %s "$file" 2>/dev/null)" = "$size" ] &&
      [ "$(read_as "$ollama" "$file" iflag=count_bytes count="$size" | sha256sum | cut -d ' ' -f 1)" = "$hex" ] || echo "$hex"
  done
}

remove_blob() { as_owner "$ollama" 60 rm -f "$blobs/sha256-$1"; }
