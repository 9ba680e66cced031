#!/usr/bin/env bash
# The X session on a kernel that has outputs: tests/display/run.sh [FOLDER]. Boots Debian in QEMU (no KVM) with a
# virtio graphics unit of two outputs, Xorg's own driver for it and a panel that is touched, and looks from
# outside at what the monitors get: which way up it is, where a touch arrives, that it goes dark on purpose and by
# nothing else, one output or both, and outputs that come and go. FOLDER keeps pictures and logs.
#
# Needs qemu-system-x86_64, mmdebstrap, mke2fs, cpio and root, which only makes the guest's root, once, in the cache.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here}/../..
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatepost/display
work=$(mktemp -d)
out=${1:-${work}/out}
trap 'rm -rf "${work}"' EXIT
# What the X session of a kiosk has, a kernel, and what tells what happens to an X server.
packages=linux-image-amd64,busybox-static,udev,util-linux,procps,xserver-xorg-core,xserver-xorg-input-libinput
packages+=,x11-xserver-utils,x11-utils,xinput,xauth,matchbox-window-manager,libgssapi-krb5-2
# What the guest starts from, in the order in which a kernel takes it.
first=(virtio_pci virtio_blk ext4)
readonly here root cache work out packages first

say() { printf '==> %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

for program in qemu-system-x86_64 mmdebstrap mke2fs cpio python3 strip; do
  command -v "${program}" > /dev/null || fail "${program} is missing; ./dev test installs it"
done

# As old as this machine or newer: the guest runs what was built here.
suite=trixie
if grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release; then suite=bookworm; fi
disk=${cache}/${suite}-1
readonly suite disk

# The disk, the kernel, and the modules that find the disk.
make_disk() {
  local tree=${work}/tree new=${disk}.new uid version module
  uid=$(id -u)
  [[ ${uid} == 0 ]] || fail 'making the guest takes root, once. As root: tests/display/run.sh'
  say "making a small ${suite} with an X server in ${disk} (once)"
  mmdebstrap --quiet --variant=minbase --include="${packages}" --aptopt='Acquire::Retries "5"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "${suite}" "${tree}" >&2
  rm -rf "${new}"
  mkdir -p "${new}/modules"
  version=$(basename "${tree}"/lib/modules/*)
  cp "${tree}/boot/vmlinuz-${version}" "${new}/vmlinuz"
  cp "${tree}/bin/busybox" "${new}/busybox"
  for module in "${first[@]}"; do
    chroot "${tree}" modprobe --set-version "${version}" --show-depends "${module}" | awk '$1 == "insmod" { print $2 }'
  done | awk '!seen[$0]++' > "${work}/order"
  while IFS= read -r module; do
    # Newer kernels compress them.
    case ${module} in
      *.xz) xz -dc "${tree}${module}" > "${new}/modules/$(basename "${module}" .xz)" ;;
      *) cp "${tree}${module}" "${new}/modules/" ;;
    esac
    basename "${module%.xz}" >> "${new}/order"
  done < "${work}/order"
  rm -rf "${tree:?}/boot" "${tree}/var/cache/apt" "${tree}/var/lib/apt/lists"
  mke2fs -q -t ext4 -m 0 -d "${tree}" "${new}/disk" 2G
  rm -rf "${tree}"
  mv "${new}" "${disk}"
}
if [[ ! -d ${disk} ]]; then
  mkdir -p "${cache}"
  exec 9> "${cache}/lock"
  flock 9
  [[ -d ${disk} ]] || make_disk
  flock -u 9
fi

bin=${CARGO_TARGET_DIR:-${root}/target}/debug
[[ -x ${bin}/gatepost && -x ${bin}/gatepost-keeper ]] || cargo build --manifest-path "${root}/Cargo.toml"
guest=${work}/guest
payload=${guest}/gatepost
mkdir -p "${guest}"/{bin,modules,proc,sys,dev,new} "${payload}/bin" "${out}"
cp "${disk}"/modules/* "${guest}/modules/"
cp "${disk}/order" "${guest}/modules/order"
cp "${disk}/busybox" "${guest}/bin/busybox"
ln -s busybox "${guest}/bin/sh"
install -m 755 "${here}/initrd" "${guest}/init"
install -m 755 "${here}/init" "${here}/window" "${payload}/"
for program in gatepost gatepost-keeper; do
  strip -o "${payload}/bin/${program}" "${bin}/${program}"
done
cp -r "${root}/xsession" "${payload}/xsession"
python3 "${here}/look.py" block > "${payload}/block.xbm"
(cd "${guest}" && find . | cpio -o -H newc --quiet | gzip -1) > "${work}/initrd"

[[ -z ${KEEP_INITRD:-} ]] || cp "${work}/initrd" "${KEEP_INITRD}"
timeout 900 python3 "${here}/look.py" "${disk}" "${work}/initrd" "${out}"
