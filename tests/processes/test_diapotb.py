"""Configurations of DiapOTB's chains, written from its documentation, become requests and run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kernels.chains.dinsar_pair import DinsarPairRequest
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
    (run,) = found.pairs
    assert run.folder == Path("results")
    assert run.values == EXPECTED
    assert DinsarPairRequest.from_values(run.values).last_burst == 9
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
    assert found.pairs[0].values == EXPECTED
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
    values = found.pairs[0].values
    assert (values["reference"], values["secondary"]) == ([safe], ["other.SAFE"])
    assert (values["swaths"], values["polarisation"]) == (["S4"], "VV")
    assert "Frobnicate is not known" in found.warnings
    assert any("Metadata_Correction" in line for line in found.warnings)


def series_configuration(folder: Path) -> dict[str, Any]:
    return {
        "Global": {
            "in": {
                "SRTM_Shapefile": "srtm.shp",
                "SRTM_Path": "srtm",
                "Geoid": "egm96.grd",
                "Master_Image": "s1a-iw1-slc-vv-20160111.tiff",
                "Start_Date": "20160101",
                "End_Date": "20161231",
                "Exclude": "20160304",
                "Input_Path": str(folder),
            },
            "out": {"Output_Path": "stack"},
            "parameter": {"clean": "true", "Optram": 4000, "roi": "55.5 -20.9 55.9 -21.3"},
        },
        "Pre_Processing": {"parameter": {"ML_ran": 3, "ML_azi": 3, "ML_gain": 0.2}},
    }


def test_a_series_is_a_pair_with_each_other_image(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    days = ("20151230", "20160111", "20160204", "20160304", "20160404", "20170101")
    for day in days:
        (lake / f"S1A_IW_SLC__1SSV_{day}T102208_{day}T102235_1.SAFE" / "measurement").mkdir(
            parents=True
        )
    own = lake / f"S1A_IW_SLC__1SSV_{days[1]}T102208_{days[1]}T102235_1.SAFE"
    (own / "measurement/s1a-iw1-slc-vv-20160111.tiff").touch()
    found = read_diapotb(written(tmp_path, series_configuration(lake)))
    names = [run.folder.name for run in found.pairs]
    assert names == ["20160111_m_20160204_s", "20160111_m_20160404_s"]
    for run in found.pairs:
        assert run.values["reference"] == [str(own)]
        assert run.values["dem"] == ["srtm"]
        assert run.values["region"] == "55.5,-21.3,55.9,-20.9"
        assert run.values["swaths"] == ["IW1"]


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
