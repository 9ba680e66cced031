#!/usr/bin/env bash
# Makes the initrd for a root folder: image/initrd/build.sh ROOTFS OUT. Nothing of the root is run, and
# nothing but /init and the modules between the kernel and its root goes in. Needs
# aarch64-linux-gnu-gcc, cpio, zstd and xz (any of them may be set: CC, STRIP).
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(realpath -- "${1:?the root folder}")
out=$(realpath -m -- "${2:?where the initrd goes}")
architecture=${GATEPOST_IMAGE_ARCHITECTURE:-arm64}
case ${architecture} in
  arm64) compiler=${CC:-aarch64-linux-gnu-gcc} ;;
  amd64) compiler=${CC:-x86_64-linux-gnu-gcc} ;;
  *) printf 'unknown architecture %s\n' "${architecture}" >&2 && exit 1 ;;
esac
readonly here root out architecture compiler

# The watchdog comes first: whatever hangs after it ends in a restart.
first='bcm2835_wdt i6300esb'
# The file system of the root, then disks: the Pi's card (two drivers know it), USB disks, QEMU's.
others='squashfs bcm2835 sdhci-iproc virtio_blk virtio_pci'
[[ ${architecture} != amd64 ]] || others='squashfs virtio_blk virtio_pci ahci sd_mod nvme sdhci-pci mmc_block usb-storage uas xhci-pci'
readonly first others

versions=("${root}"/usr/lib/modules/*)
((${#versions[@]} == 1)) || { printf '%s: one kernel is wanted, there are %d\n' "${root}" "${#versions[@]}" >&2 && exit 1; }
modules=${versions[0]}
work=$(mktemp -d)
trap 'rm -rf "${work}"' EXIT
umask 022
mkdir -p "${work}/tree/m" "${work}/tree/dev" "${work}/tree/proc" "${work}/tree/sys" "${work}/tree/root"

"${compiler}" -Os -static -s -Wall -Wextra -Werror -o "${work}/tree/init" "${here}/init.c"

# path NAME: the line of modules.dep of a module; nothing if it's built in. Refuses what's neither.
line_of() {
  local name=${1//[-_]/[-_]} line
  line=$(grep -E "/${name}\.ko(\.xz|\.zst)?:" "${modules}/modules.dep" | grep -vE '/(sound|spi)/' | head -n 1) || true
  if [[ -z ${line} ]]; then
    grep -qE "/${name}\.ko$" "${modules}/modules.builtin" || {
      printf 'the kernel %s has no module %s\n' "${modules##*/}" "$1" >&2
      return 1
    }
  fi
  printf '%s\n' "${line}"
}

declare -A taken=()
# take LIST NAME: a module after everything it needs.
take() {
  local list=$1 line file base
  line=$(line_of "$2") || exit 1
  [[ -n ${line} ]] || return 0
  local -a files
  # modules.dep names what is needed directly last.
  files=()
  for file in ${line#*:}; do files=("${file}" "${files[@]}"); done
  for file in "${files[@]}" "${line%%:*}"; do
    base=${file##*/}
    base=${base%.xz}
    base=${base%.zst}
    [[ -z ${taken[${base}]:-} ]] || continue
    taken[${base}]=1
    case ${file} in
      *.xz) xz -dc -- "${modules}/${file}" ;;
      *.zst) zstd -dcq -- "${modules}/${file}" ;;
      *) cat -- "${modules}/${file}" ;;
    esac > "${work}/tree/m/${base}"
    printf '/m/%s\n' "${base}" >> "${work}/tree/m/${list}"
  done
}

for name in ${first}; do
  # A kernel without a watchdog driver boots, too; `gatepost health` says that none runs.
  (line_of "${name}") > /dev/null 2>&1 || continue
  take first "${name}"
done
for name in ${others}; do
  take order "${name}"
done

find "${work}/tree" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-1767225600}" {} +
(cd "${work}/tree" && find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc --quiet --reproducible -R 0:0) > "${work}/initrd"
zstd -q -19 -f "${work}/initrd" -o "${out}"
