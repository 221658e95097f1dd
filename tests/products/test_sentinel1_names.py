"""Names of products and of their annotation files."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import ProductError
from kernels.products.sentinel1_names import Image, image_of_annotation, parse_product_name

INSTANTS = st.datetimes(min_value=datetime(2014, 4, 3), max_value=datetime(2060, 1, 1)).map(
    lambda instant: instant.replace(microsecond=0)
)


@given(
    platform=st.sampled_from(["S1A", "S1B", "S1C", "S1D"]),
    beam=st.sampled_from(["IW", "EW", "WV", "S1", "S2", "S3", "S4", "S5", "S6"]),
    kind=st.sampled_from(["RAW_", "SLC_", "GRDH", "GRDM", "GRDF", "OCN_"]),
    polarisation=st.sampled_from(["SH", "SV", "DH", "DV"]),
    start=INSTANTS,
    stop=INSTANTS,
    orbit=st.integers(0, 999_999),
    unique=st.integers(0, 0xFFFF),
    ending=st.sampled_from(["", ".SAFE", ".zip", ".SAFE.zip"]),
)
def test_every_name_of_the_convention_is_read(
    *,
    platform: str,
    beam: str,
    kind: str,
    polarisation: str,
    start: datetime,
    stop: datetime,
    orbit: int,
    unique: int,
    ending: str,
) -> None:
    name = (
        f"{platform}_{beam}_{kind}_1S{polarisation}_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}"
        f"_{orbit:06d}_02CC09_{unique:04X}"
    )
    parsed = parse_product_name(name + ending)
    assert parsed.text == name
    assert (parsed.platform, parsed.product_type) == (platform, kind[:3])
    assert parsed.mode == ("SM" if beam in {"S1", "S2", "S3", "S4", "S5", "S6"} else beam)
    assert (parsed.start, parsed.stop, parsed.absolute_orbit) == (start, stop, orbit)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "product",
        "S1E_IW_SLC__1SDV_20190101T171515_20190101T171542_025287_02CC09_0A0B",
        "S1A_IW_SLC_1SDV_20190101T171515_20190101T171542_025287_02CC09_0A0B",
        "S1A_IW_SLC__1SDV_20190132T171515_20190101T171542_025287_02CC09_0A0B",
        "S1A_IW_SLC__1SDV_20190101T171515_20190101T171542_025287_02CC09_0A0B (1)",
        "S2A_MSIL1C_20190101T103431_N0207_R108_T31TCJ_20190101T122359",
    ],
)
def test_other_names_are_refused_with_an_example(name: str) -> None:
    with pytest.raises(
        ProductError, match="must follow the Sentinel-1 naming convention, as in S1A"
    ):
        parse_product_name(name)


@given(st.text(max_size=80))
def test_no_other_text_is_taken_for_a_name(text: str) -> None:
    with pytest.raises(ProductError):
        parse_product_name(text)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("s1a-iw2-slc-vv-20190101t171516-20190101t171542-025287-02cc09-005.xml", ("IW2", "VV")),
        ("s1a-s6-slc-hh-20150619t195043-20150619t195101-006447-00887d-001.xml", ("S6", "HH")),
        ("s1c-iw-grd-vh-20210401t052623-20210401t052648-026269-032297-002.xml", ("IW", "VH")),
        ("rfi-s1a-iw2-slc-vv-20190101t171516-20190101t171542-025287-02cc09-005.xml", None),
        ("s1a-iw2-slc-vv-20190101t171516-20190101t171542-025287-02cc09-005.tiff", None),
    ],
)
def test_annotation_names_tell_swath_and_polarisation(
    name: str, image: tuple[str, str] | None
) -> None:
    assert image_of_annotation(name) == (None if image is None else Image(*image))
