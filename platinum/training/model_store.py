"""Trained models on disk: a folder a version, and one manifest that says which is current.

    <home>/models/<domain>/<name>/<version>/model.onnx, manifest.json
    <home>/models/<domain>/<name>/manifest.json    the current version's

A version is written under another name and renamed, the current manifest is replaced in one step:
whoever reads meanwhile finds a whole model.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.storage.atomic_file import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.settings import Settings

ONNX, MANIFEST = "model.onnx", "manifest.json"
# The key `outcome` as models have it that versions up to 0.2.0 trained
FORMER_OUTCOME = "verdict"


@dataclass(frozen=True)
class Model:
    """One trained model: its manifest and its ONNX bytes."""

    manifest: dict[str, Any]
    onnx: bytes

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the feature columns in the order of the model's input."""
        return tuple(self.manifest["columns"])


@dataclass(frozen=True)
class ModelStore:
    """All versions of one model."""

    folder: Path

    @classmethod
    def of(cls, settings: Settings, domain: str, name: str) -> ModelStore:
        """Return the store of a domain's model."""
        return cls(settings.home / "models" / domain / name)

    def manifest(self) -> dict[str, Any] | None:
        """Return the current manifest, None where nothing was trained yet."""
        path = self.folder / MANIFEST
        if not path.exists():
            return None
        manifest = json.loads(path.read_text("utf-8"))
        if FORMER_OUTCOME in manifest:
            manifest["outcome"] = manifest.pop(FORMER_OUTCOME)
        return manifest

    def current(self) -> Model:
        """Return the current model; raise UsageError where there is none."""
        manifest = self.manifest()
        if manifest is None:
            raise UsageError(
                f"model '{self.folder.name}' was not trained yet: run `lakehouse train`"
            )
        path = self.folder / manifest["version"] / ONNX
        onnx = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(onnx).hexdigest() != manifest["onnx_sha256"]:
            raise LakehouseError(
                f"{path} is not the file that was trained: remove {path.parent}, train again"
            )
        return Model(manifest, onnx)

    def has(self, version: str) -> bool:
        """Return whether the version is complete and current."""
        manifest = self.manifest()
        if manifest is None or manifest["version"] != version:
            return False
        path = self.folder / version / ONNX
        onnx = path.read_bytes() if path.exists() else b""
        return hashlib.sha256(onnx).hexdigest() == manifest["onnx_sha256"]

    def write(self, manifest: dict[str, Any], onnx: bytes) -> None:
        """Write a version and make it the current one."""
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        target = self.folder / manifest["version"]
        partial = self.folder / f".{manifest['version']}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / ONNX).write_bytes(onnx)
        (partial / MANIFEST).write_text(text, "utf-8")
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
        write_text(self.folder / MANIFEST, text)
