"""Feature sets by domain and by name."""

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
        UsageError: there is no such feature set, two domains have it, or the names are of two domains.
    """
    from lakehouse.errors import UsageError

    owned = {
        (owner, feature_set["name"])
        for owner, sets in feature_sets(settings, domain).items()
        for feature_set in sets
    }
    owners, plain_names = set(), []
    for name in (part.strip() for part in names.split(",")):
        matching = [pair for pair in owned if name in (pair[1], f"{pair[0]}.{pair[1]}")]
        if not matching:
            listed = ", ".join(sorted(f"{owner}.{own}" for owner, own in owned)) or "none"
            raise UsageError(f"no feature set '{name}'; there is: {listed}")
        owners |= {owner for owner, _ in matching}
        plain_names.append(matching[0][1])
    if len(owners) > 1:
        raise UsageError(
            f"'{names}' is of several domains ({', '.join(sorted(owners))}): add --domain"
        )
    return owners.pop(), ",".join(plain_names)
