#!/usr/bin/env bash
# Makes a bundle of an image that was built: image/slots/bundle.sh KEY FOLDER [OUT]. KEY is a private Ed25519
# key (openssl genpkey -algorithm ed25519), FOLDER what ./dev image has made. ./dev image bundle calls it.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
key=${1:?the private key, a PEM file}
parts=${2:?the folder with the image}/boot
work=$(mktemp -d)
trap 'rm -rf "${work}"' EXIT

# What the system says of itself is what the bundle says of it.
unsquashfs -quiet -no-progress -dest "${work}/root" "${parts}/root.img" usr/lib/gatepost/system.json > /dev/null
system=${work}/root/usr/lib/gatepost/system.json
version=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["version"])' "${system}")
out=${3:-$2/gatepost-${version}-arm64.bundle}
python3 "${here}/pack.py" bundle "${key}" "${system}" "${parts}/root.img" "${parts}/boot.img" "${out}"
printf '%s\n' "${out}"
