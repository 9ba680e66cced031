#!/usr/bin/env bash
# Wi-Fi with simulated radios: tests/wifi/run.sh. Boots Debian 13 with systemd-networkd, wpa_supplicant, the image's
# layers for network, set-up and provisioning and our executable in QEMU (no KVM) under Debian's kernel, whose
# mac80211_hwsim has three radios: the machine's, a phone's and an office's. What is asserted is in tests/wifi/guest.
#
# Needs root (it makes a file system of files that belong to root), qemu-system-x86_64, mmdebstrap, cpio and
# e2fsprogs; the rest is fetched once into the cache.
# shellcheck disable=SC2312 # whatever is missing is missed by the guest
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
project=${here}/../..
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatepost/wifi
bin=${CARGO_TARGET_DIR:-${project}/target}/debug
work=$(mktemp -d)
trap 'rm -rf "${work}"' EXIT

say() { printf '==> %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

for program in qemu-system-x86_64 mmdebstrap cpio mkfs.ext4; do
  command -v "${program}" > /dev/null || fail "${program} is missing: apt-get install qemu-system-x86 mmdebstrap cpio e2fsprogs"
done
((EUID == 0)) || fail 'needs root'
mkdir -p "${cache}"
exec 9> "${cache}/lock"
flock 9

packages=systemd-sysv,systemd-resolved,udev,dbus,kmod,libpam-systemd,wpasupplicant,iw,iproute2,busybox,curl,procps,libnss-systemd
if [[ ! -d ${cache}/root ]]; then
  say 'fetching Debian 13'
  rm -rf "${cache}/root.new"
  mmdebstrap --quiet --variant=minbase --mode=root --include="${packages}" --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' trixie "${cache}/root.new"
  mv "${cache}/root.new" "${cache}/root"
fi
version=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: linux-image-\(.*\)-amd64$/\1/p')
kernel=${cache}/kernel-${version}
if [[ ! -d ${kernel} ]]; then
  say "fetching Linux ${version}"
  mkdir "${work}/debs"
  (cd "${work}/debs" && apt-get download -q "linux-image-${version}-amd64" > /dev/null)
  dpkg-deb -x "${work}"/debs/*.deb "${kernel}.new"
  mv "${kernel}.new" "${kernel}"
fi
[[ -x ${bin}/gatepost ]] || cargo build --manifest-path "${project}/Cargo.toml"

# ---- the guest's file system: Debian, and the layers of the image this is about -----------------
root=${work}/root
cp -a --reflink=auto "${cache}/root" "${root}"
modules=${root}/usr/lib/modules/${version}-amd64
mkdir -p "${modules}"
# copy MODULE…, with what each needs.
copy() {
  local module path
  for module in "$@"; do
    modprobe -d "${kernel}" -S "${version}-amd64" --show-depends "${module}" | sed -n 's/^insmod \([^ ]*\).*/\1/p' \
      | while read -r path; do
        install -D -m 644 "${path}" "${modules}/${path#*/"${version}-amd64/"}"
      done
  done
}
depmod -b "${kernel}" "${version}-amd64"
copy mac80211_hwsim ccm ctr cmac veth virtio_blk virtio_pci ext4 af_packet ipv6 overlay algif_hash crc32c_generic
cp "${kernel}/lib/modules/${version}-amd64"/modules.{order,builtin,builtin.modinfo} "${modules}/"
depmod -b "${root}" "${version}-amd64"
strip -o "${root}/usr/bin/gatepost" "${bin}/gatepost"
ldd "${bin}/gatepost" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | while read -r library; do
  [[ -e ${root}/usr/lib/x86_64-linux-gnu/${library##*/} ]] || install -D "${library}" "${root}/usr/lib/x86_64-linux-gnu/${library##*/}"
done
cp "${project}/systemd/gatepost-provision.service" "${root}/usr/lib/systemd/system/"
mkdir -p "${root}"/{boot/firmware,etc/gatepost,var/lib/gatepost-provision/etc}
for layer in 30-network 35-setup 50-provision 55-maintenance; do
  cp -a --no-preserve=ownership "${project}/image/layers/${layer}/rootfs-overlay/." "${root}/"
  if [[ -x ${project}/image/layers/${layer}/run ]]; then "${project}/image/layers/${layer}/run" "${root}"; fi
done
# Where the server's own units are not, what they would bring.
rm -rf "${root}"/etc/systemd/system/gatepost{,-redirect}.{service,socket}.d
ln -sf /dev/null "${root}/etc/systemd/system/systemd-networkd-wait-online.service"
printf 'g gatepost -\nu gatepost - "server"\n' > "${root}/usr/lib/sysusers.d/gatepost-test.conf"
printf '127.0.0.1 localhost\n' > "${root}/etc/hosts"
echo 'options mac80211_hwsim radios=3' > "${root}/etc/modprobe.d/radios.conf"
echo mac80211_hwsim > "${root}/etc/modules-load.d/radios.conf"
# Simulated radios have no rules of their own; names stay as the kernel gives them.
ln -sf /dev/null "${root}/etc/systemd/network/99-default.link" 2> /dev/null || ln -sf /dev/null "${root}/usr/lib/systemd/network/99-default.link"
mkdir -p "${root}/etc/systemd/system/gatepost-access-point.service.d"
printf '[Service]\nEnvironment=GATEPOST_PATIENCE=25 GATEPOST_AGAIN=600\n' > "${root}/etc/systemd/system/gatepost-access-point.service.d/test.conf"
install -m 755 "${here}/guest" "${root}/usr/lib/gatepost/wifi-guest"
cat > "${root}/etc/systemd/system/wifi-guest.service" << 'UNIT'
[Unit]
After=systemd-modules-load.service dbus.socket
[Service]
ExecStart=/usr/lib/gatepost/wifi-guest
StandardOutput=file:/dev/ttyS0
StandardError=file:/dev/ttyS0
UNIT
ln -sf ../wifi-guest.service "${root}/etc/systemd/system/multi-user.target.wants/"
ln -sf /dev/null "${root}/etc/systemd/system/serial-getty@ttyS0.service"
truncate -s 900M "${work}/disk"
mkfs.ext4 -q -F -d "${root}" "${work}/disk"

# ---- an initrd that mounts it ---------------------------------------------------------------------
initrd=${work}/initrd
mkdir -p "${initrd}"/{bin,modules,proc,dev,new}
cp "${cache}/root/usr/bin/busybox" "${initrd}/bin/busybox"
for library in lib64/ld-linux-x86-64.so.2 usr/lib/x86_64-linux-gnu/{libc.so.6,libresolv.so.2}; do
  install -D -m 755 "$(realpath -- "${cache}/root/${library}")" "${initrd}/${library}"
done
ln -s usr/lib "${initrd}/lib"
list=()
for module in virtio_pci virtio_blk crc32c_generic ext4; do
  while read -r path; do list+=("${path}"); done < <(modprobe -d "${kernel}" -S "${version}-amd64" --show-depends "${module}" | sed -n 's/^insmod \([^ ]*\).*/\1/p')
done
{
  printf '#!/bin/busybox sh\nset -e\n/bin/busybox mount -t devtmpfs none /dev\n'
  for path in "${list[@]}"; do
    cp "${path}" "${initrd}/modules/"
    printf '/bin/busybox insmod /modules/%s 2> /dev/null || true\n' "${path##*/}"
  done
  printf 'until [ -b /dev/vda ]; do /bin/busybox sleep 0.1; done\n/bin/busybox mount -t ext4 /dev/vda /new\n'
  printf 'exec /bin/busybox switch_root /new /usr/lib/systemd/systemd\n'
} > "${initrd}/init"
chmod 755 "${initrd}/init"
(cd "${initrd}" && find . | cpio -o -H newc --quiet | gzip -1) > "${work}/initrd.gz"

say 'an access point, a phone, an office'
# Whatever becomes of this script, killed included, the machine ends with it.
setpriv --pdeathsig TERM timeout --foreground 900 qemu-system-x86_64 -M q35 -cpu max -m 768 -smp 2 -nographic -no-reboot -nodefaults -serial stdio \
  -drive "file=${work}/disk,format=raw,if=virtio,cache=unsafe" -kernel "${kernel}"/boot/vmlinuz-* -initrd "${work}/initrd.gz" \
  -append 'console=ttyS0 quiet panic=-1 systemd.show_status=0' < /dev/null | sed -u 's|\r||g' | tee "${work}/out" >&2
grep -q '^== end$' "${work}/out" || fail 'not all went as it should (see above)'
say "passed: $(grep -c '^== ok' "${work}/out") steps"
