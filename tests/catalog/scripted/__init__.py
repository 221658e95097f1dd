"""A provider of products on this machine, with a script of what goes wrong.

::

    with serving(ScriptedResto([archive("S1A_IW_GRDH_1SDV_...")])) as server:
        server.address   # http://127.0.0.1:PORT
        server.faults.plan("S1A_IW_GRDH_1SDV_...", Fault("status", status=503), Fault("truncate"))
        server.log       # every request, to assert upon
"""

from tests.catalog.scripted.archives import ScriptedProduct, archive, safe_files, zip_of
from tests.catalog.scripted.faults import Fault, Faults
from tests.catalog.scripted.resto import ScriptedResto
from tests.catalog.scripted.server import Seen, Server, serving

__all__ = [
    "Fault",
    "Faults",
    "ScriptedProduct",
    "ScriptedResto",
    "Seen",
    "Server",
    "archive",
    "safe_files",
    "serving",
    "zip_of",
]
