# Main program of command.service.
#
# The command finds what it finds in the other guest (guest.sh), but for the cgroups, which are systemd's:
#   PID 1                          systemd, with a system bus; no journal, no udev, no logind
#   user@1000.service              tester's own manager and bus, XDG_RUNTIME_DIR=/run/user/1000
#   /system.slice/command.service  the command's group, with Delegate=yes
#   as-tester CMD...               runs CMD as a service of tester's manager, with Delegate=yes
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
. /run/run.sh
