"""Set-up: one clear line where something is missing, nothing wrong on the class path."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def scripts(monkeypatch):
    """Return the set-up's modules, which import each other from their own folder."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import importlib

    names = ("place", "jars", "java", "environment", "browser")
    for name in names:
        sys.modules.pop(name, None)
    yield {name: importlib.import_module(name) for name in names}
    for name in names:
        sys.modules.pop(name, None)


def program(folder: Path, name: str, body: str) -> Path:
    """Write an executable shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def lock_line(name: str, content: bytes) -> str:
    return f"{name} org.example 1.0 {hashlib.sha256(content).hexdigest()}\n"


def test_a_good_jar_is_kept_and_one_the_lock_does_not_name_is_removed(scripts, tmp_path):
    """With all jars in place nothing is fetched, so no Java is started."""
    (tmp_path / "a-1.0.jar").write_bytes(b"good")
    (tmp_path / "a-0.9.jar").write_bytes(b"older")
    lock = tmp_path / "jars.lock"
    lock.write_text(lock_line("a", b"good"), encoding="utf-8")
    scripts["jars"].ensure(Path("/nowhere/java"), tmp_path, lock)
    assert [jar.name for jar in tmp_path.glob("*.jar")] == ["a-1.0.jar"]


def test_a_jar_with_another_checksum_is_refused_and_removed(scripts, tmp_path):
    """What the registry serves must be what the lock says; neither old nor new file stays."""
    folder = tmp_path / "jars"
    folder.mkdir()
    (folder / "a-1.0.jar").write_bytes(b"damaged")
    lock = tmp_path / "jars.lock"
    lock.write_text(lock_line("a", b"good"), encoding="utf-8")
    serving = 'for last; do :; done; while [ "$1" != -retrieve ]; do shift; done\n'
    serving += 'place=$(dirname "$2"); mkdir -p "$place"; printf tampered > "$place/a-1.0.jar"'
    fetcher = program(tmp_path / "bin", "java", serving)
    with pytest.raises(scripts["place"].SetUpError, match="checksum"):
        scripts["jars"].ensure(fetcher, folder, lock)
    assert list(folder.rglob("*.jar")) == []


def test_a_jar_that_cannot_be_fetched_is_named(scripts, tmp_path):
    """Without a network the message names the jar and shows what the fetcher printed."""
    lock = tmp_path / "jars.lock"
    lock.write_text(lock_line("a", b"good"), encoding="utf-8")
    fetcher = program(tmp_path / "bin", "java", "echo no route to host; exit 1")
    with pytest.raises(scripts["place"].SetUpError, match=r"a-1\.0\.jar.*network(.|\n)*no route"):
        scripts["jars"].ensure(fetcher, tmp_path / "jars", lock)


def test_the_lock_names_the_jars_that_are_installed(scripts):
    """Each line of the lock is complete, and its jar is there with that checksum."""
    jars = scripts["jars"].locked()
    assert {jar.name for jar in jars} == {"delta-spark_4.2_2.13", "delta-storage"}
    for jar in jars:
        content = (ROOT / ".tools" / "jars" / jar.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == jar.sha256


@pytest.mark.parametrize(
    ("version", "release"), [("17.0.21", 17), ("1.8.0_402", 8), ("21-ea", 21), ("25", 25)]
)
def test_the_release_of_java_is_read(scripts, tmp_path, version, release):
    """Old and new forms of a version are understood."""
    java = program(tmp_path, "java", f"echo 'openjdk version \"{version}\" 2026-01-01' >&2")
    assert scripts["java"]._release(java) == release


def test_without_java_one_line_names_what_to_install(scripts, tmp_path, monkeypatch):
    """Nobody's machine is changed when we may not: the message is one line."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(scripts["place"].SetUpError, match="openjdk-17-jre-headless") as raised:
        scripts["java"].ensure()
    assert len(str(raised.value).splitlines()) == 1


def test_a_java_home_without_a_fit_java_is_named(scripts, tmp_path, monkeypatch):
    """JAVA_HOME is the user's choice: nothing else is used or installed in its place."""
    program(tmp_path / "bin", "java", "echo 'openjdk version \"11.0.2\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(scripts["place"].SetUpError, match="JAVA_HOME"):
        scripts["java"].ensure()


def test_without_a_browser_set_up_goes_on(scripts, tmp_path, monkeypatch, capsys):
    """Only tests of pages need one, so a line says what to install and the rest is set up."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(scripts["browser"], "PLACES", (str(tmp_path / "chromium"),))
    scripts["browser"].ensure()
    assert "install chromium" in capsys.readouterr().out
    program(tmp_path, "chromium", "exit 0")
    scripts["browser"].ensure()
    assert capsys.readouterr().out == ""


def test_without_a_fit_python_one_line_explains(tmp_path):
    """On a machine with neither 3.11 nor 3.12 set-up stops before it writes anything."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name))
    program(tools, "python3", "exit 1")
    done = subprocess.run(
        ["sh", "scripts/setup.sh"],
        cwd=tmp_path,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "3.11 or 3.12" in done.stderr
    assert not (tmp_path / ".tools").exists()


def test_when_all_is_there_set_up_prints_and_writes_nothing():
    """The second call is silent, needs no network and writes nothing: its cost is that of looking."""
    assert set_up().returncode == 0
    before = stamps()
    again = set_up(UV_OFFLINE="1")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert stamps() == before


def set_up(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "scripts/setup.sh"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def stamps() -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (ROOT / ".tools").iterdir()}
