#!/bin/sh
# First program of the guest, in the initramfs: find the real root and go there. Everything here is busybox.
#
# The tests cannot run on the initramfs itself: pivot_root(2) refuses the kernel's first root.
set -e
/busybox mkdir -p /bin /dev /proc /sys /root
/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc

for module in $(cat /modules/order); do insmod "/modules/$module"; done

if [ -e /executable ]; then
  # Nothing but busybox and the one static executable, on a tmpfs.
  mount -t tmpfs -o mode=755 root /root
  mkdir -p /root/bin /root/dev /root/etc /root/home/tester /root/proc /root/project /root/run /root/sys /root/tmp /root/var
  cp /busybox /root/bin/busybox
  chroot /root /bin/busybox --install -s /bin
  ln -s bin /root/sbin
  ln -s . /root/usr
  cp /executable /root/bin/executable
  printf 'root:x:0:0:root:/:/bin/sh\ntester:x:1000:1000::/home/tester:/bin/sh\n' >/root/etc/passwd
  printf 'root:x:0:\ntester:x:1000:\n' >/root/etc/group
else
  # A disk shows up some time after its driver.
  for _ in $(seq 50); do [ -b /dev/vda ] && break; sleep 0.1; done
  mount -t ext4 /dev/vda /root
fi

mkdir -p /root/run
mount -t tmpfs -o mode=755,nosuid,nodev run /root/run
cp /guest.sh /run.sh /command.sh /root/run/
umount /proc
mount --move /dev /root/dev
if [ -e /systemd ]; then
  # Units of /run come before those of /usr. A unit that is a link to nothing is masked.
  mkdir /root/run/systemd
  cp -r /systemd /root/run/systemd/system
  exec switch_root /root /lib/systemd/systemd
fi
exec switch_root /root /bin/sh /run/guest.sh
