"""What can go wrong in reading a zip."""

from __future__ import annotations

import zipfile
import zlib

ZIP_ERRORS = (OSError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""Raised for a missing, cut off, corrupt or encrypted (RuntimeError) zip or member."""
