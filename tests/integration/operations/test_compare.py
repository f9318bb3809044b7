"""`contracts diff` over files and git revisions, and who uses a column that is gone."""

from __future__ import annotations

import subprocess

import pytest

from gold.lineage import uses
from lakehouse.settings import PROJECT, Settings
from lakehouse.settings import settings as process_settings


@pytest.fixture
def repository(tmp_path, monkeypatch, lakehouse):
    """A repository with the contracts and the models of the project's own domain, committed."""
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in ("contracts/retail", "dbt_project/models", "dbt_project/macros"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", str(PROJECT / name), str(target)], check=True)
    monkeypatch.setenv("LAKEHOUSE_CONTRACTS", str(folder / "contracts"))
    monkeypatch.setenv("LAKEHOUSE_DBT_PROJECT", str(folder / "dbt_project"))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(folder)
    process_settings.cache_clear()
    git("init", "-q", "-b", "main")
    commit("first")
    yield folder
    process_settings.cache_clear()


def git(*words):
    who = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def commit(message):
    git("add", "-A")
    git("commit", "-qm", message)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, text.count(old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_without_an_earlier_revision_it_is_skipped(lakehouse, repository, tmp_path, monkeypatch):
    """One commit, a shallow clone, no repository: one line and exit code 0."""
    ended = lakehouse("contracts", "diff", "--against", "earlier")
    assert (ended.code, ended.out.count("\n")) == (0, 1)
    assert "no earlier revision" in ended.out
    (repository / "note").write_text("x")
    commit("second")
    assert "no difference" in lakehouse("contracts", "diff", "--against", "earlier").out
    git("clone", "-q", "--depth", "1", f"file://{repository}", str(tmp_path / "shallow"))
    monkeypatch.setenv("LAKEHOUSE_CONTRACTS", str(tmp_path / "shallow" / "contracts"))
    process_settings.cache_clear()
    assert "skipped" in lakehouse("contracts", "diff", "--against", "earlier").out
    assert lakehouse("contracts", "diff", "--against", "v9").code == 2


def test_a_breaking_change_needs_a_major_version(lakehouse, repository):
    """Exit code 3 with file, line and the version that is needed; with that version 0."""
    file = repository / "contracts" / "retail" / "demographics.yaml"
    edit(
        file,
        "validValues: [Married, Unmarried]",
        "validValues: [Married]",
    )
    ended = lakehouse("contracts", "diff", "--against", "earlier")
    assert "skipped" in ended.out
    commit("tightened")
    ended = lakehouse("contracts", "diff", "retail", "--against", "earlier")
    assert ended.code == 3
    line = next(
        n
        for n, text in enumerate(file.read_text().splitlines(), 1)
        if "name: marital_status" in text
    )
    assert f"retail/demographics.yaml:{line}: breaking" in ended.err
    assert "2.0.0, not 1.0.2" in ended.err
    edit(file, "version: 1.0.2", "version: 2.0.0")
    ended = lakehouse("contracts", "diff", "--against", "earlier", "--json")
    assert (ended.code, ended.json["allowed"]) == (0, True)
    pair = ("HEAD~1:contracts/retail/demographics.yaml", "contracts/retail/demographics.yaml")
    (dataset,) = lakehouse("contracts", "diff", *pair, "--json").json["datasets"]
    assert (dataset["needs"], dataset["old_version"], dataset["new_version"]) == (
        "major",
        "1.0.2",
        "2.0.0",
    )


def test_who_uses_a_dropped_column_is_named(lakehouse, repository):
    """Even a major version is refused while a model reads the column: file, line, position."""
    file = repository / "contracts" / "retail" / "demographics.yaml"
    lines = file.read_text().splitlines()
    start = next(n for n, text in enumerate(lines) if "name: home_ownership" in text)
    end = next(n for n, text in enumerate(lines) if "name: marital_status" in text)
    text = "\n".join(lines[:start] + lines[end:]) + "\n"
    file.write_text(text.replace("version: 1.0.2", "version: 2.0.0"))
    ended = lakehouse("contracts", "diff", "--against", "HEAD")
    assert ended.code == 3
    assert "breaking" not in ended.err, "the version allows it; the consumer does not"
    model = repository / "dbt_project" / "models" / "retail" / "retail__dim_household.sql"
    number, position = next(
        (n, text.index("home_ownership") + 1)
        for n, text in enumerate(model.read_text().splitlines(), 1)
        if "home_ownership" in text
    )
    assert (
        f"retail__dim_household.sql:{number}:{position}: model retail__dim_household" in ended.err
    )


def test_a_score_that_uses_a_dropped_feature_is_named(lakehouse, repository):
    """The line is that of the feature in the score's contract."""
    score = repository / "contracts" / "retail" / "offer_propensity.yaml"
    assert "spend_28d" in score.read_text()
    file = repository / "contracts" / "retail" / "household_day.yaml"
    lines = file.read_text().splitlines()
    start = next(n for n, text in enumerate(lines) if "name: spend_28d" in text)
    end = next(n for n, text in enumerate(lines) if "name: baskets_28d" in text)
    file.write_text("\n".join(lines[:start] + lines[end:]) + "\n")
    ended = lakehouse("contracts", "diff", "--against", "HEAD")
    assert ended.code == 3
    assert "retail/offer_propensity.yaml:" in ended.err
    assert "score offer_propensity uses 'spend_28d'" in ended.err


MODELS = {
    "a_star": "with x as (select * from {{ source('silver', 'd__sat_x') }}) select gone from x",
    "b_alias": "select s.kept from {{ source('silver', 'd__sat_x') }} s join other o on o.gone = s.kept",
    "c_comment": "select kept -- gone\nfrom {{ source('silver', 'd__sat_x') }}",
    "d_join": "select 1 as n from {{ source('silver', 'd__sat_x') }} join other using (gone)",
    "e_torn": "select {{ nonsense( }} gone from {{ source('silver', 'd__sat_x') }}",
    "f_other": "select gone from {{ source('silver', 'd__sat_y') }}",
}


def test_a_use_is_one_of_that_table(tmp_path):
    """Through `select *` and `using` it is one; by another table's alias or in a comment none."""
    folder = tmp_path / "dbt" / "models" / "d"
    folder.mkdir(parents=True)
    for name, text in MODELS.items():
        (folder / f"{name}.sql").write_text(text)
    settings = Settings(home=tmp_path, dbt_project=tmp_path / "dbt")
    model_uses = uses(settings, "d", ["d__sat_x"], ["gone"])
    assert {use.model for use in model_uses} == {"a_star", "d_join", "e_torn"}
