"""Every process knows the tables that its own rows refer to, whatever else it imports or does not."""

import subprocess
import sys

import pytest

SORT_ALL = "import {module}; from sqlmodel import SQLModel; assert SQLModel.metadata.sorted_tables"


@pytest.mark.parametrize(
    "module",
    ["ingest_service.__main__", "ingest_service.worker", "query_service.__main__", "twin_bridge.__main__"],
)
def test_a_process_knows_every_table_that_its_rows_refer_to(module: str):
    done = subprocess.run(
        [sys.executable, "-c", SORT_ALL.format(module=module)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
