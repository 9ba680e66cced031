#!/usr/bin/env bash
# The Debian in the image: image/base.sh OUT PACKAGES…. Makes OUT/root (an arm64 root file system), OUT/extra
# (kernel and boot firmware, unpacked only: nothing of theirs has to run) and OUT/extra.list (what those
# are, for the package list).
#
# Programs of arm64 run under qemu-user while they are set up, which is slow, and setting up Debian is
# thousands of small programs. GATEPOST_NATIVE names a folder with the same Debian for this machine
# (packaging/cross.sh makes one): its shells and coreutils stand in meanwhile. They are mounted over the
# others in a mount namespace that ends with this script. Not Perl: packages bring compiled modules for it.
set -euo pipefail

self=$(realpath -- "${BASH_SOURCE[0]}")
suite=trixie
mirror=${GATEPOST_MIRROR:-http://deb.debian.org/debian}
security=${GATEPOST_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
native=${GATEPOST_NATIVE:-}
readonly self suite mirror security native

# Kernel and firmware come from the same archives as the rest. Their packages' scripts would build
# initrds and copy files to /boot, which the image does in its own way.
fetch_extra() {
  local out=$1 kernel package
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
  # Reading all modules takes a while, and layers want to know which need which.
  ln -sfn usr/lib "${out}/extra/lib"
  depmod -b "${out}/extra" "${kernel#linux-image-}"
}

version_of() { sed -n "/^Package: $2\$/,/^\$/s/^Version: //p" "$1/var/lib/dpkg/status"; }

# The native programs of these packages over those of the image, if both are of one version.
native_in() {
  local root=$1 package file ours theirs
  local libraries=usr/lib/x86_64-linux-gnu
  mkdir -p "${root}/${libraries}" "${root}/usr/lib64"
  ln -sfn usr/lib64 "${root}/lib64"
  mount --bind "${native}/${libraries}" "${root}/${libraries}"
  mount --bind "${native}/usr/lib64" "${root}/usr/lib64"
  mkdir -p "${root}/etc/ssh"
  # Keys are the card's own and made there; a package that finds some makes none.
  touch "${root}"/etc/ssh/ssh_host_{rsa,ecdsa,ed25519}_key
  for package in dash bash coreutils sed grep findutils mawk diffutils; do
    ours=$(version_of "${native}" "${package}")
    theirs=$(version_of "${root}" "${package}")
    [[ -n ${ours} && ${ours} == "${theirs}" ]] || continue
    while IFS= read -r file; do
      # /bin is /usr/bin.
      file=/usr/${file#/usr/}
      if [[ -f ${native}${file} && ! -L ${native}${file} && -f ${root}${file} && ! -L ${root}${file} ]]; then
        mount --bind "${native}${file}" "${root}${file}"
      fi
    done < <(grep -E '^(/usr)?/s?bin/' "${native}/var/lib/dpkg/info/${package}.list" || true)
  done
  mount --bind "${native}/usr/bin/dpkg-deb" "${root}/usr/bin/dpkg-deb"
}

native_out() {
  local root=$1 at
  while IFS= read -r at; do
    umount "${at}"
  done < <(awk -v within="${root}/usr/" 'index($2, within) == 1 { print $2 }' /proc/self/mounts || true)
  rm -f "${root}/lib64"
  rmdir --ignore-fail-on-non-empty "${root}"/usr/{lib64,lib/x86_64-linux-gnu}
}

case ${1:-} in
  --fetch-extra) fetch_extra "$2" && exit ;;
  --native-in) native_in "$2" && exit ;;
  --native-out) native_out "$2" && exit ;;
  *) ;;
esac

out=$(realpath -m -- "${1:?folder for the result}")
shift
packages=$(printf '%s,' "$@")
mkdir -p "${out}"
rm -rf "${out}/root" "${out}/extra"
# No documentation, translations or caches in a kiosk; licences stay.
options=()
for path in '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' \
  '/usr/share/lintian/*' '/usr/share/bug/*' '/usr/share/gtk-doc/*' '/usr/share/help/*' \
  '/usr/share/gnome/help/*' '/usr/share/iso-codes/*' '/usr/share/xml/iso-codes/*'; do
  options+=("--dpkgopt=path-exclude=${path}")
done
host=$(dpkg --print-architecture)
if [[ -n ${native} && ${host} == amd64 ]]; then
  options+=(--essential-hook="'${self//\'/}' --native-in \"\$1\"" --customize-hook="'${self//\'/}' --native-out \"\$1\"")
fi
exec unshare --mount --propagation private -- \
  mmdebstrap --architectures=arm64 --variant=essential --mode=root --format=directory \
  --components='main non-free-firmware' --aptopt='APT::Install-Recommends "false"' \
  --aptopt='Acquire::Retries "3"' --dpkgopt=force-confold --dpkgopt=force-unsafe-io "${options[@]}" \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --include="${packages%,}" \
  --customize-hook="'${self//\'/}' --fetch-extra '${out//\'/}'" \
  "${suite}" "${out}/root" \
  "deb ${mirror} ${suite} main non-free-firmware" \
  "deb ${mirror} ${suite}-updates main non-free-firmware" \
  "deb ${security} ${suite}-security main non-free-firmware"
