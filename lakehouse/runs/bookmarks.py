"""The bookmark of how far a reader came: the idempotency key in the commit of the rows it wrote."""

from __future__ import annotations

# By this name a dataset's bronze table knows the last run that captured files into it.
CAPTURE = "capture"
