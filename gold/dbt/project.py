"""dbt in this process, on the session that is already there: no profile of the user's, no network."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from contracts.compilers.dbt_yaml import TAG
from gold.dbt import dependency_graph
from gold.dbt.results import Outcome, Progress, outcome, watched
from gold.dbt.signatures import Signature, audits_of, signature
from lakehouse.errors import LakehouseError
from lakehouse.storage.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gold.dbt.invocation import BuildState
    from lakehouse.settings import Settings

SCHEMA = "gold"
AUDIT = "audited"
CODE = {".sql", ".yml", ".yaml"}


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

    def fingerprint(self) -> str:
        """Return a hash of all files that decide what the domain's tables hold, and how they are audited.

        For a question without dbt: whether anything may have changed. What has, signatures say.
        """
        root = self.settings.dbt_project
        files = [
            path
            for folder in (self.folder, root / "macros")
            for path in sorted(folder.rglob("*"))
            if path.suffix in CODE
        ]
        digest = hashlib.sha256()
        for path in (*files, root / "dbt_project.yml"):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
        return digest.hexdigest()

    def sources(self) -> list[TableName]:
        """Return the tables and views the domain's models read, read from YAML without dbt."""
        tables = set()
        for path in (*self.folder.rglob("*.yml"), *self.folder.rglob("*.yaml")):
            for source in (yaml.safe_load(path.read_text()) or {}).get("sources") or ():
                layer = source.get("schema", source["name"])
                tables.update(TableName(layer, table["name"]) for table in source["tables"])
        return sorted(tables)

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

    def signatures(self) -> dict[str, Signature]:
        """Return what each of the domain's models and its audits are made of, by unique id."""
        return {key: signature(self._parsed(), key) for key in self.models()}

    def name(self, key: str) -> TableName:
        """Return the table or view of a model, by its unique id."""
        node = self._parsed().nodes[key]
        return TableName(node.schema, node.alias)

    def dependants(self, names: Iterable[TableName]) -> list[TableName]:
        """Return the domain's stored models that read some tables, or are among them."""
        mine, changed = self.tables(), set(names)
        keys = [key for key, name in mine.items() if name in changed]
        keys += [
            key
            for key, source in self._parsed().sources.items()
            if TableName(source.schema, source.name) in changed
        ]
        return sorted(mine[key] for key in self.with_readers(keys) if key in mine)

    def views_read(self) -> set[TableName]:
        """Return the domain's views that another of its models reads."""
        read = {key for model in self.models() for key in self._parsed().parent_map[model]}
        return {
            self.name(key) for key in self.models().keys() - self.tables().keys() if key in read
        }

    def with_readers(self, keys: Iterable[str]) -> set[str]:
        """Return those of the domain's models that are among some nodes or read one of them."""
        return dependency_graph.with_readers(self._parsed(), self.models(), keys)

    def blocked(self, names: Iterable[TableName]) -> tuple[list[TableName], list[TableName]]:
        """Return the stored models that are blocked while some sources are, and all sources they read."""
        return dependency_graph.blocked(self._parsed(), self.tables(), names)

    def selection(
        self, moved: Iterable[TableName], rebuilt: Iterable[str], audited: Iterable[str]
    ) -> list[str]:
        """Return how dbt selects what reads the moved tables, some models, and the audits of others."""
        nodes = self._parsed().nodes
        return [
            *(f"{downstream(name)},path:models/{self.domain}" for name in moved),
            *(nodes[key].name for key in sorted(rebuilt)),
            *(test.name for key in sorted(audited) for test in audits_of(self._parsed(), key)),
        ]

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
        select: Iterable[str],
        *,
        state: BuildState,
        missing: Iterable[TableName] = (),
        progress: Progress | None = None,
    ) -> list[Outcome]:
        """Run models and their audits; return one outcome each.

        `select` is in dbt's own words. What depends on a table in `missing` is left out.
        """
        args = ["build", "--select", *select]
        # The gate has enforced what contracts say of sources already, row by row.
        args += ["--exclude", "resource_type:unit_test", f"tag:{TAG}", *map(downstream, missing)]
        result = self.invoke(args, state=state, manifest=self._parsed(), progress=progress)
        if result.exception is not None:
            raise LakehouseError(f"dbt could not run: {result.exception}")
        return [outcome(item) for item in result.result.results]

    def invoke(
        self,
        args: list[str],
        *,
        state: BuildState | None = None,
        manifest: Any = None,
        progress: Progress | None = None,
    ) -> Any:
        """Run one dbt command on the session of this process and return dbt's own result.

        Without a `state` every row is new.
        """
        from gold.dbt.invocation import BuildState, RunInvocation, invoked_by

        with invoked_by(RunInvocation(self.settings, state or BuildState(audited_in_full=None))):
            return self._run(args, manifest, progress)

    def _run(self, args: list[str], manifest: Any = None, progress: Progress | None = None) -> Any:
        from dbt.cli.main import dbtRunner

        profile = self.settings.dbt_project / "profiles.yml"
        if not profile.exists():
            raise LakehouseError(
                f"{profile} is missing: copy the one of the project's dbt_project/"
            )
        home = self.settings.home / "dbt"
        fixed = {
            "--project-dir": self.settings.dbt_project,
            "--profiles-dir": self.settings.dbt_project,
            "--target-path": home / "target",
            "--log-path": home / "logs",
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
        result = self._run(["parse"])
        if not result.success:
            raise LakehouseError(f"the dbt project cannot be read: {result.exception}")
        return result.result


def downstream(name: TableName) -> str:
    """Return how dbt selects a table and what reads it."""
    return f"{name.table}+" if name.layer == SCHEMA else f"source:{name.layer}.{name.table}+"
