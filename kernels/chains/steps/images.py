"""One image of a product for the steps that take one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from kernels.chains.dinsar_pair.passes import PassOfPair, open_pass
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.options import option_of
from kernels.chains.request import option
from kernels.errors import RequestError
from kernels.geometry.orbit import Orbit
from kernels.model import Burst, SlcProduct


class Opened(NamedTuple):
    """An image, its orbit, and the pass whose products it is made of."""

    image: SlcProduct
    orbit: Orbit
    source: PassOfPair

    @property
    def names(self) -> tuple[str, ...]:
        """Of the products, in order of time."""
        return self.source.names


def image_option(**changed: Any) -> Any:
    """Return the field of a product or its slices: a tuple of Path."""
    described = {
        "title": "Product or its slices (SLC, folder or zip)",
        "abstract": "Contiguous slices of one pass, in any order, are joined.",
        "role": "slc",
    }
    return option(**(described | changed))


def polarisation_option() -> Any:
    """Return the field of the polarisation: str."""
    return option_of(DinsarPairRequest, "polarisation")


def swath_option() -> Any:
    """Return the field of one swath: str or None."""
    return option(
        default=None,
        title="Swath, as IW2 or S3 (none = the first of the product)",
    )


def gain_option() -> Any:
    """Return the field of the factor of amplitudes: float."""
    return option(
        default=0.1,
        minimum=1e-6,
        maximum=1e6,
        title="Factor that amplitudes are multiplied by",
    )


def looks_option(direction: str, default: int = 3) -> Any:
    """Return the field of the looks in azimuth or range: int."""
    return option(
        default=default,
        minimum=1,
        maximum=64,
        title=f"Looks in {direction}, 1 to 64",
    )


def open_image(
    argument: str,
    paths: tuple[Path, ...],
    *,
    swath: str | None,
    polarisation: str,
    orbits: Path | None = None,
) -> Opened:
    """Open one swath of a product.

    Parameters
    ----------
    argument : str
        Of the request, for errors.
    paths : tuple of Path
        SAFE folders or zips of one pass.
    swath : str or None
        None: the first one.
    polarisation : str
        Of the image.
    orbits : Path or None
        Folder of precise orbits.

    Returns
    -------
    Opened
        Slices joined, pixels not read yet.

    Raises
    ------
    InputError
        A product that cannot be used.
    RequestError
        A swath or polarisation that it does not have.
    """
    found = open_pass(argument, paths, orbits=orbits)
    available = found.swaths(polarisation)
    if swath is not None and swath not in available:
        raise RequestError("swath", f"of {found.text}, which has {', '.join(available)}", swath)
    image = found.image(swath or available[0], polarisation)
    first, last = image.bursts[0].grid, image.bursts[-1].grid
    orbit = Orbit.fit(
        image.state_vectors,
        start=first.first_line_time,
        stop=last.first_line_time + last.shape.lines * last.line_interval,
    )
    return Opened(image, orbit, found)


def chosen_bursts(image: SlcProduct, burst: int | None) -> tuple[Burst, ...]:
    """Return one burst counted from 1, or all; raises RequestError where there is no such one."""
    if burst is None:
        return image.bursts
    if burst > len(image.bursts):
        rule = f"at most {len(image.bursts)}, the bursts of {image.swath} in {image.name}"
        raise RequestError("burst", rule, burst)
    return image.bursts[burst - 1 : burst]
