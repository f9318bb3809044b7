"""Great Expectations: runs a table's suite on its changed rows, and builds the Data Docs.

Nothing leaves the machine: usage statistics are off before the package is loaded. Suites and the
last result of each table lie below `<home>/expectations`, their pages below `<home>/data_docs`.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING, Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from contracts.compilers.expectation_suite import Suite

# Values that a result keeps of what it did not expect
SHOWN = 5


@dataclass(frozen=True)
class Unexpected:
    """One expectation that failed: which, how many values, and some of them."""

    rule: str
    type: str
    columns: tuple[str, ...]
    count: int | None
    values: tuple[Any, ...]
    severity: str


class Expectations:
    """The suites of one home.

    Results hold values of columns that are not in `personal` only: pages are for everybody.
    """

    def __init__(self, home: Path, personal: Collection[str] = ()) -> None:
        self.store, self.pages = home / "expectations", home / "data_docs"
        self.personal = frozenset(personal)
        self._results: list[Any] = []

    @staticmethod
    def import_ahead() -> Thread:
        """Load the package, which takes seconds, while something else is waited for."""
        thread = Thread(target=_import, daemon=True)
        thread.start()
        return thread

    def validate(self, table: str, suite: Suite, rows: Any) -> list[Unexpected]:
        """Run a table's suite on rows, an Arrow table or a Spark frame; return what failed."""
        import great_expectations as gx
        from great_expectations.core.expectation_suite import ExpectationSuite

        in_memory = not hasattr(rows, "sparkSession")
        listed = [
            {
                "type": expectation.type,
                "kwargs": expectation.arguments,
                "severity": "critical" if expectation.severity == "error" else "warning",
                "meta": {"rule": expectation.rule, "severity": expectation.severity},
            }
            for expectation in suite.expectations
        ]
        context = self._context
        made = ExpectationSuite(table, expectations=listed, meta={"left_out": list(suite.left_out)})
        asset = self._source(in_memory=in_memory).add_dataframe_asset(table)
        definition = gx.ValidationDefinition(
            # The stored one names its source, which this process may not have: one per source.
            name=f"{table} in {'memory' if in_memory else 'Spark'}",
            data=asset.add_batch_definition_whole_dataframe("changed rows"),
            suite=context.suites.add_or_update(made),
        )
        definition = context.validation_definitions.add_or_update(definition)
        result = definition.run(
            batch_parameters={"dataframe": rows.to_pandas() if in_memory else rows},
            result_format={
                "result_format": "BASIC",
                "partial_unexpected_count": 0 if self.personal & {*suite.columns} else SHOWN,
            },
        )
        self._results.append(result)
        return [self._unexpected(part) for part in result.results if not part.success]

    def publish_pages(self) -> None:
        """Build the pages of what was validated, and drop the results that they replace."""
        if not self._results:
            return
        from great_expectations.data_context.types.resource_identifiers import (
            ExpectationSuiteIdentifier,
            ValidationResultIdentifier,
        )

        suites = [ExpectationSuiteIdentifier(name=r.suite_name) for r in self._results]
        results = [
            key
            for key in self._context.validation_results_store.list_keys()
            if isinstance(key, ValidationResultIdentifier)
        ]
        newest: dict[str, Any] = {}
        for key in sorted(results, key=lambda key: key.run_id.run_time):
            older = newest.get(key.expectation_suite_identifier.name)
            if older is not None:
                self._forget(older)
            newest[key.expectation_suite_identifier.name] = key
        built = [newest[suite.name] for suite in suites if suite.name in newest]
        self._context.build_data_docs(resource_identifiers=[*suites, *built])

    def _forget(self, key: Any) -> None:
        name = key.expectation_suite_identifier.name
        stamp = key.run_id.run_time.strftime("%Y%m%dT%H%M%S.%fZ")
        for root in (self.store / "uncommitted", self.pages):
            for folder in (root / "validations" / name).glob(f"*/{stamp}"):
                shutil.rmtree(folder, ignore_errors=True)

    def _unexpected(self, result: Any) -> Unexpected:
        config, observed = result.expectation_config, result.result
        arguments = config.kwargs
        columns = tuple(arguments.get("column_list") or [arguments["column"]])
        values = (
            () if self.personal & {*columns} else tuple(observed.get("partial_unexpected_list", ()))
        )
        raised = (result.exception_info or {}).get("exception_message")
        count = observed.get("unexpected_count")
        return Unexpected(
            rule=config.meta["rule"] + (f" ({raised})" if raised else ""),
            type=config.type,
            columns=columns,
            count=None if count is None else int(count),
            values=values,
            severity=config.meta["severity"],
        )

    def _source(self, *, in_memory: bool) -> Any:
        sources = self._context.data_sources
        if in_memory:
            return sources.add_or_update_pandas("rows")
        # Kept rows would be read again by the next audit of a table, whatever it holds by then.
        return sources.add_or_update_spark("tables", persist=False)

    @cached_property
    def _context(self) -> Any:
        """Return the context: stores on disk, one site, nothing asked of the network."""
        gx = _import()
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            FilesystemStoreBackendDefaults,
            ProgressBarsConfig,
        )

        self.store.mkdir(parents=True, exist_ok=True)
        site = {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(self.pages),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        }
        config = DataContextConfig(
            store_backend_defaults=FilesystemStoreBackendDefaults(root_directory=str(self.store)),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        )
        config.data_docs_sites = {"lakehouse": site}
        return gx.get_context(mode="ephemeral", project_config=config)


def _import() -> Any:
    import great_expectations

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return great_expectations
