"""The JVM is started as Spark would start it, prints nothing, and its absence is explained."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from lakehouse.engine import gateway
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings, settings


def test_the_jdk_is_opened_as_sparks_own_launcher_opens_it():
    """A new Spark that needs another module opened fails here, not in a query."""
    spark_home = Path(find_spec("pyspark").origin).parent
    printed = subprocess.run(
        [spark_home / "bin" / "spark-submit", "--version"],
        env={**os.environ, "SPARK_PRINT_LAUNCH_COMMAND": "1", "SPARK_HOME": str(spark_home)},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    theirs = set(re.findall(r"--add-opens=(\S+)=ALL-UNNAMED", printed))
    ours = {option[len("--add-opens=") : -len("=ALL-UNNAMED")] for option in options("--add-opens")}
    assert theirs == ours


def options(prefix: str) -> list[str]:
    return [option for option in gateway.jvm_options(settings()) if option.startswith(prefix)]


def test_without_java_the_error_names_the_remedy(monkeypatch, tmp_path):
    """An empty JAVA_HOME is an error that names it, whatever else is on the path."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(LakehouseError, match="Java 17") as raised:
        gateway.java()
    assert str(tmp_path) in str(raised.value)


def test_without_jars_the_error_names_the_remedy(tmp_path):
    """A folder without jars is named, with the command that fetches them."""
    with pytest.raises(LakehouseError, match="make setup"):
        gateway.jars(Settings(home=tmp_path, tools=tmp_path))


def test_a_jvm_that_does_not_start_shows_its_last_lines(tmp_path):
    """The last lines that the JVM printed stand in the error."""
    jvm = gateway.launch(Settings(home=tmp_path), options=["-XX:NoSuchOption=1"])
    with pytest.raises(LakehouseError, match="NoSuchOption"):
        _ = jvm.address


def test_an_archive_is_named_by_every_jar(tmp_path):
    """Another jar on the class path asks for another archive: the JVM would refuse the old one."""
    jars = tmp_path / "jars"
    jars.mkdir()
    (jars / "a.jar").write_bytes(b"1")
    place = Settings(home=tmp_path, tools=tmp_path)
    before = gateway.archive(place)
    (jars / "a.jar").write_bytes(b"22")
    assert gateway.archive(place) != before


def test_a_short_command_prints_nothing_but_its_own_output(tmp_path):
    """Neither Spark nor Java writes to the terminal; their output stands in a log in the home."""
    program = (
        "from lakehouse.engine.session import spark; print(spark(short=True).range(3).count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LAKEHOUSE_HOME": str(tmp_path), "LAKEHOUSE_DRIVER_MEMORY": "1g"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("3\n", "", 0)
    assert (tmp_path / "logs" / "spark.log").exists()


def test_two_threads_share_one_jvm(spark):
    """The first calls of several threads give sessions of the same Spark application."""
    from concurrent.futures import ThreadPoolExecutor

    from lakehouse.engine.session import spark as session

    with ThreadPoolExecutor(2) as pool:
        sessions = [f.result() for f in [pool.submit(session) for _ in range(2)]]
    names = {session.sparkContext.applicationId for session in sessions}
    assert names == {spark.sparkContext.applicationId}
