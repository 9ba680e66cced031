#!/usr/bin/env bash
# Buttons on lines of the kernel's own simulator: tests/gpio/run.sh [PRESSES [LINES [RATE]]]. Boots Debian's kernel in QEMU
# (no root, no KVM) with gpio-sim, which Debian doesn't build, made from Debian's own source; starts the real
# server with buttons on sixteen lines (or fewer), presses them as bad contacts do, and counts. Then the same, a tenth as
# often, through rppal: the guest looks like a Pi to it, with a file for registers and gpio-sim for the kernel's edges.
#
# Needs qemu-system-x86_64, gcc, make, cpio; the rest is fetched once into the cache. With no root, packages are
# only unpacked. With GATEPOST_STRICT_TIMES set, 99 of 100 presses have to be acted on within 30 ms of their
# debouncing; without, it is only told, since other work on this machine takes the guest's time. For the same
# reason the server may then refuse presses that come faster than it can act, if it says so for each, and the
# count may differ by as many presses as the guest's finger or server was held up in.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here}/../..
presses=${1:-10000}
lines=${2:-16}
# Presses a second, of all buttons together: four people, each with both hands, five times a second with either,
# without a pause. More is no hand's doing, and measures a queue: at twice that, the two emulated processors are half
# busy on a quiet machine, and presses wait for one another. None is missed or doubled for that.
rate=${3:-40}
count=$(((presses + lines - 1) / lines))
presses=$((count * lines))
# Each is held for 100 ms, and let go for as long at least.
gap=$((1000 * lines / rate - 100))
gap=$((gap > 100 ? gap : 100))
pi_count=$(((count + 9) / 10))
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatepost/gpio
work=$(mktemp -d)
trap 'rm -rf "${work}"' EXIT

say() { printf '==> %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

for program in qemu-system-x86_64 gcc make cpio bc; do
  command -v "${program}" > /dev/null || fail "${program} is missing: apt-get install qemu-system-x86 gcc make cpio bc"
done

version=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: linux-image-\(.*\)-amd64$/\1/p')
series=${version%.*}
built=${cache}/${version}-with-keys

# unpacked MODULE: newer kernels compress them.
unpacked() { if [[ -e $1.xz ]]; then xz -dc "$1.xz"; else cat "$1"; fi; }

# Builds gpio-sim for this kernel.
build() {
  local packages=${cache}/debs tree=${work}/tree headers
  say "gpio-sim for Linux ${version}"
  mkdir -p "${packages}" "${tree}"
  (cd "${packages}" && apt-get download -q "linux-image-${version}-amd64" "linux-headers-${version}-amd64" \
    "linux-headers-${version}-common" "linux-kbuild-${series}" "linux-source-${series}" busybox-static > /dev/null)
  for package in "${packages}"/*.deb; do dpkg-deb -x "${package}" "${tree}"; done
  mkdir "${work}/source" "${work}/module"
  tar -C "${work}/source" -xf "${tree}/usr/src/linux-source-${series}.tar.xz" --strip-components=1 \
    "linux-source-${series}/drivers/gpio" "linux-source-${series}/kernel/irq"
  # Debian's kernel has no irq_sim either, so it is linked into the module.
  cp "${work}/source/drivers/gpio/gpio-sim.c" "${work}/module/gpio_sim_main.c"
  cp "${work}/source/kernel/irq/irq_sim.c" "${work}"/source/drivers/gpio/*.h "${work}"/source/kernel/irq/*.h "${work}/module/"
  # And what it calls is not for modules; this is.
  sed -i 's/handle_simple_irq(irq_to_desc(\(.*\)));/generic_handle_irq(\1);/' "${work}/module/irq_sim.c"
  printf 'obj-m := gpio-sim.o\ngpio-sim-y := gpio_sim_main.o irq_sim.o\n' > "${work}/module/Makefile"
  headers=${tree}/usr/src/linux-headers-${version}-amd64
  # The headers name their other half by where it would be installed.
  sed -i "s#/usr/src/#${tree}/usr/src/#; s#/usr/lib/linux-kbuild#${tree}/usr/lib/linux-kbuild#" "${headers}/Makefile"
  ln -sfn "${tree}/usr/lib/linux-kbuild-${series}/scripts" "${headers}/scripts"
  ln -sfn "${tree}/usr/lib/linux-kbuild-${series}/tools" "${headers}/tools"
  make -s -C "${headers}" M="${work}/module" modules > "${work}/make.log" 2>&1 || {
    cat "${work}/make.log" >&2
    fail 'gpio-sim was not built'
  }
  mkdir -p "${built}.new/modules"
  cp "${work}/module/gpio-sim.ko" "${built}.new/modules/"
  for module in fs/configfs/configfs drivers/input/evdev drivers/input/misc/uinput; do
    unpacked "${tree}/lib/modules/${version}-amd64/kernel/${module}.ko" > "${built}.new/modules/${module##*/}.ko"
  done
  cp "${tree}/boot/vmlinuz-${version}-amd64" "${built}.new/vmlinuz"
  cp "${tree}/bin/busybox" "${built}.new/busybox"
  rm -rf "${packages}"
  mv "${built}.new" "${built}"
}
[[ -d ${built} ]] || build

bin=${CARGO_TARGET_DIR:-${root}/target}/debug
[[ -x ${bin}/gatepost && -x ${bin}/gatepost-keeper ]] || cargo build --manifest-path "${root}/Cargo.toml"
guest=${work}/guest
mkdir -p "${guest}"/{bin,modules,proc,sys,dev}
cp "${built}"/modules/*.ko "${guest}/modules/"
cp "${built}/busybox" "${guest}/bin/busybox"
ln -s busybox "${guest}/bin/sh"
for program in gatepost gatepost-keeper; do
  strip -o "${guest}/bin/${program}" "${bin}/${program}"
  ldd "${bin}/${program}" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    install -D "${library}" "${guest}${library}"
  done
done
gcc -O2 -static -pthread -o "${guest}/bin/press" "${here}/press.c"
gcc -O2 -static -o "${guest}/bin/key" "${here}/key.c"
install -m 755 "${here}/init" "${guest}/init"
(cd "${guest}" && find . | cpio -o -H newc --quiet | gzip -1) > "${work}/initrd"

say "${presses} bouncy presses of ${lines} buttons"
# Whatever becomes of this script, killed included, the machine ends with it.
setpriv --pdeathsig TERM timeout --foreground 1200 qemu-system-x86_64 -M q35 -cpu max -m 768 -smp 2 -nographic -no-reboot -nodefaults -serial stdio \
  -kernel "${built}/vmlinuz" -initrd "${work}/initrd" \
  -append "console=ttyS0 quiet panic=-1 gatepost.lines=${lines} gatepost.count=${count} gatepost.pi_count=${pi_count} gatepost.gap=${gap} " < /dev/null \
  | tr -d '\r' | tee "${work}/out" | grep -v '^\[' >&2
out=${work}/out
says() { grep -qF -- "$1" "${out}" || fail "the guest did not say: $1"; }
says '== end'
# stage BACKEND STAGE: how many were measured, the 99th of 100, and the slowest, in microseconds.
stage() { sed -n "s/^== $1 $2 of \([0-9]*\):.* p99 \([0-9]*\) p100 \([0-9]*\) us\$/\1 \2 \3/p" "${out}"; }
# judge BACKEND PRESSES
judge() {
  local stage acted dropped stalled differs edges read slowest told known begun ended
  says "== $1 named: lamp ready: line pinctrl-bcm2835:30, blink"
  says "== $1 pedal: lamp ready: line pinctrl-bcm2835:30, blink"
  acted=$(sed -n "s/^== $1 presses \([0-9]*\)\$/\1/p" "${out}")
  dropped=$(sed -n "s/^== $1 dropped \([0-9]*\)\$/\1/p" "${out}")
  stalled=$(sed -n "s/^== $1 stalled \([0-9]*\)\$/\1/p" "${out}")
  stage=$(stage "$1" read)
  read -r edges read slowest <<< "${stage}"
  stage=$(stage "$1" known)
  read -r _ known _ <<< "${stage}"
  stage=$(stage "$1" begun)
  read -r _ begun _ <<< "${stage}"
  stage=$(stage "$1" ended)
  read -r told ended _ <<< "${stage}"
  say "$1: $2 presses, ${acted} acted on, ${dropped} refused because this machine is busy"
  say "$1: 99 of 100 of ${edges} edges read within ${read} us; after debouncing, known within ${known}, begun within ${begun}, ended within ${ended} us"
  differs=$(($2 - acted - dropped))
  # Rppal has the kernel keep no more than 16 edges, which one press and a half can be.
  if [[ $1 == rppal ]] && ((slowest > 100000)); then
    stalled=$((stalled > $2 / 10 ? stalled : $2 / 10))
  fi
  if ((differs)) && [[ -z ${GATEPOST_STRICT_TIMES:-} ]] && ((${differs#-} <= stalled)); then
    say "$1: ${differs#-} differ, and the guest stood still in ${stalled}: this machine is too busy to judge by"
  elif ((differs)); then
    fail "$1: $((differs > 0 ? differs : 0)) presses were missed, $((differs < 0 ? -differs : 0)) doubled"
  fi
  [[ -n ${GATEPOST_STRICT_TIMES:-} ]] || return 0
  ((dropped == 0)) || fail "${dropped} presses were refused"
  ((told == acted)) || fail "of ${acted} presses only ${told} were measured"
  # What a button does here takes no time of its own, so that its end stands for its start.
  ((ended <= 30000)) || fail "99 of 100 presses are acted on within ${ended} us of their debouncing, not 30000"
}
says '== sysrq kept 438'
says '== sysrq by default 0'
says 'there is no line 31337; there are the chips'
says 'line 31 is in use by somebody'
says '== gpiocdev lamp: 1'
says '== gpiocdev lamp off: 0'
judge gpiocdev "${presses}"
says "there is no line 31337; a Pi's lines"
# Line 30 is an output, and was set, and cleared.
says '== rppal lamp: set 40000000 function 00000001'
says '== rppal lamp off: clear 40000000'
judge rppal "$((pi_count * lines))"
