#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""with-postgres.py PROGRAM ARGUMENT…: runs a program with RECALLBAY_DATABASE naming a PostgreSQL of its own."""

import os
import subprocess
import sys

from server import Postgres

server = Postgres()
try:
    code = subprocess.run(sys.argv[1:], env={**os.environ, "RECALLBAY_DATABASE": server.uri()}, check=False).returncode
finally:
    server.close()
sys.exit(code)
