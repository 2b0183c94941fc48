"""Opening the database where there is no place for it."""

from pathlib import Path

import pytest

from shared.db.engine import open_engine
from shared.errors import Unavailable
from shared.settings import Settings


def test_a_data_folder_that_cannot_be_made_is_told_by_its_setting(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="XGTWIN_DATA_DIR"):
        open_engine(Settings(_env_file=None, data_dir=tmp_path / "file" / "data"))
