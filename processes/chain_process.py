"""A PyWPS process made of a chain; each declared process is a subclass of a few lines."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from pywps import ComplexOutput, LiteralInput, Process

from kernels.chains.planning import DRY_RUN, REPORT
from kernels.chains.registry import Chain
from kernels.chains.request import OptionInfo, Request
from kernels.errors import RequestError
from processes.binding import complex_output, literal_input
from processes.catalogue.supplying import default_for
from processes.earlier_results import EarlierResults
from processes.jobs.model import ANYBODY, Inputs
from processes.jobs.stacks import stacks_of
from processes.listed_products import ListedProducts
from processes.preparing import Preparation
from processes.resolve import FoldersOfServer, NamesOnServer
from processes.settings import Settings, read_settings
from processes.texts import read_texts


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
        self._listed = ListedProducts(self.settings.data_roots)
        super().__init__(
            self._not_here,
            identifier=self.chain.name,
            title=self.chain.title,
            abstract=self.chain.abstract,
            version=self.chain.version,
            inputs=[
                literal_input(info, server_default=default_for(info, self.settings) is not None)
                for info in self._inputs
            ],
            outputs=[complex_output(info) for info in self.chain.outputs],
            store_supported=True,
            status_supported=True,
        )

    @property
    def options(self) -> tuple[OptionInfo, ...]:
        """The options of the chain that users of this server may set."""
        return tuple(i for i in self.chain.request.describe() if self.settings.offers(i))

    @property
    def _inputs(self) -> tuple[OptionInfo, ...]:
        return tuple(i for i in self.chain.inputs if i is DRY_RUN or i in self.options)

    def is_dry_run(self, inputs: Inputs) -> bool:
        """Tell whether inputs ask for the plan alone; what they say else is checked elsewhere."""
        texts = [str(item.get("data")).strip() for item in inputs.get(DRY_RUN.name, ())]
        return self.chain.plan is not None and texts in (["true"], ["1"])

    @staticmethod
    def outputs_of_dry_run(raw_output: str) -> tuple[str, ...]:
        """Return the one output of a dry run; raises RequestError where another is wanted raw."""
        if raw_output and raw_output != REPORT:
            raise RequestError(DRY_RUN.name, f"false for an output other than {REPORT}", raw_output)
        return (REPORT,)

    def make_request(self, inputs: Inputs, user: str = ANYBODY) -> Request:
        """Make the chain's request of the inputs of a job.

        Parameters
        ----------
        inputs : Inputs
            Literals.
        user : str
            Who asks; results of this user's earlier jobs may be inputs.

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
        return self.prepare(inputs, user).request()

    def prepare(self, inputs: Inputs, user: str = ANYBODY) -> Preparation:
        """Read the inputs of a job, for it to bring what is missing and to run the chain.

        Parameters
        ----------
        inputs : Inputs
            Literals.
        user : str
            Who asks; results of this user's earlier jobs may be inputs.

        Returns
        -------
        Preparation
            Of the chain.

        Raises
        ------
        RequestError
            A text is none of its option's kind; the input is named.
        """
        texts = {name: [str(item["data"]) for item in items] for name, items in inputs.items()}
        folders = FoldersOfServer(self.settings.data_roots, self._listed)
        found = EarlierResults(folders=folders, settings=self.settings, user=user)
        values = read_texts(self._inputs, texts)
        values.pop(DRY_RUN.name, None)  # it is no option of the request
        return Preparation(
            chain=self.chain,
            settings=self.settings,
            values=values,
            names=NamesOnServer(folders=found, settings=self.settings),
            store=stacks_of(user, self.settings),
        )

    def _not_here(self, _request: Any, _response: Any) -> NoReturn:
        raise NotImplementedError("processes of chains are run by processes.running")
