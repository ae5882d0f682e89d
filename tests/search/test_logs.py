"""The lines of a log file."""

import subprocess
import sys
from pathlib import Path

LOGS = """
import logging, sys
from pathlib import Path
from search.logs import set_up_logs
set_up_logs(Path(sys.argv[1]))
log = logging.getLogger("search.worker.loop")
log.info("trial %d pruned", 12)
logging.getLogger("alembic.runtime.migration").info("noise")
logging.getLogger("optuna.storages").info("noise")
logging.getLogger("optuna.storages").warning("a duplicate step")
try:
    raise OSError("no route to postgresql://ann:s3cr:et@db.example/search")
except OSError:
    log.exception("no database")
"""


TEARDOWN = """
import atexit, os, sys
from search.logs import hush_teardown
atexit.register(os.write, 2, b"nanobind: leaked 4 instances!")
hush_teardown()
sys.exit("search: why")
"""


def test_a_process_has_the_last_word_before_the_libraries_it_loaded():
    done = subprocess.run([sys.executable, "-c", TEARDOWN], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "search: why\n")


def test_a_plain_log_holds_our_lines_and_the_libraries_warnings_but_no_password(tmp_path: Path):
    text = _log(tmp_path)
    assert "I search.worker.loop: trial 12 pruned\n" in text
    assert "W optuna.storages: a duplicate step\n" in text
    assert "OSError: no route to postgresql://ann:***@db.example/search" in text
    assert "noise" not in text
    assert "s3cr" not in text


def _log(folder: Path) -> str:
    file = folder / "logs" / "run.log"
    done = subprocess.run([sys.executable, "-c", LOGS, file], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return file.read_text()
