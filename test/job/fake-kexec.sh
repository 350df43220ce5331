#!/bin/sh
# Starts no kernel: notes how it was called, keeps what it was given, and for --exec ends the agent as a kernel that takes
# the computer over would.
folder=${0%/*}/..
echo "$*" >> "$folder/kexec.log"
for word; do
  case "$word" in --initrd=*) cp "${word#--initrd=}" "$folder/loaded-initrd" ;; esac
done
case "$*" in
  *--kexec-file-syscall*)
    [ ! -e "$folder/refuses-files" ] || { echo "kexec_file_load failed: Function not implemented"; exit 255; } ;;
  --exec)
    [ ! -e "$folder/refuses-exec" ] || { echo "Nothing has been loaded!"; exit 1; }
    kill -9 "$PPID" ;;
esac
