"""The processes that users see: over WPS, and on the command line.

The only code that imports pywps. One module per process declares it over a chain of
`kernels.chains`; the inputs, the outputs and the command line are derived from the chain.
"""

from __future__ import annotations

import os

# numpy's linear algebra starts its threads when numpy is imported, and a server with threads
# must not fork; the engine's own threads, in the process that computes, are the only ones here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
