"""Noise files of both styles: hand-made ones and real ones."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from kernels.errors import ProductError
from kernels.model import NoiseLut
from kernels.products.noise import parse_noise
from tests.products import grd_samples

OLD_STYLE = """<?xml version="1.0"?><noise><noiseVectorList count="2">
<noiseVector><azimuthTime>2015-02-03T04:31:09.448219</azimuthTime><line>0</line>
<pixel count="3">0 40 80</pixel><noiseLut count="3">9.5 8.5 7.5</noiseLut></noiseVector>
<noiseVector><azimuthTime>2015-02-03T04:31:10.448219</azimuthTime><line>668</line>
<pixel count="2">0 80</pixel><noiseLut count="2">9 7</noiseLut></noiseVector>
</noiseVectorList></noise>"""


def parse(text: str) -> NoiseLut:
    return parse_noise(text.encode(), origin="noise-a.xml")


def test_range_vectors_in_order_of_lines() -> None:
    vectors = parse(grd_samples.noise()).vectors
    assert [vector.line for vector in vectors] == [0, 20]
    assert vectors[0].pixels.tolist() == [0, 29]
    assert vectors[0].values.tolist() == [100.0, 50.5]
    assert vectors[1].values.tolist() == [120.0, 50.5]


def test_azimuth_blocks_with_both_ends_included() -> None:
    blocks = parse(grd_samples.noise()).blocks
    assert [block.swath for block in blocks] == ["IW1", "IW2"]
    second = blocks[1]
    assert (second.first_line, second.last_line) == (0, 49)
    assert (second.first_sample, second.last_sample) == (15, 29)
    assert second.lines.tolist() == [0, 10, 49]
    assert second.values.tolist() == [1.25, 1.5, 1.0]


def test_the_old_style_has_no_blocks_and_its_own_samples_on_each_line() -> None:
    lut = parse(OLD_STYLE)
    assert lut.blocks == ()
    assert [vector.pixels.tolist() for vector in lut.vectors] == [[0, 40, 80], [0, 80]]
    assert lut.vectors[1].values.tolist() == [9.0, 7.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<noise/>", "has no element noiseRangeVectorList/noiseRangeVector"),
        ("<noise>", "is not well-formed XML"),
        (OLD_STYLE.replace("0 40 80", "0 80 40"), "element pixel must be an increasing list"),
        (OLD_STYLE.replace("9 7", "9"), "noiseLut must have as many values as pixel, 2, got 1"),
        (grd_samples.noise().replace(">0 10 49<", "><"), "line must be an increasing list"),
        (OLD_STYLE.replace("8.5", "nan"), "element noiseLut must be a list of numbers"),
    ],
)
def test_a_damaged_file_is_named(text: str, message: str) -> None:
    with pytest.raises(ProductError, match=re.escape(message)) as caught:
        parse(text)
    assert str(caught.value).startswith("noise-a.xml")


@pytest.mark.shared_data
def test_a_real_file_of_the_new_style(shared_data: Path) -> None:
    (path,) = shared_data.glob("rome_s1/*GRDH*/annotation/calibration/noise-*.xml")
    lut = parse_noise(path.read_bytes(), origin=path.name)
    assert (lut.vectors[0].line, lut.vectors[1].line, lut.vectors[-1].line) == (0, 668, 16704)
    assert lut.vectors[0].pixels.size == 657
    assert lut.vectors[0].values[0] == pytest.approx(2375.788)
    assert [(b.swath, b.first_sample, b.last_sample) for b in lut.blocks] == [
        ("IW1", 0, 8889),
        ("IW2", 8890, 17700),
        ("IW3", 17701, 26101),
    ]
    assert lut.blocks[0].lines.size == 1689
    assert lut.blocks[0].values[0] == pytest.approx(1.091791)


@pytest.mark.shared_data
def test_real_files_of_the_old_style(shared_data: Path) -> None:
    """Those of the first processors are there, but hold nothing but zeros."""
    largest = {}
    for path in shared_data.glob("grd_slices/*.zip"):
        with zipfile.ZipFile(path) as archive:
            (name,) = (n for n in archive.namelist() if "/noise-" in n and "-vv-" in n)
            lut = parse_noise(archive.read(name), origin=name)
        assert len(lut.vectors) == 27
        assert lut.blocks == ()
        largest[path.stem[-4:]] = max(float(vector.values.max()) for vector in lut.vectors)
    assert largest == {"6D00": pytest.approx(1694.175), "FEC3": 0.0, "CEAB": 0.0, "3768": 0.0}
