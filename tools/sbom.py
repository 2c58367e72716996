"""
Writes the bill of materials of what pushctl runs on: CycloneDX JSON, made from the lock file.

Names, versions and hashes are those of ``requirements/run.lock``; licences and who needs whom come
from the packages as they are installed in the environment that runs this.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def write_sbom(root: Path, folder: Path) -> Path:
    """Write the bill of materials of the checkout *root* into *folder* and return its path."""
    version = importlib.metadata.version("pushctl")
    path = folder / f"pushctl-{version}.cdx.json"
    path.write_text(sbom(root) + "\n", encoding="utf-8")
    return path


def sbom(root: Path) -> str:
    """Return the bill of materials of the checkout *root* as JSON."""
    locked = read_lock((root / "requirements" / "run.lock").read_text(encoding="utf-8"))
    needed = _closure("pushctl", locked)
    components = {name: _component(name, *locked[name]) for name in sorted(needed)}
    product = _component("pushctl", importlib.metadata.version("pushctl"), ())
    product.type = ComponentType.APPLICATION
    bom = Bom(components=components.values())
    bom.metadata.component = product
    for name, component in [("pushctl", product), *components.items()]:
        wanted = [components[it] for it in _requires(name) if it in components]
        bom.register_dependency(component, wanted)
    return str(JsonV1Dot6(bom).output_as_string(indent=1))


def read_lock(text: str) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Return the version and the SHA-256 sums of each package in a lock file."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", text):
        if pinned := _PINNED.match(entry):
            found[canonicalize_name(pinned[1])] = (pinned[2], tuple(_HASH.findall(entry)))
    return found


def _closure(name: str, locked: Mapping[str, object]) -> set[str]:
    """Return what *name* needs, directly or not, as far as it is locked."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for needed in _requires(waiting.pop()):
            if needed in locked and needed not in found:
                found.add(needed)
                waiting.append(needed)
    return found


def _requires(name: str) -> Iterator[str]:
    """Yield what *name* needs on any platform, without the needs of extras nobody asked for."""
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return  # of another platform
    for line in lines:
        requirement = Requirement(line)
        if "extra" not in str(requirement.marker or "") or name == "httpx":  # httpx[http2]
            yield canonicalize_name(requirement.name)


def _component(name: str, version: str, sums: tuple[str, ...]) -> Component:
    url = PackageURL("pypi", None, name, version)
    # A package has a file for each platform; each is a distribution with a sum of its own.
    files = [
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(f"{url}#sha256={value}"),
            hashes=[HashType.from_hashlib_alg("sha256", value)],
        )
        for value in sums
    ]
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=str(url),
        licenses=_licenses(name),
        external_references=files,
    )


def _licenses(name: str) -> LicenseRepository:
    try:
        told = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return LicenseRepository()
    text = told.get("License-Expression") or _short(told.get("License")) or _classified(told)
    return LicenseRepository([LicenseFactory().make_from_string(text)] if text else [])


def _short(text: str | None) -> str | None:
    """Return *text* unless it is a whole licence."""
    return text if text and len(text) <= 60 and "\n" not in text else None


def _classified(told: importlib.metadata.PackageMetadata) -> str | None:
    names = told.get_all("Classifier") or []
    found = [name.rpartition(" :: ")[2] for name in names if name.startswith("License :: ")]
    return found[0] if found else None


if __name__ == "__main__":
    sys.stdout.write(sbom(Path(__file__).resolve().parents[1]) + "\n")
