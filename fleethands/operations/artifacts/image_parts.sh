# Reads the index and the manifest of an image, which are parts already. A part of other scripts. They are untrusted data.
MOST_LAYERS=200 # Docker has at most 127
LARGEST_LAYER=1099511627776

# is_index DIGEST
is_index() { json_values <"$(part_file "$1")" | cut -f 1 | grep -q '^manifests\.0\.'; }

# choose_manifest DIGEST ARCH: digest of the manifest in an index for Linux on this architecture; the first one, as Docker does
choose_manifest() {
  # shellcheck disable=SC2016
  arch=$2 json_values <"$(part_file "$1")" | arch=$2 awk -F '\t' '
    $1 ~ /^manifests\.[0-9]+\.digest$/ { split($1, at, "."); digest[at[2]] = $2 }
    $1 ~ /^manifests\.[0-9]+\.platform\.os$/ { split($1, at, "."); os[at[2]] = $2 }
    $1 ~ /^manifests\.[0-9]+\.platform\.architecture$/ { split($1, at, "."); machine[at[2]] = $2; if (at[2] > last) last = at[2] }
    END { for (i = 0; i <= last && i < 1000; i++) if (os[i] == "linux" && machine[i] == ENVIRON["arch"]) { print digest[i]; exit } }'
}

# list_image DIGEST: lines `DIGEST SIZE` of a manifest: its config, and its layers in their order. Nothing if one of them is odd.
list_image() {
  json_values <"$(part_file "$1")" | awk -F '\t' -v most="$MOST_LAYERS" -v largest="$LARGEST_LAYER" '
    $1 == "config.digest" { digest[0] = $2 }
    $1 == "config.size" { size[0] = $2 }
    $1 ~ /^layers\.[0-9]+\.digest$/ { split($1, at, "."); digest[at[2] + 1] = $2; if (at[2] + 1 > last) last = at[2] + 1 }
    $1 ~ /^layers\.[0-9]+\.size$/ { split($1, at, "."); size[at[2] + 1] = $2 }
    END {
      if (last > most) exit
      for (i = 0; i <= last; i++)
        if (digest[i] !~ /^sha256:[0-9a-f]+$/ || length(digest[i]) != 71 || size[i] !~ /^[0-9]+$/ || length(size[i]) > 15 || size[i] > largest) exit
      for (i = 0; i <= last; i++) print digest[i], size[i] + 0
    }'
}
