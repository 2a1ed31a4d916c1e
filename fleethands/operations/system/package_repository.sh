# A repository of the packages that a bundle brought, for apt alone and for the time of one script. A part of other scripts. The
# digest of each package was checked, so the repository needs no signature. The sources of the host stay as they are, and so do
# its preferences.
: "${debs?}"

# make_repository DIRECTORY: of the packages in $debs. Sets `sources`.
make_repository() {
  mkdir -p "$1/lists/partial" "$1/archives/partial"
  printf '%s\n' "$debs" | while read -r digest name; do
    part=$(part_file "$digest")
    [ -e "$part" ] || continue # the host has this package
    deb=$1/${name}_$(printf %s "${digest#sha256:}" | cut -c 1-16).deb
    ln "$part" "$deb" 2>/dev/null || cp "$part" "$deb"
    dpkg-deb --field "$deb" || fail "$name of the bundle is not a package" 'check the bundle: fleethands bundle verify FILE'
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" "${digest#sha256:}"
  done >"$1/Packages"
  echo "deb [trusted=yes] file:$1 ./" >"$1/sources.list"
  sources="-o Dir::Etc::sourcelist=$1/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$1/lists"
  sources="$sources -o Dir::Cache::archives=$1/archives -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache="
  sources="$sources -o APT::Sandbox::User=root -o Acquire::Languages=none"
}
