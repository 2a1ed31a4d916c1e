# Loads the nftables table of fleethands, now and at boot. Other tables are never touched.
#   rules: the file of the rules; digest: the sha256 that it must have
: "${rules:?}" "${digest:?}"
check_ssh_stays_open
require_revert_lock # a revert of an earlier change would replace the file
[ "$(sha256sum <"$rules" | cut -d ' ' -f 1)" = "$digest" ] ||
  fail "$rules changed after the plan was made" 'run it again: the plan is made from what is there now'
arm_revert timeout
load_table
