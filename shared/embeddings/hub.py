"""Fetching the folder of an embedding model from a model hub. The only importer of `huggingface_hub`.

HF_ENDPOINT names another hub, HF_HUB_OFFLINE forbids asking. The library's own download starts a file anew after each
interruption; half a gigabyte over a laboratory's line must not, so files are continued here, byte for byte.
"""

import errno
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.file_download import http_get
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import httpx
from huggingface_hub.utils._headers import build_hf_headers

from shared.observability.logs import get_logger

log = get_logger(__name__)

COMMON = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
USEFUL = "sentence_bert_config.json"
"""Says how many tokens a sentence-transformers model was trained on, which is less than its tokenizer claims."""
GRAPHS = ("onnx/model.onnx", "model.onnx")
REVISION = ".revision"
ASK_S = 10.0
SPARE_BYTES = 200 << 20
"""Left free on the disk beside the model."""


class HubTrouble(Exception):
    """What went wrong, in words for whoever started the product."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model lies on the hub. Without `files`, the graph is looked for where exporters put it."""

    repository: str
    files: tuple[str, ...] = ()


def fetch(source: Source, folder: Path, tell: Callable[[int, int], None]) -> None:
    """Bring all files into `folder`, going on with what an earlier call left there of the same revision.

    `tell` hears how many bytes are there, of how many. Raises `HubTrouble`.
    """
    try:
        wanted, revision = _listed(source)
        _prepare(folder, revision)
        missing = sum(file.size or 0 for file in wanted) - _present(folder)
        if shutil.disk_usage(folder).free < missing + SPARE_BYTES:
            raise HubTrouble(f"{missing >> 20} MiB are to be fetched, and the disk of the data folder has no room.")
        for file in wanted:
            _bring(source.repository, revision, file, folder, lambda: tell(_present(folder), _total(wanted)))
    except HFValidationError as error:
        raise HubTrouble(f"{source.repository} is no name of a model on the hub; check EMBEDDER__MODEL.") from error
    except OfflineModeIsEnabled as error:
        raise HubTrouble("HF_HUB_OFFLINE forbids asking the model hub.") from error
    except RepositoryNotFoundError as error:
        raise HubTrouble(f"The model hub has no {source.repository}; check EMBEDDER__MODEL.") from error
    except httpx.HTTPError as error:
        log.info("hub_failed", error=str(error))
        raise HubTrouble("The model hub does not answer.") from error
    except OSError as error:
        log.info("hub_failed", error=str(error))
        raise HubTrouble(_words_of(error)) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # a page where the hub's facts should be
        log.info("hub_failed", error=str(error))
        raise HubTrouble(
            "Something else answers in the model hub's place: the network may ask for a login, or HF_ENDPOINT is wrong."
        ) from error


def _listed(source: Source) -> tuple[list[RepoSibling], str]:
    info = HfApi().model_info(source.repository, files_metadata=True, timeout=ASK_S)
    offered = {file.rfilename: file for file in info.siblings or ()}
    graphs = source.files or tuple(graph for graph in GRAPHS if graph in offered)[:1]
    names = [*graphs, *(f"{graph}_data" for graph in graphs if f"{graph}_data" in offered), *COMMON]
    lacking = [name for name in names if name not in offered and name != "special_tokens_map.json"]
    if lacking or not graphs:
        raise HubTrouble(f"{source.repository} has no {', '.join(lacking) or 'ONNX model'} on the hub.")
    return [offered[name] for name in dict.fromkeys([*names, USEFUL]) if name in offered], str(info.sha)


def _prepare(folder: Path, revision: str) -> None:
    """Parts of another revision do not fit to these."""
    noted = folder / REVISION
    if not noted.is_file() or noted.read_text(encoding="utf-8") != revision:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        noted.write_text(revision, encoding="utf-8")


def _bring(repository: str, revision: str, file: RepoSibling, folder: Path, told: Callable[[], None]) -> None:
    target = folder / file.rfilename
    if target.is_file():
        return
    part = target.with_name(f"{target.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    url = hf_hub_url(repository, file.rfilename, revision=revision)

    class Told:
        """What the library takes for a progress bar."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def __enter__(self) -> "Told":
            return self

        def __exit__(self, *_: object) -> None: ...

        def update(self, _: float) -> None:
            told()

    with part.open("r+b") as stream:
        start = stream.seek(0, 2)
        if file.size is not None and start > file.size:  # it is of something else
            start = stream.truncate(0)
            stream.seek(0)
        if start != file.size:
            http_get(
                url,
                stream,
                resume_size=start,
                headers=build_hf_headers(),
                expected_size=file.size,
                tqdm_class=Told,
            )
    if file.lfs is not None and _sha256(part) != file.lfs.sha256:
        part.unlink()
        raise HubTrouble(f"{file.rfilename} arrived broken from the model hub.")
    part.rename(target)


def _present(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != REVISION)


def _total(wanted: list[RepoSibling]) -> int:
    return sum(file.size or 0 for file in wanted)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _words_of(error: OSError) -> str:
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "The data folder (XGTWIN_DATA_DIR) cannot be written."
    if error.errno == errno.ENOSPC:
        return "The disk of the data folder is full."
    return "The model hub broke off or sent something else than it promised."
