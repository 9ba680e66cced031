#!/usr/bin/env bash
# Makes the Debian packages from executables that are built already: packaging/build.sh BIN OUT.
# BIN is the folder with the executables, OUT where the packages go. GATEPOST_DEB_VERSION sets
# another version than Cargo.toml's, GATEPOST_DEB_COMPRESSION another compression than xz. For another
# architecture than this machine's, packaging/cross.sh sets GATEPOST_DEB_ARCHITECTURE, and
# GATEPOST_DEB_ADMINDIR to the dpkg database of what they are linked with. ./dev package does the building, too.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
bin=$(realpath -- "${1:?folder with the executables}")
mkdir -p -- "${2:?folder for the packages}"
out=$(realpath -- "$2")
version=${GATEPOST_DEB_VERSION:-$(sed -n '0,/^version = "\(.*\)"$/s//\1/p' "${root}/Cargo.toml")}
architecture=${GATEPOST_DEB_ARCHITECTURE:-$(dpkg --print-architecture)}
readonly root bin out version architecture

work=$(mktemp -d)
trap 'rm -rf "${work}"' EXIT
umask 022
# The same source makes the same package, byte for byte: files are as old as the last change.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "${root}" log -1 --format=%ct 2> /dev/null || echo 1767225600)}
export SOURCE_DATE_EPOCH

# put MODE SOURCE DESTINATION: into the package being made.
put() { install -D -m "$1" -- "${root}/$2" "${tree}/$3"; }

# program NAME FOLDER: an executable, without what only a debugger reads.
program() {
  [[ -x ${bin}/$1 ]] || return 1
  install -D -m 755 -- "${bin}/$1" "${tree}/$2/$1"
  "${STRIP:-strip}" --strip-unneeded --remove-section=.comment --remove-section=.note "${tree}/$2/$1"
}

zipped() { gzip -9 -n > "$1"; }

# What the executables are linked with, as package names.
libraries() {
  local -a programs
  mapfile -t programs < <(find "${tree}/usr/bin" "${tree}/usr/libexec" -type f 2> /dev/null || true)
  mkdir -p "${work}/shlibs/debian"
  printf 'Source: gatepost\n\nPackage: gatepost\nArchitecture: any\n' > "${work}/shlibs/debian/control"
  # It would rather be started by debhelper, and says so each time.
  (cd "${work}/shlibs" && dpkg-shlibdeps ${GATEPOST_DEB_ADMINDIR:+--admindir="${GATEPOST_DEB_ADMINDIR}"} \
    --warnings=0 -O "${programs[@]/#/-e}" \
    2> >(grep -v 'should already be installed' >&2 || true)) | sed -n 's/^shlibs:Depends=//p'
}

# Sockets that are enabled (password checks for X2Go are not): whoever comes while the server is being exchanged waits there.
sockets='gatepost.socket gatepost-redirect.socket gatepost-login.socket gatepost-terminal.socket gatepost-guest.socket gatepost-hook.socket'

# What is about the machine's own screen is in the package of the window.
screen_units='gatepost-screen.service gatepost-awake.service gatepost-console.service'

# control PACKAGE: control file and maintainer scripts.
control() {
  local package=$1 size shlibs name
  size=$(du -sk --apparent-size "${tree}" | cut -f 1)
  shlibs=$(libraries)
  install -d "${tree}/DEBIAN"
  sed -e "s/@VERSION@/${version}/" -e "s/@ARCHITECTURE@/${architecture}/" -e "s/@SIZE@/${size}/" \
    -e "s/@SHLIBS@/${shlibs}/" "${root}/packaging/${package}/control" > "${tree}/DEBIAN/control"
  for name in preinst postinst prerm postrm; do
    if [[ -e ${root}/packaging/${package}/${name} ]]; then
      sed "s/@SOCKETS@/${sockets}/" "${root}/packaging/${package}/${name}" > "${tree}/DEBIAN/${name}"
      chmod 755 "${tree}/DEBIAN/${name}"
    fi
  done
  if [[ -d ${tree}/etc ]]; then
    (cd "${tree}" && find etc -type f -printf '/%p\n' | sort) > "${tree}/DEBIAN/conffiles"
  fi
  (cd "${tree}" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) \
    > "${tree}/DEBIAN/md5sums"
}

papers() {
  local docs=${tree}/usr/share/doc/$1 date
  date=$(date -u -R -d "@${SOURCE_DATE_EPOCH}")
  install -d "${docs}"
  # In this format an empty line is " ." and text is indented.
  sed -e 's/^$/./' -e 's/^/ /' "${root}/LICENSE-MIT" > "${work}/mit"
  sed -e "/^@MIT@\$/{r ${work}/mit" -e 'd;}' "${root}/packaging/copyright" > "${docs}/copyright"
  chmod 644 "${docs}/copyright"
  {
    printf 'gatepost (%s) unstable; urgency=medium\n\n  * What changed is in CHANGELOG.md.\n\n' "${version}"
    printf ' -- The Gatepost project <gatepost@localhost.localdomain>  %s\n' "${date}"
  } | zipped "${docs}/changelog.gz"
}

finish() {
  local file=${out}/$1_${version}_${architecture}.deb size
  find "${tree}" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +
  dpkg-deb --root-owner-group -Z"${GATEPOST_DEB_COMPRESSION:-xz}" --build "${tree}" "${file}" > /dev/null
  size=$(stat -c %s "${file}")
  printf '    %s: %d KB\n' "${file}" "$((size / 1000))" >&2
}

server() {
  tree=${work}/gatepost
  program gatepost usr/bin
  program gatepost-keeper usr/libexec/gatepost
  program gatepost-login usr/libexec/gatepost
  local unit document
  for unit in "${root}"/systemd/*.service "${root}"/systemd/*.socket; do
    [[ " ${screen_units} " != *" ${unit##*/} "* ]] || continue
    put 644 "systemd/${unit##*/}" "usr/lib/systemd/system/${unit##*/}"
  done
  put 644 systemd/gatepost.sysusers usr/lib/sysusers.d/gatepost.conf
  put 644 systemd/gatepost.tmpfiles usr/lib/tmpfiles.d/gatepost.conf
  put 644 systemd/pam.d/gatepost etc/pam.d/gatepost
  # The vendor's place: X2Go's own package has the one in /etc, which comes first.
  put 644 systemd/pam.d/x2gobroker usr/lib/pam.d/x2gobroker
  put 644 packaging/gatepost.toml etc/gatepost/gatepost.toml
  install -d "${tree}/etc/gatepost/conf.d" "${tree}/etc/gatepost/hooks"
  install -d "${tree}/usr/share/man/man1"
  zipped "${tree}/usr/share/man/man1/gatepost.1.gz" < "${root}/packaging/gatepost.1"
  for document in README.md CHANGELOG.md; do
    put 644 "${document}" "usr/share/doc/gatepost/${document}"
  done
  for document in "${root}"/docs/*.md; do
    put 644 "docs/${document##*/}" "usr/share/doc/gatepost/docs/${document##*/}"
  done
  papers gatepost
  control gatepost
  finish gatepost
}

window() {
  tree=${work}/gatepost-kiosk
  if ! program gatepost-kiosk usr/bin; then
    printf '    no gatepost-kiosk: that executable was not built\n' >&2
    return
  fi
  local unit script
  for unit in ${screen_units}; do
    put 644 "systemd/${unit}" "usr/lib/systemd/system/${unit}"
  done
  put 644 systemd/gatepost-kiosk.sysusers usr/lib/sysusers.d/gatepost-kiosk.conf
  put 644 systemd/gatepost-kiosk.tmpfiles usr/lib/tmpfiles.d/gatepost-kiosk.conf
  for script in login start-x session; do
    put 755 "xsession/${script}" "usr/libexec/gatepost/xsession/${script}"
  done
  put 644 xsession/xorg.conf etc/X11/gatepost-xorg.conf
  papers gatepost-kiosk
  control gatepost-kiosk
  finish gatepost-kiosk
}

server
window
