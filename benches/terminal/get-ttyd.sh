#!/bin/sh
# Puts Debian unstable's ttyd, with the libraries it wants, into a cache folder and prints the path of
# a launcher. The system's package sources stay untouched: apt gets a configuration of its own, checks
# signatures against Debian's keyring as always, and believes that nothing is installed yet.
#
# ttyd may want a newer C library than this machine has, so the launcher starts it through the dynamic
# loader that came with it. Only ttyd sees those libraries; the shells it starts use the system's.
set -eu

cache="${XDG_CACHE_HOME:-${HOME}/.cache}/gatepost/peers"
root="${cache}/ttyd"
launcher="${root}/ttyd"
if [ -x "${launcher}" ]; then
    echo "${launcher}"
    exit 0
fi

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
for need in apt-get dpkg-deb "${keyring}"; do
    if ! command -v "${need}" >/dev/null && [ ! -r "${need}" ]; then
        echo "ttyd can't be fetched: ${need} is missing" >&2
        exit 1
    fi
done

# The mirror the system itself uses, so that a machine that reaches only that one works too.
# shellcheck disable=SC2016 # apt fills in $(REPO_URI)
mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null \
    | grep -v security | head -n 1 || true)"
mirror="${mirror:-http://deb.debian.org/debian}"

work="${cache}/apt"
rm -rf "${work}" "${root}.new"
mkdir -p "${work}/state/lists/partial" "${work}/archives/partial" "${root}.new"
trap 'rm -rf "${work}" "${root}.new"' EXIT
: >"${work}/state/status"
echo "deb [signed-by=${keyring}] ${mirror} unstable main" >"${work}/sources.list"
cat >"${work}/apt.conf" <<EOF
Dir::State "${work}/state";
Dir::State::status "${work}/state/status";
Dir::Cache "${work}";
Dir::Cache::archives "${work}/archives";
Dir::Etc::sourcelist "${work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::http::Timeout "20";
Acquire::Retries "1";
Debug::NoLocking "true";
EOF
APT_CONFIG="${work}/apt.conf"
export APT_CONFIG
echo "fetching ttyd from ${mirror} (unstable) into ${cache}" >&2
apt-get -qq update >&2
apt-get -qq --yes --download-only install ttyd >&2
for package in "${work}"/archives/*.deb; do
    dpkg-deb -x "${package}" "${root}.new"
done

# libwebsockets loads its event loop as a plugin, from LD_LIBRARY_PATH or a fixed system folder. The
# variable reaches the shells too, so the folder it names must hold nothing a shell would load.
mkdir "${root}.new/plugins"
find "${root}.new/usr/lib" -name 'libwebsockets-evlib_uv.so' -exec cp {} "${root}.new/plugins/" \;

loader="$(find "${root}.new" -name 'ld-linux*.so.*' | head -n 1)"
library="$(find "${root}.new" -name 'libwebsockets.so.*' | head -n 1)"
libraries="${library%/*}"
cat >"${root}.new/ttyd" <<EOF
#!/bin/sh
export LD_LIBRARY_PATH="${root}/plugins"
exec "${root}${loader#"${root}.new"}" --library-path "${root}${libraries#"${root}.new"}" "${root}/usr/bin/ttyd" "\$@"
EOF
chmod +x "${root}.new/ttyd"
rm -rf "${root}"
mv "${root}.new" "${root}"
"${launcher}" --version >&2
echo "${launcher}"
