#!/usr/bin/env bash
# Makes a bundle of an image that was built: image/slots/bundle.sh KEY FOLDER [OUT]. KEY is a private Ed25519
# key (openssl genpkey -algorithm ed25519), FOLDER what ./dev image has made. ./dev image bundle calls it.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
fail() {
  printf 'bundle: %s\n' "$*" >&2
  exit 1
}
[[ -n ${1:-} ]] || fail 'whose update is it? Name your private key: ./dev image bundle KEY. docs/updates.md says how to make one.'
key=$1
[[ -r ${key} ]] || fail "there is no ${key}, or you may not read it. docs/updates.md says how to make a key."
kind=$(openssl pkey -in "${key}" -noout -text 2> /dev/null) || fail "${key} is no private key. docs/updates.md says how to make one."
[[ ${kind} == 'ED25519 Private-Key'* ]] || fail "${key} is no Ed25519 key; make one with: openssl genpkey -algorithm ed25519 -out KEY"
parts=${2:?the folder with the image}/boot
[[ -f ${parts}/root.img && -f ${parts}/boot.img ]] || fail "there is no image in ${2}; ./dev image makes it"
work=$(mktemp -d)
trap 'rm -rf "${work}"' EXIT

# What the system says of itself is what the bundle says of it.
unsquashfs -quiet -no-progress -dest "${work}/root" "${parts}/root.img" usr/lib/gatepost/system.json usr/lib/gatepost/update-keys > /dev/null
system=${work}/root/usr/lib/gatepost/system.json
public=$(openssl pkey -in "${key}" -pubout)
known=()
for file in "${work}"/root/usr/lib/gatepost/update-keys/*.pem; do
  [[ ! -f ${file} ]] || known+=("$(openssl pkey -pubin -in "${file}" -pubout || true)")
done
# A card that takes a system without keys has taken its last update.
((${#known[@]} > 0)) || fail "the image in $2 has no key, so a card with it could never be updated again. Put the public half into image/update-keys
  (openssl pkey -in ${key} -pubout -out image/update-keys/mine.pem) and make the image again with ./dev image."
case " ${known[*]} " in
  *" ${public} "*) ;;
  *) printf 'note: %s is none of the keys in this image. Cards take this bundle if what runs on them knows that key, and no later ones signed by it.\n' "${key}" >&2 ;;
esac
version=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["version"])' "${system}")
out=${3:-$2/gatepost-${version}-arm64.bundle}
python3 "${here}/pack.py" bundle "${key}" "${system}" "${parts}/root.img" "${parts}/boot.img" "${out}"
printf '%s\n' "${out}"
