"""Airflow on this machine only: SQLite, LocalExecutor, our DAGs, no examples; Ctrl-C ends it.

`airflow standalone` would do, but its log servers listen on every address. The components read
their logs from the same disk here, so they are started without log servers.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from place import ROOT, VENV

HOST = "127.0.0.1"
COMPONENTS = {
    "api-server": ["api-server", "--host", HOST],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
_READY_SECONDS = 180
_STOP_SECONDS = 20
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Return the exit code: 0 after Ctrl-C, 1 when a component ended by itself."""
    port = int(os.environ.get("LAKEHOUSE_AIRFLOW_PORT", "8080"))
    data = Path(os.environ.get("LAKEHOUSE_HOME", ROOT / ".lakehouse")).absolute()
    home = data / "airflow"
    if _listens(port):
        print(f"port {port} is taken: set LAKEHOUSE_AIRFLOW_PORT to another", file=sys.stderr)
        return 1
    os.umask(0o077)  # keys, passwords and the database are for this user
    (home / "logs").mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **settings(home, port), "LAKEHOUSE_HOME": str(data)}
    print("preparing Airflow's database", flush=True)
    if _migrate(home, environment):
        print(f"the database is not ready: see {home / 'logs' / 'migrate.log'}", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    running = {name: _start(name, home, environment) for name in COMPONENTS}
    try:
        _announce(running, port, _password(home))
        return _watch(running, home)
    except KeyboardInterrupt:
        print("\nstopping", flush=True)
        return 0
    finally:
        _stop(running)


def settings(home: Path, port: int) -> dict[str, str]:
    """Return what the components read from their environment."""
    base = f"http://{HOST}:{port}"
    return {
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": base,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _migrate(home: Path, environment: dict[str, str]) -> int:
    with (home / "logs" / "migrate.log").open("wb") as log:
        return subprocess.run(
            [VENV / "bin" / "airflow", "db", "migrate"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            check=False,
        ).returncode


def _start(name: str, home: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with (home / "logs" / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [VENV / "bin" / "airflow", *COMPONENTS[name]],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            process_group=0,  # so that its workers end with it
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - this process has one thread
        )


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _password(home: Path) -> str:
    """Return how to log in; the password is made, and shown, at the first start only."""
    file = home / "passwords.json"
    if file.exists():
        return f"as in {file}"
    made = secrets.token_urlsafe(16)
    file.write_text(json.dumps({"admin": made}) + "\n")
    return made


def _announce(running: dict[str, subprocess.Popen[bytes]], port: int, password: str) -> None:
    url = f"http://{HOST}:{port}"
    print(f"starting Airflow at {url}", flush=True)
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and all(process.poll() is None for process in running.values()):
        if _is_healthy(url):
            print(f"ready: {url}  user admin, password {password}  (Ctrl-C stops it)", flush=True)
            return
        time.sleep(0.5)


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=5) as response:
            health = json.load(response)
    except (OSError, ValueError):
        return False
    needed = ("metadatabase", "scheduler", "dag_processor")
    return all(health.get(part, {}).get("status") == "healthy" for part in needed)


def _watch(running: dict[str, subprocess.Popen[bytes]], home: Path) -> int:
    while True:
        for name, process in running.items():
            if process.poll() is not None:
                log = home / "logs" / f"{name}.log"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
                print(f"{name} ended by itself; {log} ends with:\n{tail}", file=sys.stderr)
                return 1
        time.sleep(1)


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave components behind
    for process in running.values():
        process.terminate()
    until = time.monotonic() + _STOP_SECONDS
    for process in running.values():
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
