"""Small products: zip archives whose layout is that of a SAFE."""

from __future__ import annotations

import hashlib
import io
import mmap
import random
import re
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_NAME = re.compile(
    r"(?P<platform>S1[A-D])_(?P<mode>[A-Z0-9]{2})_(?P<type>[A-Z]{3})(?P<resolution>[FHM_])"
    r"_(?P<level>[12])S(?P<polarisation>[SDHV]{2})_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})"
    r"_(?P<orbit>\d{6})_.*"
)
_POLARISATIONS = {"DV": ("vv", "vh"), "DH": ("hh", "hv"), "SV": ("vv",), "SH": ("hh",)}
_FIRST_ORBITS = {"S1A": 73, "S1B": 27, "S1C": 172, "S1D": 42}


@dataclass(kw_only=True)
class ScriptedProduct:
    """A product as the scripted provider holds it; `storage` moves while it is staged."""

    name: str
    body: bytes | mmap.mmap
    collection: str = "S1"
    storage: str = "disk"
    polls_to_stage: int = 2
    polls_left: int | None = None
    footprint: Mapping[str, Any] = field(default_factory=lambda: box_polygon(0.0, 43.0, 2.0, 44.0))
    checksum: str | None = ""
    """None tells none; empty is that of the body, in capitals."""
    size: int | None = -1
    """None tells none; -1 is that of the body."""
    moved_to: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    _digest: tuple[bytes | mmap.mmap, str] | None = None

    @property
    def identifier(self) -> str:
        """Of the catalogue: made from collection and name, as resto does."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.collection}:{self.name}"))

    @property
    def told_checksum(self) -> str | None:
        """MD5 that the catalogue tells."""
        return self.md5.upper() if self.checksum == "" else self.checksum

    @property
    def md5(self) -> str:
        """Of the body; computed once for each that it gets."""
        if self._digest is None or self._digest[0] is not self.body:
            self._digest = (self.body, hashlib.md5(self.body).hexdigest())
        return self._digest[1]

    @property
    def told_size(self) -> int | None:
        """Size that the catalogue tells [bytes]."""
        return len(self.body) if self.size == -1 else self.size

    @property
    def described(self) -> dict[str, Any]:
        """What the name of a Sentinel-1 product says; empty for others."""
        match = _NAME.fullmatch(self.name)
        if match is None:
            return {}
        orbit = int(match["orbit"])
        return {
            "platform": match["platform"],
            "sensorMode": "SM" if match["mode"].startswith("S") else match["mode"],
            "productType": match["type"],
            "polarisation": " ".join(
                name.upper() for name in _POLARISATIONS.get(match["polarisation"], ())
            ),
            "startDate": _iso(match["start"]),
            "completionDate": _iso(match["stop"]),
            "orbitNumber": orbit,
            "relativeOrbitNumber": (orbit - _FIRST_ORBITS[match["platform"]]) % 175 + 1,
        }


def _iso(stamp: str) -> str:
    day, time = stamp.split("T")
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}.000Z"


def box_polygon(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """Return a box as a GeoJSON polygon [degrees]."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def safe_files(
    name: str, *, size: int = 2_000, polarisations: tuple[str, ...] = ("vv", "vh")
) -> dict[str, bytes]:
    """Make the files of a SAFE, by path within it; bytes that do not compress, from the name."""
    random_bytes = random.Random(name).randbytes
    platform, mode = name[:3].lower(), name[4:6].lower()
    files: dict[str, bytes] = {}
    for number, polarisation in enumerate(polarisations, start=1):
        stem = f"{platform}-{mode}-grd-{polarisation}-20210105t060000-20210105t060025-{number:03d}"
        files[f"measurement/{stem}.tiff"] = random_bytes(size // len(polarisations))
        files[f"annotation/{stem}.xml"] = b"<product/>" * 20
        files[f"annotation/calibration/calibration-{stem}.xml"] = b"<calibration/>"
        files[f"annotation/calibration/noise-{stem}.xml"] = b"<noise/>"
    files["preview/quick-look.png"] = b"\x89PNG picture"
    links = "".join(f'<fileLocation href="./{path}"/>' for path in files)
    return {"manifest.safe": f"<xfdu>{links}</xfdu>".encode(), **files}


def zip_of(files: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Write an archive in memory; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as whole:
        for path, content in files.items():
            whole.writestr(zipfile.ZipInfo(path, (2021, 1, 5, 6, 0, 0)), content, compression)
    return buffer.getvalue()


def archive(name: str, *, size: int = 2_000, **attributes: Any) -> ScriptedProduct:
    """Make a product whose archive is somewhat larger than `size` [bytes]."""
    files = {
        f"{name}.SAFE/{path}": content for path, content in safe_files(name, size=size).items()
    }
    return ScriptedProduct(
        name=name, body=zip_of(files, compression=zipfile.ZIP_STORED), **attributes
    )
