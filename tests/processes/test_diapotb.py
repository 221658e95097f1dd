"""Configurations of DiapOTB's chains, written from its documentation, become requests and run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.errors import RequestError
from processes.command_line import main
from processes.diapotb import read_diapotb
from tests.series import Series

MASTER = (
    "lake/S1A_IW_SLC__1SDV_20200111T102208_20200111T102235_030752_0386DA_1C2D.SAFE/measurement/"
    "s1a-iw3-slc-vh-20200111t102208-20200111t102233-030752-0386da-003.tiff"
)
SLAVE = MASTER.replace("20200111", "20200117").replace("20200111t", "20200117t")


def written(folder: Path, content: object) -> Path:
    path = folder / "conf.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def iw_configuration() -> dict[str, Any]:
    return {
        "Global": {
            "in": {
                "Master_Image_Path": MASTER,
                "Slave_Image_Path": SLAVE,
                "DEM_Path": "dem/S21E055.hgt",
                "EOF_Path": "orbits",
            },
            "out": {"output_dir": "results"},
            "parameter": {"burst_index": "0-8", "clean": "true", "optram": 4000},
        },
        "Pre_Processing": {
            "out": {"doppler_file": "dop0.txt"},
            "parameter": {"ML_range": 8, "ML_azimut": 2, "ML_gain": 0.1},
        },
        "Ground": {},
        "DIn_SAR": {
            "parameter": {
                "GridStep_range": 160,
                "GridStep_azimut": 160,
                "Grid_Threshold": 0.3,
                "Grid_Gap": 1000,
                "Interferogram_gain": 0.1,
                "ESD_iter": "auto",
            }
        },
        "Post_Processing": {
            "parameter": {
                "Activate_Ortho": "yes",
                "Spacingxy": 0.0001,
                "Activate_Filtering": "yes",
                "Filtered_parameter_alpha": 0.7,
            }
        },
    }


EXPECTED = {
    "reference": [MASTER.partition("/measurement")[0]],
    "secondary": [SLAVE.partition("/measurement")[0]],
    "swaths": ["IW3"],
    "polarisation": "VH",
    "dem": ["dem/S21E055.hgt"],
    "orbits": "orbits",
    "first_burst": 1,
    "last_burst": 9,
    "memory_mb": 4000,
    "range_looks": 8,
    "azimuth_looks": 2,
    "esd": "auto",
    "ortho": "geographic",
    "spacing": 0.0001,
    "phase_filter": "goldstein",
    "filter_strength": 0.7,
}


def test_a_configuration_of_diapotb_s1iw_is_a_request(tmp_path: Path) -> None:
    found = read_diapotb(written(tmp_path, iw_configuration()))
    assert (found.chain, found.folder) == ("dinsar-pair", Path("results"))
    assert found.values == EXPECTED
    assert DinsarPairRequest.from_values(found.values).last_burst == 9
    assert any("Grid_Gap has no effect" in line for line in found.warnings)
    assert not any("Filter" in line for line in found.warnings)


def test_the_other_spelling_says_the_same(tmp_path: Path) -> None:
    text = json.dumps(iw_configuration())
    for one, other in (
        ("Master_Image_Path", "Reference_Image_Path"),
        ("Slave_Image_Path", "Secondary_Image_Path"),
        ("ML_range", "ML_ran"),
        ("ML_azimut", "ML_azi"),
        ("GridStep_range", "GridStep_ran"),
        ('"parameter"', '"parameters"'),
        ("ESD_iter", "esd_iter"),
    ):
        assert one in text
        text = text.replace(one, other)
    found = read_diapotb(written(tmp_path, json.loads(text)))
    assert found.values == EXPECTED
    assert not any("not known" in line for line in found.warnings)


def test_flat_sections_as_on_its_pages_do_too(tmp_path: Path) -> None:
    """StripMap: no bursts, no groups within sections."""
    name = "s1a-s4-slc-vv-20160818t014650-20160818t014715-012648-013db1-002.tiff"
    safe = "S1A_S4_SLC__1SSV_20160818T014650_20160818T014715_012648_013DB1_0001.SAFE"
    content = {
        "Global": {
            "Master_Image_Path": f"{safe}/measurement/{name}",
            "Slave_Image_Path": "other.SAFE",
            "DEM_Path": "dem.hgt",
            "output_dir": "out",
        },
        "Pre_Processing": {"ML_range": 3, "ML_azimut": 3, "ML_gain": 0.1},
        "Metadata_Correction": {"activate": True, "GridStep_range": 150},
        "DIn_SAR": {"Interferogram_ortho": False, "Frobnicate": 1},
    }
    found = read_diapotb(written(tmp_path, content))
    values = found.values
    assert (values["reference"], values["secondary"]) == ([safe], ["other.SAFE"])
    assert (values["swaths"], values["polarisation"]) == (["S4"], "VV")
    assert "Frobnicate is not known" in found.warnings
    assert any("Metadata_Correction" in line for line in found.warnings)


MEASUREMENT = "s1a-s6-slc-vv-20160605t013621-20160605t013646-011570-011a63-001.tiff"


def series_configuration() -> dict[str, Any]:
    return {
        "Global": {
            "in": {
                "SRTM_Shapefile": "srtm.shp",
                "SRTM_Path": "srtm",
                "Geoid": "egm96.grd",
                "Master_Image": MEASUREMENT,
                "Start_Date": "20160601",
                "End_Date": "20160930",
                "Exclude": "20160617--20160629",
                "Input_Path": "lake",
            },
            "out": {"Output_Path": "stack"},
            "parameter": {
                "clean": "true",
                "Optram": 4000,
                "roi": "55.5 -20.9 55.9 -21.3",
                "Light_version": "no",
            },
        },
        "Pre_Processing": {"parameter": {"ML_ran": 3, "ML_azi": 3, "ML_gain": 0.2}},
        "DIn_SAR": {
            "parameter": {
                "Activate_Interferogram": "yes",
                "Interferogram_gain": 0.1,
                "Grid_Threshold": 0.3,
                "Grid_Gap": 1000,
                "GridStep_range": 160,
                "roi": "55.5 -20.9 55.9 -21.3",
            }
        },
        "Post_Processing": {"parameter": {"Activate_Ortho": "yes", "Spacingxy": 0.0001}},
    }


def test_a_configuration_of_sar_multislc_is_one_series(tmp_path: Path) -> None:
    found = read_diapotb(written(tmp_path, series_configuration()))
    assert (found.chain, found.folder) == ("multislc-series", Path("stack"))
    assert found.values == {
        "products": ["lake"],
        "reference": MEASUREMENT,
        "swaths": ["S6"],
        "polarisation": "VV",
        "first_day": "20160601",
        "last_day": "20160930",
        "excluded_days": ["20160617", "20160629"],
        "dem": ["srtm"],
        "region": "55.5,-21.3,55.9,-20.9",
        "azimuth_looks": 3,
        "range_looks": 3,
        "correlation_threshold": 0.3,
        "correlation_gap": 8.0,
        "gain": 0.1,
        "interferograms": True,
        "light": False,
        "ortho": "geographic",
        "spacing": 0.0001,
        "memory_mb": 4000,
    }
    request = MultislcSeriesRequest.from_values(found.values)
    assert (request.azimuth_looks, request.gain, request.light) == (3, 0.1, False)
    assert sorted(line.split(" ")[0] for line in found.warnings) == [
        "Geoid",
        "GridStep_range",
        "ML_gain",
        "SRTM_Shapefile",
        "clean",
    ]


def test_a_series_without_days_maps_interferograms_or_images(tmp_path: Path) -> None:
    """As of SAR_MultiSlc_IW: bursts, spectral diversity, nothing but coregistered images."""
    content = series_configuration()
    content["Global"]["in"] |= {
        "Master_Image": "S1A_IW_SLC__1SDV_20160605T013621_20160605T013648_011570_011A63_0001.SAFE",
        "Start_Date": "-9999",
        "End_Date": "",
        "Exclude": "-9999",
        "EOF_Path": "orbits",
    }
    content["Global"]["parameter"] |= {"burst_index": "2-5", "Polarisation": "vh"}
    content["DIn_SAR"]["parameter"] |= {"ESD_iter": 2, "Activate_Interferogram": "no"}
    content["Post_Processing"]["parameter"]["Activate_Ortho"] = "no"
    values = read_diapotb(written(tmp_path, content)).values
    request = MultislcSeriesRequest.from_values(values)
    assert (request.days[0].year, request.days[1].year) == (1991, 2100)
    assert (request.first_burst, request.last_burst) == (3, 6)
    assert (request.excluded_days, request.swaths, request.polarisation) == ((), (), "VH")
    assert (request.esd, request.interferograms, request.ortho) == ("auto", False, "none")
    assert request.orbits == Path("orbits")


@pytest.mark.parametrize(
    ("section", "key", "value", "line"),
    [
        ("Global", "burst_index", "0,3", "burst_index must be one burst or a range"),
        ("DIn_SAR", "ESD_iter", "many", "esd_iter must be auto or 0 to 5"),
        ("DIn_SAR", "Activate_Interferogram", "no", "activate_interferogram must be yes: sar-"),
        ("Pre_Processing", "ML_range", "eight", "ml_ran must be a whole number"),
        ("Post_Processing", "Activate_Ortho", "perhaps", "activate_ortho must be yes or no"),
        ("Global", "Master_Image_Path", "", "Master_Image_Path must be given"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    tmp_path: Path, section: str, key: str, value: str, line: str
) -> None:
    content = iw_configuration()
    group = "in" if key.endswith("_Path") else "parameter"
    content[section][group][key] = value
    with pytest.raises(RequestError, match=f"diapotb: {line}"):
        read_diapotb(written(tmp_path, content))


@pytest.mark.parametrize("content", ["{", "[]", '{"Global": {}}'])
def test_what_is_no_configuration_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "conf.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RequestError, match="diapotb"):
        read_diapotb(path)


def test_a_configuration_runs_on_the_command_line(
    tops_series: Series, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = iw_configuration()
    (master,) = (tops_series.reference / "measurement").glob("*-iw1-*.tiff")
    (slave,) = (tops_series.still / "measurement").glob("*-iw1-*.tiff")
    content["Global"]["in"] = {
        "Master_Image_Path": str(master),
        "Slave_Image_Path": str(slave),
        "DEM_Path": str(tops_series.dem),
    }
    content["Global"]["out"] = {"output_dir": str(tmp_path / "out")}
    content["Global"]["parameter"]["burst_index"] = "0-1"
    arguments = ["run", "dinsar-pair", "--diapotb", str(written(tmp_path, content))]
    assert main([*arguments, "--dem-heights", "ellipsoid"]) == 0
    captured = capsys.readouterr()
    assert "warning: Interferogram_gain has no effect" in captured.err
    report = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert report["swaths"][0]["looks"] == {"azimuth": 2, "range": 8}
    assert report["request"]["esd"] == "auto"
    assert (tmp_path / "out/filtered.tif").is_file()


def test_a_series_is_not_run_as_a_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, series_configuration())
    assert main(["run", "dinsar-pair", "--diapotb", str(path)]) == 2
    line = "a configuration for dinsar-pair; run multislc-series with this one, got conf.json"
    assert line in capsys.readouterr().err


@pytest.mark.parametrize("corners", ["55.6,-20.9,55.8,-21.1", "55.6 -20.9 55.8 -21.1"])
def test_a_region_may_be_given_by_its_corners(
    tops_series: Series, corners: str, capsys: pytest.CaptureFixture[str]
) -> None:
    images = ["--reference", str(tops_series.reference), "--secondary", str(tops_series.still)]
    arguments = ["run", "dinsar-pair", *images, "--dem", str(tops_series.dem), "--dry-run"]
    arguments += ["--dem-heights", "ellipsoid"]
    assert main([*arguments, "--roi", corners]) == 0
    by_corners = capsys.readouterr().out
    assert main([*arguments, "--region", "55.6,-21.1,55.8,-20.9"]) == 0
    assert capsys.readouterr().out == by_corners
    assert main([*arguments, "--roi", corners, "--region", "55.6,-21.1,55.8,-20.9"]) == 2
    assert main([*arguments, "--roi", "55.6,-21.1,55.8,-20.9"]) == 2
    errors = capsys.readouterr().err
    assert "roi must be left out where region is given" in errors
    assert "roi must be ulx uly lrx lry in degrees, uly above lry" in errors
