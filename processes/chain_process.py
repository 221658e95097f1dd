"""A PyWPS process made of a chain; each declared process is a subclass of a few lines."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from pywps import ComplexOutput, LiteralInput, Process

from kernels.chains.registry import Chain
from kernels.chains.request import OptionInfo, Request
from kernels.engine.progress import Progress
from processes.binding import complex_output, literal_input
from processes.jobs.model import Inputs
from processes.resolve import FoldersOfServer, NamesOnServer, Resolver, resolve_values
from processes.settings import Settings, read_settings
from processes.texts import read_texts

_SHARE_OF_FETCHING = 0.3
"""Of a job whose products are not here."""


class ChainProcess(Process):
    """Offers its chain to WPS clients.

    Subclasses set `chain`; PyWPS makes them without arguments.

    Parameters
    ----------
    settings : Settings, optional
        Of the server; as the configuration files have them by default.
    """

    chain: ClassVar[Chain]
    is_long: ClassVar[bool] = True
    is_repeatable: ClassVar[bool] = True
    """Whether equal requests on unchanged files have equal results."""
    inputs: list[LiteralInput]
    outputs: list[ComplexOutput]

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or read_settings()
        super().__init__(
            self._not_here,
            identifier=self.chain.name,
            title=self.chain.title,
            abstract=self.chain.abstract,
            version=self.chain.version,
            inputs=[
                literal_input(info, server_default=self.settings.default_for(info) is not None)
                for info in self.options
            ],
            outputs=[complex_output(info) for info in self.chain.outputs],
            store_supported=True,
            status_supported=True,
        )

    @property
    def options(self) -> tuple[OptionInfo, ...]:
        """The options of the chain that users of this server may set."""
        return tuple(i for i in self.chain.request.describe() if self.settings.offers(i))

    def make_request(self, inputs: Inputs) -> Request:
        """Make the chain's request of the inputs of a job.

        Parameters
        ----------
        inputs : Inputs
            Literals.

        Returns
        -------
        Request
            Checked; names have become paths below the operator's folders. Products that are
            not here but may be fetched have the paths that they will have.

        Raises
        ------
        RequestError
            A value breaks a rule; the input is named.
        """
        return self._request(inputs, self._names())

    def fetch_request(self, inputs: Inputs, progress: Progress) -> tuple[Request, Progress]:
        """Make the chain's request in a job, after fetching the products that are not here.

        Parameters
        ----------
        inputs : Inputs
            Literals.
        progress : Progress
            Of the job.

        Returns
        -------
        tuple of (Request, Progress)
            All of its paths exist; and what is left of the progress for the chain.

        Raises
        ------
        RequestError
            A value breaks a rule; the input is named.
        InputError
            A product is in no catalogue, or could not be fetched.
        Cancelled
            The job is to stop.
        """
        names = self._names()
        request = self._request(inputs, names)
        if not names.missing:
            return request, progress
        names.fetch(progress.part(0.0, _SHARE_OF_FETCHING))
        return self._request(inputs, names), progress.part(_SHARE_OF_FETCHING, 1.0)

    def _names(self) -> NamesOnServer:
        folders = FoldersOfServer(self.settings.data_roots)
        return NamesOnServer(folders=folders, settings=self.settings)

    def _request(self, inputs: Inputs, resolver: Resolver) -> Request:
        texts = {name: [str(item["data"]) for item in items] for name, items in inputs.items()}
        values = read_texts(self.options, texts)
        found = resolve_values(self.options, values, resolver)
        for info in self.chain.request.describe():
            if info.name not in found:
                found[info.name] = self.settings.default_for(info)
        return self.chain.request.from_values(found)

    def _not_here(self, _request: Any, _response: Any) -> NoReturn:
        raise NotImplementedError("processes of chains are run by processes.running")
