"""The verb of feature sets: list them, pull one as it was known at each entity's instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.parsing.domains import domains

if TYPE_CHECKING:
    from lakehouse.settings import Settings


def feature_sets(settings: Settings, domain: str = "") -> dict[str, list[dict[str, Any]]]:
    """Return the feature sets of one domain or of all, by domain."""
    from gold.features import feature_sets

    chosen = [domain] if domain else domains(settings.contracts)
    return {name: feature_sets(settings, name) for name in chosen}


def owner_of(settings: Settings, names: str, domain: str = "") -> tuple[str, str]:
    """Return the domain of feature sets, and their names without it; `names` may join several.

    Raises:
        UsageError: a name is none, two domains have it, or the names are of two domains.
    """
    from lakehouse.errors import UsageError

    known = {
        (owner, found["name"])
        for owner, sets in feature_sets(settings, domain).items()
        for found in sets
    }
    owners, plain_names = set(), []
    for name in (part.strip() for part in names.split(",")):
        matching = [pair for pair in known if name in (pair[1], f"{pair[0]}.{pair[1]}")]
        if not matching:
            listed = ", ".join(sorted(f"{owner}.{own}" for owner, own in known)) or "none"
            raise UsageError(f"no feature set '{name}'; there is: {listed}")
        owners |= {owner for owner, _ in matching}
        plain_names.append(matching[0][1])
    if len(owners) > 1:
        raise UsageError(
            f"'{names}' is of several domains ({', '.join(sorted(owners))}): add --domain"
        )
    return owners.pop(), ",".join(plain_names)
