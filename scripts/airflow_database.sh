#!/bin/sh
# Brings Airflow's database up to date and writes the one user's password, before any component.
set -eu
umask 077
mkdir -p "$AIRFLOW_HOME"
airflow db migrate
python - "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE" <<'PYTHON'
import json
import os
import pathlib
import sys

users = {"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}
pathlib.Path(sys.argv[1]).write_text(json.dumps(users) + "\n", encoding="utf-8")
PYTHON
