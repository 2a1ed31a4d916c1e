# smi FILE STATUS [SECONDS]: a stand-in for nvidia-smi that says what was recorded, and ends with that status
smi() {
  mkdir -p /usr/local/share/recorded
  cp "/run/recorded/$1" /usr/local/share/recorded/
  printf '#!/bin/sh\nsleep %s\ncat /usr/local/share/recorded/%s\nexit %s\n' "${3:-0}" "$1" "$2" >/usr/local/bin/nvidia-smi
  chmod 755 /usr/local/bin/nvidia-smi
}

# pci VENDOR PRODUCT DRIVER: the only display controller on this host's bus
pci() {
  mount -t tmpfs tmpfs /sys/bus/pci/devices
  device=/sys/bus/pci/devices/0000:01:00.0
  mkdir $device
  echo "$1" >$device/vendor
  echo "$2" >$device/device
  echo 0x030200 >$device/class
  ln -s "/sys/bus/pci/drivers/$3" $device/driver
}
