# What guest.sh does, as far as systemd has not done it.
mkdir -p /run/user/1000
chown 1000:1000 /run/user/1000 /home/tester
chmod 700 /run/user/1000
mount -t tmpfs -o nosuid,nodev,mode=1777 tmp /tmp
mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod -m 666 /dev/net/tun c 10 200
[ -e /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229
ip link set lo up
userns=/proc/sys/kernel/unprivileged_userns_clone
[ -e $userns ] && echo 1 >$userns
