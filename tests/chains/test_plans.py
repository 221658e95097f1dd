"""Plans of tiles, series and filters: what they promise is what the runs need and make."""

from __future__ import annotations

from pathlib import Path

from kernels.chains import multitemporal_filter, ortho_tiling, tiling_series
from kernels.chains.artefacts import ChainResult
from kernels.chains.dry_run import make_plan, plan_report
from kernels.chains.multitemporal_filter import MultitemporalFilterRequest
from kernels.chains.registry import Chain
from kernels.chains.request import Request
from kernels.engine.progress import Progress
from processes.declared import declared_chains
from tests.tile_lake import DAYS, TILES, TileLake


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def watched(chain: Chain, request: Request, folder: Path) -> ChainResult:
    """Run, and see that the folder never holds more than is planned."""
    largest = 0

    def look(_share: float, _step: str) -> None:
        nonlocal largest
        largest = max(largest, folder_bytes(folder))

    result = chain.run(request, folder, Progress.to(look))
    planned = make_plan(chain, request)
    assert largest <= planned.disk_bytes
    assert folder_bytes(folder) <= planned.results_bytes
    return result


def test_every_chain_with_a_plan_has_a_report() -> None:
    planned = [chain for chain in declared_chains().values() if chain.plan]
    assert {chain.name for chain in planned} == {
        "dinsar-pair",
        "insar-timeseries",
        "multislc-series",
        "multitemporal-filter",
        "s1-ortho-tiling",
        "s1-tiling-series",
    }
    for chain in planned:
        assert "report" in {output.name for output in chain.outputs}
        assert chain.inputs[-1].name == "dry_run"


def test_tiles_series_and_filter(tile_lake: TileLake, tmp_path: Path) -> None:
    request = tile_lake.request(resolution=100.0)
    chain = tiling_series.CHAIN
    told = plan_report(chain, request)
    result = watched(chain, request, tmp_path / "series")
    passes = {(entry["tile"], entry["day"]) for entry in told["passes"]}
    assert passes == {
        (series["tile"], item["day"])
        for series in result.report["series"]
        for item in series["acquisitions"]
    }
    assert {tile for tile, _ in passes} <= set(TILES)
    assert {day for _, day in passes} <= set(DAYS)

    products = tile_lake.products[:1]
    tiling = request.tiling(products=products)
    told = plan_report(ortho_tiling.CHAIN, tiling)
    made = watched(ortho_tiling.CHAIN, tiling, tmp_path / "tiles")
    assert [one["tile"] for one in told["tiles"]] == [one["tile"] for one in made.report["tiles"]]
    assert told["time"]["cpu_seconds"] is not None

    filtering = MultitemporalFilterRequest(
        series=(tmp_path / "series" / "S1-L1-ORTHO",), tile=TILES[0], method="quegan"
    )
    told = plan_report(multitemporal_filter.CHAIN, filtering)
    done = watched(multitemporal_filter.CHAIN, filtering, tmp_path / "filtered")
    assert len(told["acquisitions"]) == len(done.report["acquisitions"])
