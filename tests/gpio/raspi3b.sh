#!/usr/bin/env bash
# Buttons and lamps on the chip of a Pi 3, as far as QEMU has it: tests/gpio/raspi3b.sh [BIN]. Boots Debian's arm64
# kernel in QEMU's raspi3b (no root, no KVM; a minute) with the server of BIN (dist/arm64/bin, where ./dev cross puts
# it) and looks at the chip's registers while rppal and then the kernel's character device use it.
#
# Raspberry Pi's own kernel opens these registers through /dev/gpiomem; Debian's doesn't, so rppal takes /dev/mem here,
# which `iomem=relaxed` opens to root. QEMU's chip has functions and levels; it has no resistors and no edges: those
# are tested with gpio-sim (tests/gpio/run.sh).
#
# Needs qemu-system-aarch64, cpio, and mmdebstrap the first time; what the programs are linked with is where ./dev
# cross has it.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here}/../..
bin=$(realpath -m -- "${1:-${root}/dist/arm64/bin}")
caches=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatepost
cache=${caches}/gpio/arm64
sysroot=${caches}/cross/sysroot
suite=trixie
mirror=${GATEPOST_MIRROR:-http://deb.debian.org/debian}
security=${GATEPOST_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
seconds=${GATEPOST_PI_SECONDS:-400}
work=$(mktemp -d)
machine=
trap '[[ -z ${machine} ]] || kill "${machine}" 2> /dev/null || true; rm -rf "${work}"' EXIT

say() { printf '==> %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

for program in qemu-system-aarch64 cpio readelf; do
  command -v "${program}" > /dev/null || fail "${program} is missing: apt-get install qemu-system-arm cpio binutils"
done
for program in gatepost gatepost-keeper; do
  [[ -x ${bin}/${program} ]] || fail "there is no ${bin}/${program}: ./dev cross makes it"
done
[[ -d ${sysroot} ]] || fail "there is no ${sysroot}: ./dev cross makes it"

# The kernel, its description of a Pi 3, and a shell; unpacked, never run here.
fetch() {
  local tree=${work}/tree mode=unshare
  [[ ${EUID} != 0 ]] || mode=root
  command -v mmdebstrap > /dev/null || fail 'mmdebstrap is missing: apt-get install mmdebstrap'
  say "fetching Debian's arm64 kernel (once; 100 MB)"
  mmdebstrap --mode="${mode}" --format=directory --variant=extract \
    --architectures=arm64 --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "3"' --quiet \
    --include=linux-image-arm64,busybox-static "${suite}" "${tree}" \
    "deb ${mirror} ${suite} main" "deb ${mirror} ${suite}-updates main" "deb ${security} ${suite}-security main"
  mkdir -p "${cache}.new"
  cp "${tree}"/boot/vmlinuz-* "${cache}.new/vmlinuz"
  cp "${tree}"/usr/lib/linux-image-*/broadcom/bcm2837-rpi-3-b.dtb "${tree}/usr/bin/busybox" "${cache}.new/"
  mv "${cache}.new" "${cache}"
  rm -rf "${tree}"
}
[[ -d ${cache} ]] || fetch

guest=${work}/guest
mkdir -p "${guest}"/{bin,proc,sys,dev,lib}
cp "${cache}/busybox" "${guest}/bin/busybox"
ln -s busybox "${guest}/bin/sh"
# libraries FILE: what it is linked with.
libraries() {
  local name found needed
  needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  for name in ${needed}; do
    [[ ! -e ${guest}/lib/${name} ]] || continue
    found=$(find "${sysroot}/usr/lib/aarch64-linux-gnu" -maxdepth 1 -name "${name}" | head -n 1)
    [[ -n ${found} ]] || fail "${1##*/} needs ${name}, and ${sysroot} has none"
    cp -L "${found}" "${guest}/lib/${name}"
    libraries "${found}"
  done
}
for program in gatepost gatepost-keeper; do
  install -m 755 "${bin}/${program}" "${guest}/bin/${program}"
  libraries "${bin}/${program}"
done
install -m 755 "${here}/raspi3b-init" "${guest}/init"
(cd "${guest}" && find . | cpio -o -H newc --quiet | gzip -1) > "${work}/initrd"

say "QEMU's Pi 3, for $((seconds / 60)) minutes at most"
out=${work}/out
mkfifo "${work}/serial"
# The console is the second serial line. QEMU's Pi can't be switched off, so it is ended when it has said all, or when
# this script is, killed included.
setpriv --pdeathsig TERM timeout --foreground "${seconds}" qemu-system-aarch64 -M raspi3b -display none -no-reboot -kernel "${cache}/vmlinuz" \
  -dtb "${cache}/bcm2837-rpi-3-b.dtb" -initrd "${work}/initrd" \
  -append 'console=ttyS1,115200 iomem=relaxed quiet loglevel=1 panic=-1' \
  -serial null -serial stdio -monitor none < /dev/null > "${work}/serial" 2>&1 &
machine=$!
while IFS= read -r line; do
  line=${line%$'\r'}
  printf '%s\n' "${line}" | tee -a "${out}" >&2
  [[ ${line} != '== end' ]] || break
done < "${work}/serial"
kill "${machine}" 2> /dev/null || true
wait "${machine}" || true
machine=

says() { grep -qxF -- "== $1" "${out}" || fail "the guest did not say: $1"; }
says end
says 'model Raspberry Pi 3 Model B'
# judge BACKEND NAME MISSING: the backend asked for, as it calls itself, and what it says of a line there isn't.
judge() {
  says "$1 list: lines: $2"
  says "$1 before: function 17 4"
  # Inputs are 0, outputs 1.
  says "$1 functions: 17 0 27 0 22 1 23 1"
  says "$1 dark: 22 0 23 1"
  says "$1 lit: 22 1 23 0"
  says "$1 off: 22 0 23 1"
  says "$1 simulated: 22 1"
  # Nobody drives it any more.
  says "$1 stopped: function 22 0"
  # Let go: the one is pulled up, the other down. Then both pressed.
  says "$1 list: button red: line 17"
  says "$1 list: button blue: line GPIO27"
  says "$1 held: button red: line 17, pressed"
  says "$1 held: button blue: line GPIO27, pressed"
  grep -qF -- "$3" "${out}" || fail "the guest did not say: $3"
}
judge rppal rppal "there is no line 77; a Pi's lines are BCM's numbers"
judge gpiocdev gpiocdev 'there is no line 77; there are the chips'
# Without /dev/gpiomem it is the kernel's.
judge auto gpiocdev 'there is no line 77; there are the chips'
edges=$(sed -n 's/^== \(.*\) edges: /\1 /p' "${out}" | paste -sd, -)
say "rppal and gpiocdev both found the chip, set functions, lit lamps and read levels; edges seen: ${edges}"
