# Stands in for a board with firmware: /sys/class says a UUID, a serial number, and that eth0 is a device; then runs a program.
# usage: fake-board.sh FOLDER UUID SERIAL PROGRAM ARGUMENTS…
set -e
class="$1/class"
mkdir -p "$1/sys" "$class/net/eth0/device" "$class/dmi/id"
mount --rbind /sys "$1/sys"
for file in "$1"/sys/class/net/eth0/*; do
  ln -s "$file" "$class/net/eth0/"
done
echo "$2" > "$class/dmi/id/product_uuid"
echo "$3" > "$class/dmi/id/product_serial"
mount --rbind "$class" /sys/class
shift 3
exec "$@"
