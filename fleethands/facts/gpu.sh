# NVIDIA and AMD display controllers (PCI class 0x03) with their drivers, and what the drivers report.
read_gpu() {
  nvidia='' seen=''
  for device in /sys/bus/pci/devices/*; do
    [ -r "$device/class" ] || continue
    read -r vendor <"$device/vendor"
    read -r class <"$device/class"
    case "$vendor $class" in 0x10de\ 0x03*) nvidia=yes ;; 0x1002\ 0x03*) ;; *) continue ;; esac
    read -r product <"$device/device"
    driver=$(readlink "$device/driver")
    total=- used=-
    [ -r "$device/mem_info_vram_total" ] && read -r total <"$device/mem_info_vram_total" && read -r used <"$device/mem_info_vram_used"
    driver=${driver##*/}
    echo "pci ${device##*/} $vendor $product ${driver:--} $total $used"
    seen=yes
  done
  [ -r /etc/nv_tegra_release ] && read -r tegra </etc/nv_tegra_release && printf '%s\n' "tegra $tegra"
  [ -r /sys/module/nvidia/version ] && read -r version </sys/module/nvidia/version && echo "nvidia $version" && nvidia=yes
  [ -d /sys/module/amdgpu ] && echo amdgpu
  smi=$(command -v nvidia-smi || command -v /usr/lib/wsl/lib/nvidia-smi) && nvidia=yes
  [ -n "$nvidia$seen" ] || return 0
  need timeout base64 head tr stat || return $?
  for node in /dev/nvidia[0-9]* /dev/kfd /dev/dri/renderD*; do
    [ -e "$node" ] && echo "node $node $(stat -c '%a %G' "$node")"
  done
  if [ -n "$smi" ]; then
    said=$(smi_says) && status=${said##*"$newline"} || status=124
    case $status in '' | *[!0-9]*) status=1 ;; esac
    echo "smi $status $(printf %s "${said%"$newline"*}" | encoded)"
  fi
  if [ -n "$nvidia" ] && have ldconfig; then
    case $(ldconfig -p) in *libcuda.so.1\ *) echo 'libcuda yes' ;; *) echo 'libcuda no' ;; esac
  fi
  true
}

# The list of nvidia-smi, then a line with its status. It may hang in the kernel, where no signal stops it, so `within`
# only stops its reader. Without persistence mode, the driver starts for each call: many GPUs need more than 10 s.
smi_says() {
  (
    {
      "$smi" --query-gpu=index,name,uuid,driver_version,memory.total,memory.used --format=csv,noheader,nounits 2>&1
      echo "$newline$?"
    } &
  ) | within 20 head -c 65536
}
