"""One running product for all acceptance tests that do not stop it."""

import shutil
from collections.abc import Iterator

import pytest

from tests.acceptance.product import ROOT, Product, running


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product")
    shutil.copytree(ROOT / "watched_docs", folder / "watched_docs")
    with running(folder) as product:
        product.wait_until_all_ready()
        yield product
