# Gives the models that another account wrote to Ollama's user. Symlinks among them are not followed.
#   theirs: that account
: "${path:?}" "${theirs:?}"
[ -d "$path" ] || exit 0
owner=$(within "$path" stat -c %u:%g .) || fail "the path $path leads through a symlink that root did not make" "on the host: namei -l '$path'"
note_adoption "owner $owner $path"
for each in "${owner%:*}" "$theirs"; do
  uid=$each
  case $each in *[!0-9]*) uid=$(id -u "$each" 2>/dev/null) || continue ;; esac
  give_tree "$path" "$uid" "$(numbers_of ollama)"
done
