"""dbt in this process, on the session that is already there: no profile of the user's, no network."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from contracts.compilers.dbt_yaml import TAG
from gold.dbt.dependency_graph import held_back
from gold.dbt.results import Outcome, Progress, outcome, watched
from lakehouse.engine.gateway import is_local
from lakehouse.errors import LakehouseError
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lakehouse.settings import Settings

PROFILE = "lakehouse"
SCHEMA = "gold"
THREADS = 3
AUDIT = "audited"


@dataclass
class Project:
    """The dbt project as one domain uses it."""

    settings: Settings
    domain: str
    _manifest: Any = field(default=None, repr=False)
    _parsing: Future[Any] | None = field(default=None, repr=False)

    @property
    def folder(self) -> Path:
        """Return the folder with the domain's models, whether it exists or not."""
        return self.settings.dbt_project / "models" / self.domain

    @property
    def exists(self) -> bool:
        """Return whether the domain has models: gold is optional."""
        return any(self.folder.rglob("*.sql"))

    def code(self) -> str:
        """Return a hash of all SQL that decides what the domain's tables hold."""
        digest = hashlib.sha256()
        for root in (self.folder, self.settings.dbt_project / "macros"):
            for path in sorted(root.rglob("*.sql")):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(path.read_bytes() + b"\0")
        return digest.hexdigest()

    def sources(self) -> list[TableName]:
        """Return the tables and views the domain's models read, read from YAML without dbt."""
        found = set()
        for path in (*self.folder.rglob("*.yml"), *self.folder.rglob("*.yaml")):
            for source in (yaml.safe_load(path.read_text()) or {}).get("sources") or ():
                layer = source.get("schema", source["name"])
                found.update(TableName(layer, table["name"]) for table in source["tables"])
        return sorted(found)

    def models(self) -> dict[str, Any]:
        """Return the domain's models as dbt understands them, by their unique id."""
        return {
            key: node
            for key, node in self._parsed().nodes.items()
            if node.resource_type == "model" and node.fqn[1] == self.domain
        }

    def tables(self) -> dict[str, TableName]:
        """Return the domain's models that are stored, by unique id."""
        return {
            key: TableName(node.schema, node.alias)
            for key, node in self.models().items()
            if node.config.materialized != "view"
        }

    def dependants(self, names: Iterable[TableName]) -> list[TableName]:
        """Return the domain's stored models that read some tables, or are among them."""
        mine, parents = self.tables(), self._parsed().parent_map
        known = {
            key: TableName(source.schema, source.name)
            for key, source in self._parsed().sources.items()
        } | mine
        found = set(names)

        @cache
        def reads(key: str) -> bool:
            return known.get(key) in found or any(reads(each) for each in parents.get(key, ()))

        return sorted(name for key, name in mine.items() if reads(key))

    def held_back(self, names: Iterable[TableName]) -> tuple[list[TableName], list[TableName]]:
        """Return the stored models that wait while some sources do, and all sources they read."""
        return held_back(self._parsed(), self.tables(), names)

    def audits(self) -> dict[str, dict[str, Any]]:
        """Return the arguments of each model's audit, by the model's unique id."""
        return {
            node.attached_node: dict(node.test_metadata.kwargs)
            for node in self._parsed().nodes.values()
            if node.resource_type == "test"
            and node.attached_node
            and node.test_metadata
            and node.test_metadata.name == AUDIT
        }

    def parse_ahead(self) -> None:
        """Parse in the background, which takes seconds, while something else is waited for."""
        if self._parsing is None and self._manifest is None:
            pool = ThreadPoolExecutor(1, thread_name_prefix="dbt-parse")
            self._parsing = pool.submit(self._parse)
            pool.shutdown(wait=False)

    def build(
        self,
        *,
        full_refresh: bool,
        since: int,
        settled: Iterable[TableName] = (),
        changed: Iterable[TableName] | None,
        missing: Iterable[TableName],
        progress: Progress | None = None,
    ) -> list[Outcome]:
        """Run models and their tests; return one outcome each.

        `since` is the batch up to which rows were audited before, and up to which the `settled`
        tables were brought. Of the models only those run that depend on a source in `changed`, or
        are in it, where that is given, and none in `missing`.
        """
        mine = f"path:models/{self.domain}"
        chosen = [mine] if changed is None else [f"{_downstream(n)},{mine}" for n in changed]
        args = ["build", "--select", *chosen]
        # The gate has held what contracts say of sources already, row by row.
        args += ["--exclude", "resource_type:unit_test", f"tag:{TAG}", *map(_downstream, missing)]
        args += ["--full-refresh"] if full_refresh else []
        told = {
            "LAKEHOUSE_GOLD_SINCE": str(since),
            "LAKEHOUSE_GOLD_SETTLED": ",".join(name.table for name in settled),
        }
        with _environment(told):
            result = self.invoke(args, manifest=self._parsed(), progress=progress)
        if result.exception is not None:
            raise LakehouseError(f"dbt could not run: {result.exception}")
        return [outcome(item) for item in result.result.results]

    def invoke(
        self,
        args: list[str],
        *,
        manifest: Any = None,
        progress: Progress | None = None,
    ) -> Any:
        """Run one dbt command and return dbt's own result."""
        from dbt.cli.main import dbtRunner

        from gold.dbt.adapter import install

        home = self.settings.home / "dbt"
        home.mkdir(parents=True, exist_ok=True)
        self._write_profile(home)
        install()
        fixed = {
            "--project-dir": self.settings.dbt_project,
            "--profiles-dir": home,
            "--target-path": home / "target",
            "--log-path": home / "logs",
            "--vars": f"{{warehouse: {self.settings.warehouse}}}",
            "--log-level": "none",
            "--log-level-file": "info",
        }
        words = [word for key, value in fixed.items() for word in (key, str(value))]
        words += ["--no-version-check", "--no-send-anonymous-usage-stats", "--no-print"]
        callbacks = [watched(progress)] if progress else []
        runner = dbtRunner(manifest=manifest, callbacks=callbacks)
        return runner.invoke([args[0], *words, *args[1:]])

    def _parsed(self) -> Any:
        if self._manifest is None:
            self.parse_ahead()
            assert self._parsing is not None
            self._manifest = self._parsing.result()
        return self._manifest

    def _parse(self) -> Any:
        result = self.invoke(["parse"])
        if not result.success:
            raise LakehouseError(f"the dbt project cannot be read: {result.exception}")
        return result.result

    def _write_profile(self, home: Path) -> None:
        from gold.dbt.adapter import NAME

        target = {
            "type": NAME if is_local(self.settings) else "spark",
            "method": "session",
            "host": "localhost",
            "schema": SCHEMA,
            "threads": THREADS,
        }
        text = yaml.safe_dump({PROFILE: {"target": "session", "outputs": {"session": target}}})
        path = home / "profiles.yml"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def _downstream(name: TableName) -> str:
    return f"{name.table}+" if name.layer == SCHEMA else f"source:{name.layer}.{name.table}+"


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
