#!/usr/bin/env bash
# Makes the SD card image from Debian packages and ours: image/build.sh CACHE DEBS OUT. CACHE keeps what was
# downloaded, DEBS has gatepost_*_arm64.deb and gatepost-kiosk_*_arm64.deb, OUT gets the image and its
# papers. ./dev image calls it. Nothing is mounted for it and no loop device is used; root is needed for
# the owners of files, and because arm64 programs run in the image's folder while Debian is set up.
#
# How the parts fit: docs/image.md.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cache=$(realpath -m -- "${1:?folder for caches}")
debs=$(realpath -- "${2:?folder with the Debian packages}")
out=$(realpath -m -- "${3:?folder for the image}")
version=$(sed -n '0,/^version = "\(.*\)"$/s//\1/p' "${here}/../Cargo.toml")
epoch=${SOURCE_DATE_EPOCH:-$(git -C "${here}" log -1 --format=%ct 2> /dev/null || echo 1767225600)}
name=gatepost-${version}-arm64
# Where things are on the card, in MiB. Before the first partition is room for the slots' state.
first_at=4
firmware_size=128
slot_size=512
# A slot holds a root and, behind it, the kernel and initrd that belong to it.
boot_at=448
# How hard the root is compressed; 22 is the most, and slow.
level=${GATEPOST_IMAGE_LEVEL:-19}
# Programs of the same Debian for this machine, made by packaging/cross.sh.
toolchain=${GATEPOST_NATIVE:-$(dirname "${cache}")/cross/toolchain}
[[ -e ${toolchain} ]] || toolchain=
readonly toolchain here cache debs out version epoch name first_at firmware_size slot_size boot_at level
export SOURCE_DATE_EPOCH=${epoch}

say() { printf '    [%4d s] %s\n' "${SECONDS}" "$*" >&2; }
fail() {
  printf 'image/build.sh: %s\n' "$*" >&2
  exit 1
}

umask 022
mkdir -p "${cache}" "${out}"
work=$(mktemp -d "${cache}/work.XXXXXX")
trap 'rm -rf "${work}"' EXIT
root=${work}/root
export ROOT=${root} FIRMWARE=${work}/firmware

# inside COMMAND…: in the image's Debian, by qemu-user; slow, and rarely needed.
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "${root}" "$@"; }

# ---- Debian: the same for all builds until a list of packages changes -----------------------
packages() { cat "${here}"/layers/*/packages | sed -e 's/#.*//' -e '/^ *$/d' | sort -u; }

base() {
  local -a list
  local key
  mapfile -t list < <(packages || true)
  key=$(printf '%s\n' "${list[@]}" | cat - "${here}/base.sh" | sha256sum | cut -c 1-16)
  base=${cache}/base-${key}
  if [[ ! -e ${base}/done ]] || [[ -n ${GATEPOST_IMAGE_FRESH:-} ]]; then
    say "setting up Debian for arm64 (${#list[@]} packages and what they need; 10 to 30 minutes)"
    rm -rf "${base}"
    GATEPOST_NATIVE=${toolchain} "${here}/base.sh" "${base}" "${list[@]}" > "${base}.log" 2>&1 || {
      tail -n 20 "${base}.log" >&2
      fail "Debian could not be set up. All it said is in ${base}.log"
    }
    touch "${base}/done"
  fi
}

# ---- the root file system --------------------------------------------------------------------
tree() {
  local kernel layer
  say 'copying Debian'
  cp -a --reflink=auto "${base}/root" "${root}"
  kernel=$(ls "${base}/extra/usr/lib/modules")
  mkdir -p "${root}/usr/lib/modules"
  cp -a "${base}/extra/usr/lib/modules/${kernel}" "${root}/usr/lib/modules/"

  # The same numbers in every image, or files on the data partition would belong to somebody else after
  # an update.
  install -m 644 "${here}/accounts.conf" "${root}/usr/lib/sysusers.d/00-gatepost-image.conf"
  inside systemd-sysusers 00-gatepost-image.conf

  say 'installing Gatepost'
  mkdir "${root}/debs"
  cp "${debs}"/gatepost_*_arm64.deb "${debs}"/gatepost-kiosk_*_arm64.deb "${root}/debs/"
  inside sh -c 'dpkg --install /debs/*.deb' > "${work}/dpkg.log" 2>&1 || {
    cat "${work}/dpkg.log" >&2
    fail 'the packages could not be installed in the image (see above).'
  }
  rm -rf "${root}/debs"

  for layer in "${here}"/layers/*/; do
    say "layer $(basename "${layer}")"
    if [[ -d ${layer}/rootfs-overlay ]]; then
      cp -a --no-preserve=ownership "${layer}/rootfs-overlay/." "${root}/"
    fi
    if [[ -x ${layer}/run ]]; then
      "${layer}/run" "${root}" || fail "layer $(basename "${layer}") failed."
    fi
  done
  # Accounts of units that came with layers.
  inside systemd-sysusers
  mkdir -p "${root}/usr/lib/gatepost"
  printf '%s\n' "${version}" > "${root}/usr/lib/gatepost/image-version"
  depmod -b "${root}" "${kernel}"
  # Times of files are the change's the image was made from, so that the same source makes the same image.
  find "${root}/usr/share/fonts" -exec touch --no-dereference --date="@${epoch}" {} +
  # Otherwise every program that writes text would read all fonts first, at every start.
  inside env -u SOURCE_DATE_EPOCH fc-cache --system-only
  rm -f "${root}"/var/lib/dpkg/*-old "${root}"/var/log/* "${root}/etc/passwd-" "${root}/etc/group-" \
    "${root}/etc/shadow-" "${root}/etc/gshadow-" 2> /dev/null || true
}

squash() {
  say "compressing the root (zstd ${level})"
  # Times are said here; it refuses to be told twice.
  env -u SOURCE_DATE_EPOCH mksquashfs "${root}" "${work}/root.img" -comp zstd -Xcompression-level "${level}" -b 256K -noappend \
    -no-progress -quiet -all-time "${epoch}" -mkfs-time "${epoch}" > /dev/null
  local size
  size=$(stat -c %s "${work}/root.img")
  ((size <= boot_at * 1024 * 1024)) || fail "the root is ${size} bytes, more than the ${boot_at} MiB that a slot has for it."
  say "root: $((size / 1000000)) MB"
}

# ---- what the Pi's firmware reads --------------------------------------------------------------
boot_files() {
  local extra=${base}/extra file
  mkdir -p "${FIRMWARE}"
  for file in bootcode.bin start.elf fixup.dat start4.elf fixup4.dat; do
    cp "${extra}/usr/lib/raspi-firmware/${file}" "${FIRMWARE}/"
  done
  for file in bcm2837-rpi-3-b bcm2837-rpi-3-b-plus bcm2837-rpi-3-a-plus bcm2837-rpi-zero-2-w bcm2711-rpi-4-b; do
    cp "${extra}"/usr/lib/linux-image-*/broadcom/"${file}.dtb" "${FIRMWARE}/"
  done
  cp "${here}"/firmware/{config,cmdline}.txt "${FIRMWARE}/"
  # U-Boot chooses the slot.
  cp "${extra}/usr/lib/u-boot/rpi_arm64/u-boot.bin" "${FIRMWARE}/"
  mkimage -A arm64 -T script -C none -n gatepost -d "${here}/firmware/boot.cmd" "${FIRMWARE}/boot.scr" > /dev/null
  mkenvimage -s 0x4000 -o "${FIRMWARE}/uboot.env" "${here}/firmware/uboot.env.txt"
  cp "${extra}"/boot/vmlinuz-* "${work}/vmlinuz"
  "${here}/initrd/build.sh" "${root}" "${work}/initrd"
  python3 "${here}/slots/pack.py" boot "${work}/vmlinuz" "${work}/initrd" "${work}/boot.img"
}

# at OFFSET FILE: into the image, in MiB.
at() { dd if="$2" of="${image}" bs=1M seek="$1" conv=notrunc,sparse status=none; }

assemble() {
  local fat=${work}/fat.img slot=$((first_at + firmware_size))
  image=${out}/${name}.img
  say 'assembling'
  truncate -s "${firmware_size}M" "${fat}"
  mkfs.vfat -F 32 -n GATEPOST -i 67617465 --invariant "${fat}" > /dev/null
  find "${FIRMWARE}" -exec touch --date="@${epoch}" {} +
  (cd "${FIRMWARE}" && TZ=UTC mcopy -s -m -i "${fat}" -- * ::)
  rm -f "${image}"
  truncate -s "$((slot + 2 * slot_size))M" "${image}"
  sfdisk --quiet "${image}" << TABLE
label: dos
label-id: 0x67617465
start=${first_at}MiB, size=${firmware_size}MiB, type=c, bootable
start=${slot}MiB, size=${slot_size}MiB, type=83
start=$((slot + slot_size))MiB, size=${slot_size}MiB, type=83
TABLE
  at "${first_at}" "${fat}"
  at "${slot}" "${work}/root.img"
  at "$((slot + boot_at))" "${work}/boot.img"
  # For tests that start the kernel themselves, and for bundles.
  mkdir -p "${out}/boot"
  cp "${work}/vmlinuz" "${work}/initrd" "${FIRMWARE}"/*.dtb "${out}/boot/"
  cp "${work}/root.img" "${work}/boot.img" "${out}/boot/"
}

base
tree
boot_files
squash
assemble
"${here}/papers.py" "${base}" "${root}" "${out}" "${name}" "${version}" "${epoch}"
say "done: ${out}/${name}.img"
