# Writes the file of the rules, if they keep the way in by SSH open. The next run keeps all ports closed that the file closes.
#   text: the rules; rules: their file; loaded: the file that says which rules are loaded
: "${text:?}" "${rules:?}" "${loaded:?}"
check_ssh_stays_open
# a boot and a flush load this file, so the host can revert it from now on, unless it has just these rules loaded already
if [ "$(cut -d ' ' -f 1 "$loaded" 2>/dev/null)" != "$(printf %s "$text" | sha256sum | cut -d ' ' -f 1)" ]; then
  require_revert_lock
  arm_revert unloaded
fi
printf %s "$text" | atomic_file "$rules" 0644 root:root
