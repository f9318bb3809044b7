"""A machine that is busy, full or alone: a clear error, nothing lost, and the next run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from lakehouse.runs.lock import lock_domain
from lakehouse.settings import PROJECT
from tests import orders

ROWS = 3000

# Runs in a namespace of its own: `unshare` gives it the right to mount and takes the network away.
PROLOGUE = """
import fcntl, json, os, socket, struct, subprocess, sys
interface = struct.pack("16sh", b"lo", 0x41)  # up and running: Spark talks to itself over loopback
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, interface)
home = os.environ["LAKEHOUSE_HOME"]
try:
    socket.create_connection(("192.0.2.1", 80), 1)
except OSError as error:
    assert error.errno == 101, error  # network is unreachable: after set-up none is needed
else:
    raise AssertionError("there is a network")
def lakehouse(*words):
    done = subprocess.run([sys.executable, "-m", "cli.main", *words, "--json"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return [done.returncode, done.stdout, done.stderr]
"""
ON_A_FULL_DISK = """
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "none", home], check=True)
subprocess.run(["cp", "-r", os.environ["SOURCE"] + "/.", home], check=True)
free = os.statvfs(home).f_bavail * os.statvfs(home).f_frsize
with open(home + "/filler", "wb") as filler:
    filler.write(bytes(max(free - int(os.environ["ROOM"]), 0)))
full = lakehouse("run", "shop")
os.remove(home + "/filler")
again = lakehouse("run", "shop")
query = "select count(*) as rows, count(distinct order_id) as orders from silver.shop__sat_placed_current"
print(json.dumps([full, again, lakehouse("sql", query)]))
"""


@pytest.fixture
def shop(settings):
    """An empty home with the contract of orders and one landed file."""
    orders.write_contract(settings.contracts)
    orders.land_events(
        settings,
        "a.jsonl",
        [orders.event("c", n, orders.order(n), transaction=n) for n in range(1, ROWS + 1)],
    )
    return settings


def alone(body, home, settings, **more):
    """Run Python in a namespace without a network, as its root, and return what it printed."""
    environment = {
        **os.environ, "LAKEHOUSE_HOME": str(home), "LAKEHOUSE_CONTRACTS": str(settings.contracts),
        "LAKEHOUSE_DBT_PROJECT": str(settings.dbt_project), "LAKEHOUSE_DRIVER_MEMORY": "1g", **more,
    }  # fmt: skip
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "--net", sys.executable, "-c", PROLOGUE + body],
        env=environment, cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_second_run_is_refused_while_one_works(shop):
    """The second run of a domain ends at once, names who works since when, and touches nothing."""
    with lock_domain(shop.home, "shop", "run bronze silver gold"):
        before = sorted(shop.home.rglob("*"))
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "run", "shop"],
            env={**os.environ, "LAKEHOUSE_HOME": str(shop.home), "LAKEHOUSE_CONTRACTS": str(shop.contracts),
                 "LAKEHOUSE_DBT_PROJECT": str(shop.dbt_project)},
            cwd=PROJECT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert sorted(shop.home.rglob("*")) == before
    assert done.returncode == 1
    assert f"process {os.getpid()} (run bronze silver gold, since " in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("room", [30_000, 400_000])
def test_a_full_disk_is_named_and_the_next_run_finishes_without_a_network(shop, tmp_path, room):
    """The run ends with an error; with room, the next loads each row once, all without a network."""
    small = tmp_path / "small"
    small.mkdir()
    full, again, counted = alone(
        ON_A_FULL_DISK, small, shop, SOURCE=str(shop.home), ROOM=str(room)
    )  # fmt: skip
    assert full[0] == 1
    assert "No space left on device" in json.loads(full[2].strip().splitlines()[-1])["error"]
    assert again[0] == 0, again[2]
    assert json.loads(counted[1])["rows"] == [{"rows": ROWS, "orders": ROWS}]
