#!/usr/bin/env bash
# The Debian in the image: image/base.sh OUT [PACKAGES…]. Makes OUT/root (an arm64 root file system, its
# programs run under qemu-user while they are set up), OUT/extra (kernel and boot firmware, unpacked
# only: nothing of theirs has to run) and OUT/extra.list (what those are, for the package list).
set -euo pipefail

self=$(realpath -- "${BASH_SOURCE[0]}")
out=$(realpath -m -- "${1:?folder for the result}")
shift
suite=trixie
mirror=${GATEPOST_MIRROR:-http://deb.debian.org/debian}
security=${GATEPOST_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
readonly self out suite mirror security

# Kernel and firmware come from the same archives as the rest. Their packages' scripts would build
# initrds and copy files to /boot, which the image does in its own way.
fetch_extra() {
  local root=$1 kernel package
  export APT_CONFIG=${MMDEBSTRAP_APT_CONFIG:?set by mmdebstrap}
  kernel=$(apt-cache depends --important linux-image-arm64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p')
  [[ -n ${kernel} ]]
  mkdir -p "${out}/debs" "${out}/extra"
  for package in "${kernel}" raspi-firmware u-boot-rpi; do
    (cd "${out}/debs" && apt-get -qq download "${package}:arm64")
  done
  for package in "${out}"/debs/*.deb; do
    dpkg-deb -x "${package}" "${out}/extra"
    dpkg-deb -f "${package}" Package Version Architecture Source Homepage
    printf '\n'
  done > "${out}/extra.list"
  rm -rf "${out}/debs"
  : "${root}"
}
if [[ ${1:-} == --fetch-extra ]]; then
  fetch_extra "$2"
  exit
fi

packages=$(printf '%s,' "$@")
mkdir -p "${out}"
rm -rf "${out}/root" "${out}/extra"
# No documentation, translations or caches in a kiosk; licences stay.
excludes=()
for path in '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' \
  '/usr/share/lintian/*' '/usr/share/bug/*' '/usr/share/gtk-doc/*' '/usr/share/help/*' \
  '/usr/share/gnome/help/*' '/usr/share/iso-codes/*' '/usr/share/xml/iso-codes/*'; do
  excludes+=("--dpkgopt=path-exclude=${path}")
done
mmdebstrap --architectures=arm64 --variant=essential --mode=root --format=directory \
  --components='main non-free-firmware' --aptopt='APT::Install-Recommends "false"' \
  --aptopt='Acquire::Retries "3"' --dpkgopt=force-confold --dpkgopt=force-unsafe-io "${excludes[@]}" \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --include="${packages%,}" \
  --customize-hook="'${self//\'/}' '${out//\'/}' --fetch-extra \"\$1\"" \
  "${suite}" "${out}/root" \
  "deb ${mirror} ${suite} main non-free-firmware" \
  "deb ${mirror} ${suite}-updates main non-free-firmware" \
  "deb ${security} ${suite}-security main non-free-firmware"
