"""What a scheduler tells where a task failed: by the same ways, once, as for a breach."""

from __future__ import annotations

import logging

from contracts.parsing.load import load_domain
from lakehouse.alerts import router
from lakehouse.settings import settings

log = logging.getLogger("lakehouse.alerts")


def tell_failure(domain: str, layer: str, what: str) -> None:
    """Tell a domain's owners that a task failed for good; a breach was told by the run itself."""
    try:
        chosen = settings()
        router.failed(chosen, domain, load_domain(chosen.contracts, domain), layer, what)
    except Exception:
        log.exception("%s: nobody could be told that %s failed", domain, layer)


def tell_success(domain: str, layer: str) -> None:
    """Tell that what failed works again, if owners were told of it."""
    try:
        chosen = settings()
        contracts = load_domain(chosen.contracts, domain)
        router.tell(chosen, domain, contracts, [], looked_at=[layer])
    except Exception:
        log.exception("%s: nobody could be told that %s works again", domain, layer)
