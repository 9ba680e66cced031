#!/usr/bin/env python3
"""What goes with an image: papers.py BASE ROOT OUT NAME VERSION EPOCH.

NAME.img.zst          the image, compressed
NAME.packages         what is in it, one package with its version a line
NAME.spdx.json        the same for programs (SPDX 2.3), with where each comes from
NAME.sizes            the biggest packages and folders, for whoever wants it smaller
NAME.rpi-imager.json  what Raspberry Pi Imager wants to know of it (its "custom repository")
SHA256SUMS            of all of these
"""
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path


def paragraphs(text: str) -> list[dict[str, str]]:
    """Debian's control format; continued lines are left out."""
    found = []
    for block in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+): *(.*)$", block, re.MULTILINE))
        if fields.get("Package"):
            found.append(fields)
    return found


def packages(base: Path, root: Path) -> list[dict[str, str]]:
    status = paragraphs((root / "var/lib/dpkg/status").read_text("utf-8"))
    installed = [one for one in status if one.get("Status", "").endswith(" installed")]
    extra = paragraphs((base / "extra.list").read_text("utf-8"))
    return sorted(installed + extra, key=lambda one: one["Package"])


def spdx(name: str, when: str, all_of_them: list[dict[str, str]]) -> dict:
    entries, relations = [], []
    for one in all_of_them:
        package, version, architecture = one["Package"], one["Version"], one.get("Architecture", "arm64")
        identity = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", package)
        ours = package.startswith("gatepost")
        source = one.get("Source", package)
        entries.append({
            "SPDXID": identity,
            "name": package,
            "versionInfo": version,
            "supplier": "NOASSERTION" if ours else "Organization: Debian",
            "downloadLocation": one.get("Homepage", "NOASSERTION"),
            "sourceInfo": f"built from source package {source}",
            "licenseConcluded": "MIT OR Apache-2.0" if ours else "NOASSERTION",
            "licenseDeclared": "MIT OR Apache-2.0" if ours else "NOASSERTION",
            "copyrightText": "NOASSERTION",
            "filesAnalyzed": False,
            "externalRefs": [] if ours else [{
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:deb/debian/{package}@{version.replace('+', '%2B')}?arch={architecture}&distro=trixie",
            }],
        })
        relations.append({
            "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": identity,
        })
    listing = "\n".join(f"{one['Package']} {one['Version']}" for one in all_of_them)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"https://gatepost.invalid/spdx/{name}-{hashlib.sha256(listing.encode()).hexdigest()}",
        "creationInfo": {"created": when, "creators": ["Tool: gatepost image/papers.py"]},
        "packages": entries,
        "relationships": relations,
    }


def folder_size(folder: Path) -> int:
    total, seen = 0, set()
    for where, _, files in os.walk(folder):
        for file in files:
            told = os.lstat(os.path.join(where, file))
            if told.st_ino not in seen:
                seen.add(told.st_ino)
                total += told.st_size
    return total


def sizes(root: Path) -> str:
    """Sizes of what is really there: much of what packages claim was left out."""
    files: list[tuple[int, str]] = []
    info = root / "var/lib/dpkg/info"
    for listing in info.glob("*.list"):
        total = 0
        for path in listing.read_text("utf-8").splitlines():
            inside = root / path.lstrip("/")
            if inside.is_file() and not inside.is_symlink():
                total += inside.stat().st_size
        files.append((total, listing.stem))
    modules = folder_size(root / "usr/lib/modules")
    files.append((modules, "(kernel modules)"))
    lines = [f"{size / 1e6:8.1f} MB  {name}" for size, name in sorted(files, reverse=True)[:60]]
    return f"{folder_size(root) / 1e6:8.1f} MB  everything\n" + "\n".join(lines) + "\n"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def imager(name: str, version: str, when: str, image: Path, packed: Path) -> dict:
    return {"os_list": [{
        "name": f"Gatepost {version} (64-bit)",
        "description": "A terminal kiosk: flash, power on, it's a terminal",
        "url": packed.name,
        "icon": "",
        "release_date": when[:10],
        "extract_size": image.stat().st_size,
        "extract_sha256": sha256(image),
        "image_download_size": packed.stat().st_size,
        "image_download_sha256": sha256(packed),
        "devices": ["pi3-64bit", "pi4-64bit"],
        "init_format": "cloudinit",
        "architecture": "armv8",
    }]}


def main() -> None:
    base, root, out = (Path(word) for word in sys.argv[1:4])
    name, version, epoch = sys.argv[4:7]
    when = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    image, packed = out / f"{name}.img", out / f"{name}.img.zst"
    # Most of it is compressed already; the rest is empty.
    subprocess.run(["zstd", "-q", "-f", "-T0", "-10", str(image), "-o", str(packed)], check=True)
    all_of_them = packages(base, root)
    lines = [f"{one['Package']} {one['Version']} {one.get('Architecture', 'arm64')}" for one in all_of_them]
    made = {
        ".packages": "\n".join(lines) + "\n",
        ".spdx.json": json.dumps(spdx(name, when, all_of_them), indent=1) + "\n",
        ".sizes": sizes(root),
        ".rpi-imager.json": json.dumps(imager(name, version, when, image, packed), indent=1) + "\n",
    }
    for ending, text in made.items():
        (out / f"{name}{ending}").write_text(text, "utf-8")
    everything = [image, packed] + [out / f"{name}{ending}" for ending in made]
    (out / "SHA256SUMS").write_text("".join(f"{sha256(one)}  {one.name}\n" for one in everything), "utf-8")
    print(f"    {packed.name}: {packed.stat().st_size / 1e6:.1f} MB, {len(all_of_them)} packages", file=sys.stderr)


main()
