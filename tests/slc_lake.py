"""Sentinel-1 SLC products of nothing but names and manifests, for whatever opens no annotation."""

from __future__ import annotations

import zipfile
from datetime import datetime, timedelta
from pathlib import Path

AROUND = ((55.0, -21.6), (56.0, -21.4), (55.8, -20.6), (54.8, -20.8))
"""Footprint on La Reunion [degrees east, north]."""
ELSEWHERE = ((12.0, 44.0), (13.2, 44.2), (13.0, 45.4), (11.8, 45.2))
FIRST_ORBIT = {"S1A": 73, "S1B": 27}
"""Absolute orbits of the first track."""

Corners = tuple[tuple[float, float], ...]


def make_slc(
    folder: Path,
    start: str,
    *,
    platform: str = "S1A",
    beam: str = "S4",
    seconds: int = 25,
    track: int = 151,
    polarisations: tuple[str, ...] = ("VV",),
    footprint: Corners = AROUND,
    unique: str = "ABCD",
    processed: str = "2018-01-01T00:00:00",
) -> Path:
    """Make a SAFE folder whose annotations are empty; its start is as 20160605T013621."""
    begin = datetime.strptime(start, "%Y%m%dT%H%M%S")
    stop = f"{begin + timedelta(seconds=seconds):%Y%m%dT%H%M%S}"
    orbit = FIRST_ORBIT[platform] + 175 * 60 + track - 1
    code = {("VV",): "SV", ("HH",): "SH", ("VV", "VH"): "DV", ("HH", "HV"): "DH"}[polarisations]
    name = f"{platform}_{beam}_SLC__1{'S' + code}_{start}_{stop}_{orbit:06d}_012345_{unique}"
    safe = folder / f"{name}.SAFE"
    (safe / "annotation").mkdir(parents=True)
    swaths = [f"{beam}{number}" for number in (1, 2, 3)] if beam == "IW" else [beam]
    images = [(swath, p) for p in polarisations for swath in swaths]
    for number, (swath, polarisation) in enumerate(images, start=1):
        stem = f"{platform}-{swath}-slc-{polarisation}-{start}-{stop}-{orbit:06d}-012345"
        (safe / "annotation" / f"{stem.lower()}-{number:03d}.xml").touch()
    corners = " ".join(f"{latitude},{longitude}" for longitude, latitude in footprint)
    (safe / "manifest.safe").write_text(
        f"""<x xmlns:safe="http://www.esa.int/safe/sentinel-1.0"
    xmlns:s1="http://www.esa.int/safe/sentinel-1.0/sentinel-1"
    xmlns:gml="http://www.opengis.net/gml"><safe:processing stop="{processed}"/>
    <safe:orbitReference>
    <safe:relativeOrbitNumber type="start">{track}</safe:relativeOrbitNumber>
    <safe:relativeOrbitNumber type="stop">{track}</safe:relativeOrbitNumber>
    </safe:orbitReference><s1:pass>DESCENDING</s1:pass>
    <safe:footPrint><gml:coordinates>{corners}</gml:coordinates></safe:footPrint></x>"""
    )
    return safe


def zipped(safe: Path) -> Path:
    """Pack a SAFE folder, which stays as one without a manifest."""
    path = safe.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(safe.rglob("*")):
            if file.is_file():
                archive.write(file, f"{safe.name}/{file.relative_to(safe)}")
    (safe / "manifest.safe").unlink()
    return path
