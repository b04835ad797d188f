# Second program of the guest, PID 1 on the real root: set the stage as systemd would, run the command, report, power off.
#
# The command finds
#   /project                       the project, owned by tester, and the working folder
#   /run/out                       $BUNSHARE_VM_OUT: files put here come back to .cache/vm/out
#   /sys/fs/cgroup                 cgroup v2 and nothing else; all controllers available, cpu memory pids passed on to children
#   /sys/fs/cgroup/delegated       belongs to tester, as systemd delegates a subtree: cpu, memory and pids, passed on
#   /sys/fs/cgroup/delegated/session  the leaf in which as-tester starts its program
#   as-tester CMD...               runs CMD as the ordinary user tester (uid 1000, subordinate ids 100000-165535), in that leaf
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o nosuid,noexec,gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 shm /dev/shm
mount -t tmpfs -o nosuid,nodev,mode=1777 tmp /tmp
mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
# Shared, as on every systemd host: code that forgets to make its own mounts private fails here and not at the user's.
mount --make-rshared /
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr
# These nodes load their modules when opened.
mkdir -p /dev/net
mknod -m 666 /dev/net/tun c 10 200
[ -e /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229

hostname vm
ip link set lo up
userns=/proc/sys/kernel/unprivileged_userns_clone
[ -e $userns ] && echo 1 >$userns

cd /sys/fs/cgroup
echo '+cpu +memory +pids' >cgroup.subtree_control
mkdir delegated delegated/session
echo '+cpu +memory +pids' >delegated/cgroup.subtree_control
for group in delegated delegated/session; do
  chown 1000:1000 $group $group/cgroup.procs $group/cgroup.threads $group/cgroup.subtree_control
done

mkdir -p /run/user/1000
chown 1000:1000 /run/user/1000
. /run/run.sh
