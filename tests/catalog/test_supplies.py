"""The operator says where orbits and elevation may be fetched from."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.elevation import PUBLIC_GLO30, ElevationProvider
from catalog.elevation_tiles import Corner, ElevationModel
from catalog.orbit_choice import PUBLIC_ORBITS, OrbitProvider
from catalog.settings import SettingsError
from catalog.supplies import read_elevation_providers, read_orbit_providers
from processes.settings import CHECKOUT

GLO30, SRTM, _ = ElevationModel


def _written(folder: Path, text: str) -> list[Path]:
    (folder / "site.cfg").write_text(text)
    return [folder / "site.cfg"]


def test_nothing_is_fetched_unless_somebody_says_so(tmp_path: Path) -> None:
    for files in ([CHECKOUT / "pywps.cfg"], _written(tmp_path, "[fournaise]\n[catalog:peps]\n")):
        assert read_orbit_providers(files) == ()
        assert read_elevation_providers(files) == ()


def test_stores_are_read_in_their_order(tmp_path: Path) -> None:
    files = _written(
        tmp_path,
        f"[orbits:asf]\nurl = {PUBLIC_ORBITS}/\n"
        "[orbits:mirror]\nurl = http://mirror:8080/orbits\nprefix =\nconnections = 4\n"
        f"[elevation:fine]\nmodel = glo-30\nurl = {PUBLIC_GLO30}\ntile_list = tileList.txt\n"
        "[elevation:lidar]\nmodel = SRTM\nurl = http://mirror/dem\n"
        "template = {north}/{tile}.hgt\ntile_list = land.txt\n",
    )
    (tmp_path / "land.txt").write_text("N43E001")
    assert read_orbit_providers(files) == (
        OrbitProvider(name="asf", address=PUBLIC_ORBITS),
        OrbitProvider(name="mirror", address="http://mirror:8080/orbits", prefix="", connections=4),
    )
    fine, lidar = read_elevation_providers(files)
    assert fine == ElevationProvider(
        name="fine", model=GLO30, address=PUBLIC_GLO30, tile_list="tileList.txt"
    )
    assert (lidar.model, lidar.tile_list) == (SRTM, tmp_path / "land.txt")
    assert lidar.source(lidar.key(Corner(43, 1))).address == "http://mirror/dem/N43/N43E001.hgt"


def test_key_is_sent_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret-word\n")
    (tmp_path / "key").chmod(0o600)
    files = _written(
        tmp_path, "[elevation:srtm]\nmodel = SRTM\nurl = https://dem\ncredentials = key\n"
    )
    (provider,) = read_elevation_providers(files)
    assert provider.credentials is not None
    assert provider.credentials.headers() == {"Authorization": "Bearer secret-word"}
    assert "secret-word" not in repr(provider)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[orbits:asf]\n", "orbits asf needs url"),
        ("[orbits:asf]\nurl = ftp://asf\n", "orbits asf: url must be"),
        ("[orbits:asf]\nurl = http://asf\nprefix = {platform}/\n", "orbits asf: prefix must be"),
        ("[orbits:asf]\nurl = http://asf\nmodel = SRTM\n", "orbits asf: options must be of"),
        ("[elevation:dem]\nurl = http://dem\n", "elevation dem needs model"),
        ("[elevation:dem]\nmodel = ASTER\n", "elevation dem: model must be of GLO-30, SRTM"),
        ("[elevation:dem]\ntemplate = ../{tile}\n", "elevation dem: template must be"),
        ("[elevation:dem]\ntemplate = {tile\n", "elevation dem: template must be"),
        ("[elevation:dem]\nconnections = 99\n", "elevation dem: connections must be"),
    ],
)
def test_wrong_option_is_named(tmp_path: Path, text: str, says: str) -> None:
    files = _written(tmp_path, text)
    read = read_orbit_providers if text.startswith("[orbits") else read_elevation_providers
    with pytest.raises(SettingsError, match=says):
        read(files)
