# What a manifest says of its blobs, and whether they are on the disk as it says. Read into other scripts. The models are
# Ollama's, so they are read and removed as its user.
: "${models_dir:?}"
blobs=$models_dir/blobs
ollama=$(numbers_of ollama)

# described MANIFEST: a line `HEX SIZE` for its config and each layer, of 15 digits at most; a manifest has a few
described() {
  case $1 in "$models_dir"/*) read_as "$ollama" "$1" ;; *) cat "$1" ;; esac | head -c 65536 | tr -d '[:space:]' | tr '{' '\n' |
    sed -n -e 's/.*"digest":"sha256:\([0-9a-f]\{64\}\)".*"size":0*\([0-9]\{1,15\}\)[,}].*/\1 \2/p' \
      -e 's/.*"size":0*\([0-9]\{1,15\}\)[,}].*"digest":"sha256:\([0-9a-f]\{64\}\)".*/\2 \1/p' | sort -u | head -n 1000
}

# broken MANIFEST: the blobs of it that are missing or hold other bytes; Ollama itself looks only once, when they come
broken() {
  described "$1" | while read -r hex size; do
    file=$blobs/sha256-$hex
    [ "$(stat -c %s "$file" 2>/dev/null)" = "$size" ] &&
      [ "$(read_as "$ollama" "$file" iflag=count_bytes count="$size" | sha256sum | cut -d ' ' -f 1)" = "$hex" ] || echo "$hex"
  done
}

# blob_gone HEX
blob_gone() { as_owner "$ollama" 60 rm -f "$blobs/sha256-$1"; }
