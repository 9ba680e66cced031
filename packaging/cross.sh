#!/usr/bin/env bash
# Builds for arm64 Debian on another (or the same) kind of machine: packaging/cross.sh CACHE OUT [PROFILE].
# The four executables go to OUT/bin, the Debian packages to OUT. ./dev cross calls it, with the page
# already built.
#
# The compiler is Debian's, in a folder of its own (CACHE/toolchain), so that nothing has to be installed
# on this machine and the Rust is the same everywhere. What is linked with are arm64 packages of the
# same suite as the image, unpacked and never run (CACHE/sysroot): Debian's WebKitGTK development files
# for two architectures can't be installed side by side.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# What is linked with; the suite decides which C library a machine needs at least.
suite=trixie
mirror=${GATEPOST_MIRROR:-http://deb.debian.org/debian}
security=${GATEPOST_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
target=aarch64-unknown-linux-gnu
tools=(rustc-web cargo-web libstd-rust-web-dev libstd-rust-web-dev:arm64 pkg-config ca-certificates dpkg-dev)
libraries=(libwebkit2gtk-4.1-dev libpam0g-dev libc6-dev libgcc-14-dev)
host=$(dpkg --print-architecture)
# On arm64 itself the ordinary compiler is the cross compiler.
if [[ ${host} == arm64 ]]; then
  tools=(rustc-web cargo-web libstd-rust-web-dev gcc libc6-dev pkg-config ca-certificates dpkg-dev)
else
  tools+=(crossbuild-essential-arm64)
fi
readonly root suite mirror security target tools libraries host

say() { printf '    %s\n' "$*" >&2; }

# debian TREE ARGUMENTS…: a Debian in that folder.
debian() {
  local tree=$1
  shift
  mmdebstrap --mode=root --format=directory --aptopt='APT::Install-Recommends "false"' \
    --aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io --quiet "$@" "${suite}" "${tree}" \
    "deb ${mirror} ${suite} main" "deb ${mirror} ${suite}-updates main" "deb ${security} ${suite}-security main"
}

# Unpacked packages, and a dpkg database that knows whose file is whose: dpkg-shlibdeps reads off it
# what our packages depend on.
register() {
  local tree=$1 info=$1/var/lib/dpkg/info deb name multi work file
  work=$(mktemp -d)
  mkdir -p "${info}"
  # Names of files with the architecture in them.
  echo 1 > "${info}/format"
  for deb in "${tree}"/var/cache/apt/archives/*.deb; do
    name=$(dpkg-deb -f "${deb}" Package)
    multi=$(dpkg-deb -f "${deb}" Multi-Arch)
    [[ ${multi} != same ]] || name+=:arm64
    rm -rf "${work:?}"/*
    dpkg-deb -e "${deb}" "${work}"
    for file in symbols shlibs; do
      [[ ! -e ${work}/${file} ]] || cp "${work}/${file}" "${info}/${name}.${file}"
    done
    dpkg-deb --fsys-tarfile "${deb}" | tar -t | sed -e 's#^\.##' -e 's#/$##' -e '/^$/s/^/\/./' > "${info}/${name}.list"
    {
      dpkg-deb -f "${deb}" Package Version Architecture Multi-Arch Maintainer Description
      printf 'Status: install ok installed\n\n'
    } >> "${tree}/var/lib/dpkg/status"
  done
  rm -rf "${work}"
}
if [[ ${1:-} == --register ]]; then
  register "$2"
  exit
fi

cache=$(realpath -m -- "${1:?folder for caches}")
out=$(realpath -m -- "${2:?folder for the result}")
profile=${3:-release}
readonly cache out profile
mkdir -p "${cache}" "${out}/bin"

# fresh NAME WORDS…: whether the folder of that name was made from these words.
fresh() { [[ -e ${cache}/$1.list && $(< "${cache}/$1.list") == "${*:2}" ]]; }

make_toolchain() {
  local list architectures=${host}
  list=$(printf '%s,' "${tools[@]}")
  [[ ${host} == arm64 ]] || architectures+=,arm64
  ! fresh toolchain "${suite}" "${tools[@]}" || return 0
  say "fetching the compiler (once; 1 GB)"
  rm -rf "${cache}/toolchain" "${cache}/toolchain.list"
  debian "${cache}/toolchain" --variant=minbase --architectures="${architectures}" --include="${list%,}" \
    --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-exclude='/usr/share/man/*' \
    --dpkgopt=path-exclude='/usr/share/locale/*'
  printf '%s' "${suite} ${tools[*]}" > "${cache}/toolchain.list"
}

# Debian's ordinary linker names a library as needed if code that was left out in the end would have
# needed it: three of the four executables would load WebKitGTK for nothing. This one does not.
make_linker() {
  local tree=${cache}/toolchain
  [[ ! -x ${tree}/usr/bin/ld.lld ]] || return 0
  say 'fetching the linker (once)'
  with_toolchain DEBIAN_FRONTEND=noninteractive sh -euc \
    'apt-get -qq update && apt-get -qq -y --no-install-recommends install lld' > /dev/null
}

make_sysroot() {
  local list link goal
  list=$(printf '%s,' "${libraries[@]}")
  ! fresh sysroot "${suite}" "${libraries[@]}" || return 0
  say 'fetching what is linked with (once; 1 GB)'
  rm -rf "${cache}/sysroot" "${cache}/sysroot.list"
  debian "${cache}/sysroot" --variant=extract --architectures=arm64 --include="${list%,}" \
    --extract-hook="'${root//\'/}/packaging/cross.sh' --register \"\$1\""
  # Absolute links would lead to this machine's own files.
  (cd "${cache}/sysroot" && find . -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
    goal=$(readlink "${link}")
    goal=$(realpath -ms --relative-to="/$(dirname "${link#./}")" "${goal}")
    ln -snf "${goal}" "${link}"
  done)
  printf '%s' "${suite} ${libraries[*]}" > "${cache}/sysroot.list"
}

# with_toolchain COMMAND…: in the compiler's Debian, with the checkout, the crates and the sysroot in it.
# The folders are mounted in a mount namespace of its own, gone when the command has ended.
with_toolchain() {
  local tree=${cache}/toolchain crates=${CARGO_HOME:-${HOME:-/root}/.cargo}
  mkdir -p "${tree}"/{source,sysroot,crates,target,out} "${crates}" "${cache}/target"
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --mount --propagation private -- sh -euc '
    tree=$1; root=$2; cache=$3; crates=$4; out=$5; shift 5
    mount --rbind "$root" "$tree/source"
    mount --bind "$cache/sysroot" "$tree/sysroot"
    mount --bind "$crates" "$tree/crates"
    mount --bind "$cache/target" "$tree/target"
    mount --bind "$out" "$tree/out"
    mount --rbind /dev "$tree/dev"
    mount -t proc proc "$tree/proc"
    cp -L /etc/resolv.conf "$tree/etc/resolv.conf" 2> /dev/null || true
    exec chroot "$tree" "$@"
  ' sh "${tree}" "${root}" "${cache}" "${crates}" "${out}" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    LC_ALL=C.UTF-8 HOME=/tmp CARGO_HOME=/crates CARGO_TARGET_DIR=/target \
    CARGO_NET_OFFLINE="${CARGO_NET_OFFLINE:-false}" ${CARGO_BUILD_JOBS:+CARGO_BUILD_JOBS="${CARGO_BUILD_JOBS}"} \
    ${https_proxy:+https_proxy="${https_proxy}"} ${http_proxy:+http_proxy="${http_proxy}"} \
    "$@"
}

compile() {
  local gcc=aarch64-linux-gnu-gcc
  # Where the compiler looks for its linker first.
  mkdir -p "${cache}/toolchain/opt/linker"
  ln -sfn /usr/bin/ld.lld "${cache}/toolchain/opt/linker/ld"
  with_toolchain COMPILER_PATH=/opt/linker \
    PKG_CONFIG_ALLOW_CROSS=1 PKG_CONFIG_SYSROOT_DIR=/sysroot \
    PKG_CONFIG_LIBDIR=/sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:/sysroot/usr/share/pkgconfig \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="${gcc}" \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS='-C link-arg=--sysroot=/sysroot' \
    CC_aarch64_unknown_linux_gnu="${gcc}" CFLAGS_aarch64_unknown_linux_gnu=--sysroot=/sysroot \
    sh -euc 'cd /source && exec "$@"' sh \
    cargo build --locked --profile "${profile}" --bins --features kiosk --target "${target}"
}

# dpkg-shlibdeps looks for libraries where they are on an arm64 machine, so there they are for it.
pack() {
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "${root}" log -1 --format=%ct 2> /dev/null || echo 1767225600)}
  with_toolchain SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH}" DEB_HOST_ARCH=arm64 GATEPOST_DEB_ARCHITECTURE=arm64 \
    GATEPOST_DEB_ADMINDIR=/sysroot/var/lib/dpkg STRIP=aarch64-linux-gnu-strip \
    ${GATEPOST_DEB_VERSION:+GATEPOST_DEB_VERSION="${GATEPOST_DEB_VERSION}"} \
    sh -euc 'mount --bind /sysroot/usr/lib/aarch64-linux-gnu /usr/lib/aarch64-linux-gnu && exec "$@"' sh \
    /source/packaging/build.sh "/target/${target}/${profile/#dev/debug}" /out
}

make_toolchain
make_sysroot
make_linker
say "compiling (profile ${profile}; the first time takes long)"
compile
for name in gatepost gatepost-keeper gatepost-login gatepost-kiosk; do
  if [[ ${name} != gatepost-kiosk ]] && grep -qa 'libwebkit2gtk' "${cache}/target/${target}/${profile/#dev/debug}/${name}"; then
    printf 'packaging/cross.sh: %s would load WebKitGTK, which only the window needs\n' "${name}" >&2
    exit 1
  fi
  install -m 755 "${cache}/target/${target}/${profile/#dev/debug}/${name}" "${out}/bin/${name}"
done
pack
