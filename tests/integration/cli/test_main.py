"""How every command line ends, whatever verb it names."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import cli
import domains
from cli.main import app


def verbs(group, *path):
    """Yield every command below a group with its path, groups among them."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from verbs(command, *path, name)


COMMAND_LINE = get_command(app)
VERBS = dict(verbs(COMMAND_LINE))


@pytest.fixture
def source(empty, tmp_path, monkeypatch):
    """A sample source of the shop whose `land` does what the test writes."""
    package = tmp_path / "packages"
    monkeypatch.setattr(domains, "__path__", [*domains.__path__, str(package)])

    def write(body: str) -> None:
        folder = package / "shop"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("", encoding="utf-8")
        text = "def land(landing, *, days, scale, faults, progress):\n"
        (folder / "source.py").write_text(text + body, encoding="utf-8")

    yield write
    for name in [name for name in sys.modules if name.startswith("domains.shop")]:
        del sys.modules[name]


def test_help_lists_every_verb(lakehouse):
    """`--help` names each verb and shows examples."""
    ended = lakehouse("--help")
    assert ended.code == 0
    assert [verb for verb in COMMAND_LINE.commands if f" {verb} " not in ended.out] == []
    assert "$ lakehouse demo" in ended.out


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_explains_itself_by_example(lakehouse, empty, verb):
    """The help of a verb ends with examples of it; that of a group lists its verbs."""
    ended = lakehouse(*verb, "--help")
    assert ended.code == 0
    inner = [longer[-1] for longer in VERBS if longer[:-1] == verb]
    assert [name for name in inner if f" {name} " not in ended.out] == []
    assert inner or f"$ lakehouse {' '.join(verb)}" in ended.out


def test_every_file_of_a_verb_is_in_a_registry():
    """A module of `cli` with `add_to` is listed in a COMMANDS: one that is forgotten is no verb."""
    modules = {
        module.name: importlib.import_module(f"cli.{module.name}")
        for module in pkgutil.iter_modules(cli.__path__)
    }
    registered = [name for module in modules.values() for name in getattr(module, "COMMANDS", ())]
    assert sorted(name for name in modules if hasattr(modules[name], "add_to")) == sorted(
        registered
    )


def test_version_is_that_of_the_project(lakehouse):
    """`--version` prints the name and the version, nothing else."""
    ended = lakehouse("--version")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("lakehouse ")


def test_an_unknown_domain_is_wrong_usage_and_the_known_ones_are_named(lakehouse, empty):
    """Every verb that takes a domain refuses one without contracts before it starts anything."""
    arguments = {
        path: [part for part in command.params if part.param_type_name == "argument"]
        for path, command in VERBS.items()
    }
    # `contracts new` alone may name a domain that does not exist yet: it has no callback
    taking = [
        path
        for path, parts in arguments.items()
        for p in parts
        if p.name == "domain" and p.callback
    ]
    assert len(taking) > 10
    for path in taking:
        required = sum(part.required for part in arguments[path])
        ended = lakehouse(*path, *["nowhere"] * max(1, required))
        assert (ended.code, ended.out) == (2, "")
        assert ended.err == "lakehouse: no domain 'nowhere'; there is: shop\n"


def test_wrong_usage_names_the_help(lakehouse, empty):
    """A missing argument is exit code 2, and one line says where to read on."""
    ended = lakehouse("sql")
    assert (ended.code, ended.out) == (2, "")
    assert "lakehouse sql --help" in ended.err


def test_an_error_in_json_mode_is_json_on_stderr(lakehouse, empty):
    """With --json nothing but a document is ever on stdout, and errors are one object on stderr."""
    ended = lakehouse("run", "nowhere", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert json.loads(ended.err) == {"error": "no domain 'nowhere'; there is: shop", "exit_code": 2}


def test_a_wrong_setting_is_named(lakehouse, empty, monkeypatch):
    """A setting that cannot be read is wrong usage, with the name of its variable."""
    monkeypatch.setenv("LAKEHOUSE_DRIVER_MEMORY", "plenty")
    ended = lakehouse("status")
    assert ended.code == 2
    assert "LAKEHOUSE_DRIVER_MEMORY" in ended.err
    assert "Traceback" not in ended.err


def test_a_breach_is_exit_code_3(lakehouse, source):
    """A contract breach ends with its own code and its message alone."""
    source(
        "    from lakehouse.errors import ContractBreach\n    raise ContractBreach('orders: empty')"
    )
    ended = lakehouse("land", "shop")
    assert (ended.code, ended.out, ended.err) == (3, "", "lakehouse: orders: empty\n")


def test_an_unforeseen_error_shows_its_trace_on_demand_only(lakehouse, source, monkeypatch):
    """A bug ends with exit code 1 and one message; LAKEHOUSE_DEBUG=1 shows the trace."""
    source("    raise RuntimeError('odd')")
    ended = lakehouse("land", "shop")
    assert ended.code == 1
    assert ended.err.startswith("lakehouse: RuntimeError: odd\n")
    assert "Traceback" not in ended.err
    monkeypatch.setenv("LAKEHOUSE_DEBUG", "1")
    assert "Traceback" in lakehouse("land", "shop").err


def test_an_interrupt_is_exit_code_130(lakehouse, source):
    """Ctrl-C ends the command without a trace."""
    # A shell starts what runs in the background with interrupts ignored, these tests too.
    source(
        "    import signal\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    signal.raise_signal(signal.SIGINT)"
    )
    ended = lakehouse("land", "shop")
    assert (ended.code, ended.out, ended.err) == (130, "", "lakehouse: interrupted\n")


def test_what_libraries_print_never_reaches_a_json_document(lakehouse, source):
    """Prints of a library and of a child process go to stderr when --json is given."""
    source(
        "    import os\n"
        "    print('from the library')\n"
        "    os.system('echo from a child')\n"
        "    class Landed:\n"
        "        def to_dict(self): return {'files': [], 'days': days}\n"
        "    return Landed()"
    )
    ended = lakehouse("land", "shop", "--days", "4", "--json")
    assert ended.json == {"files": [], "days": 4}
    assert "from the library" in ended.err
    assert "from a child" in ended.err


def test_a_domain_without_a_sample_source_names_the_folder_for_files(lakehouse, empty):
    """Landing is for domains that have a sample source; for others the message has the folder."""
    ended = lakehouse("land", "shop")
    assert ended.code == 2
    assert str(empty / "landing" / "shop") in ended.err


def test_a_second_landing_is_refused_while_one_works(lakehouse, source, empty):
    """Two landings of a domain never mix; a landing does not stop a run."""
    from lakehouse.runs.lock import lock_domain

    source("    raise AssertionError('must not start')")
    with lock_domain(empty, "shop-landing", "land"):
        ended = lakehouse("land", "shop")
    assert ended.code == 1
    assert "being worked on" in ended.err


@pytest.mark.parametrize("arguments", [["--help"], ["status"], ["status", "--json"]])
def test_quick_verbs_import_neither_spark_nor_models(home, arguments):
    """What must answer at once loads no library that takes long to load."""
    heavy = ("pyspark", "dbt", "sklearn", "duckdb", "sqlglot", "onnxruntime")
    code = (
        "import sys; from cli.main import main; main(sys.argv[1:]);"
        f"loaded = [name for name in {heavy!r} if name in sys.modules];"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_a_reader_that_leaves_early_hears_no_complaint(home):
    """`lakehouse ... | head -1` prints its line and nothing on stderr."""
    command = f"{sys.executable} -m cli.main contracts show shop.orders --sql | head -n 1"
    ended = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=False,
        env=os.environ, cwd=Path(domains.__file__).parent.parent,
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("SELECT\n", "")
