#!/bin/sh
# in_chroot.sh FOLDER COMMAND...: run a program of another Debian, on this one's /tmp and /dev.
# The mounts are seen by this program alone and go with it; its pid is ours.
set -eu
exec unshare --mount --propagation private sh -c '
  set -eu
  folder=$1
  shift
  mount -t proc proc "$folder/proc"
  mount --rbind /dev "$folder/dev"
  mount --bind /tmp "$folder/tmp"
  exec chroot "$folder" "$@"
' sh "$@"
