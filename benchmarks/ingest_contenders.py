"""What benchmarks/ingest.py compares: ours, and the same work by others."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import onnxruntime
import pypdfium2
from langchain_text_splitters import RecursiveCharacterTextSplitter
from tokenizers import Tokenizer

from ingest_service.parsing import partitioners, registry
from ingest_service.parsing.blocks import ParsedDocument, ParsingLimits
from ingest_service.parsing.media_types import PDF
from ingest_service.parsing.ocr.tessdata import find_language_data
from ingest_service.parsing.sandbox import Sandbox
from ingest_service.passages.canonical import canonical_text
from ingest_service.passages.chunking import passages, searchable_text
from ingest_service.reading.reader import Reader
from shared.embeddings.fastembed_embedder import THREADS, FastembedEmbedder
from shared.embeddings.lexical import LexicalEncoder
from shared.models import Chunk
from shared.vector_store.edge import EdgeVectorStore
from shared.vector_store.fingerprint import Fingerprint
from shared.vector_store.protocol import EmbeddedChunk
from tests.models import minilm

LIMITS = ParsingLimits(max_pages=5000, timeout_s=120, memory_mb=2048)
STORED_AT_ONCE = 64


def pages_of(file: Path) -> int:
    with pypdfium2.PdfDocument(file) as document:
        return len(document)


def read_here(files: Sequence[Path]) -> int:
    """The reading of the product without its child processes, collecting garbage as rarely as they do."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        return _read_here(files)
    finally:
        gc.set_threshold(*usual)


def _read_here(files: Sequence[Path]) -> int:
    return sum(_cut(registry.parse(file.read_bytes(), PDF, LIMITS)) for file in files)


@contextmanager
def sandboxed_reader(folder: Path) -> Iterator[Reader]:
    sandbox = Sandbox(LIMITS, readers=1)
    try:
        yield Reader(sandbox, folder / "kept", find_language_data(None))
    finally:
        sandbox.close()


def read_sandboxed(reader: Reader, files: Sequence[Path]) -> int:
    """The reading of the product, windows and all."""
    return sum(_cut(reader.read(file, file.stem, PDF, lambda *_: None)) for file in files)


def raw_text(files: Sequence[Path]) -> int:
    characters = 0
    for file in files:
        with pypdfium2.PdfDocument(file) as document:
            for page in document:
                characters += len(page.get_textpage().get_text_bounded())
    return characters


def unstructured_pdf() -> Callable[[Sequence[Path]], int]:
    """unstructured's PDF reading without models ("fast"). Raises `ImportError` where its PDF extra is not installed."""
    partitioners.html_blocks("<p>a</p>")  # prepares the library to work offline
    partition = import_module("unstructured.partition.pdf").partition_pdf
    return lambda files: sum(len(partition(str(file), strategy="fast", languages=["por"])) for file in files)


def unstructured_docx(documents: Sequence[Path]) -> int:
    return sum(len(partitioners.docx_blocks(document.read_bytes())) for document in documents)


def langchain(files: Sequence[Path]) -> int:
    """What PyPDFLoader does (pypdf, page by page) and the splitter that goes with it, in its usual sizes."""
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    read = import_module("pypdf").PdfReader
    return sum(len(splitter.split_text(page.extract_text())) for file in files for page in read(file).pages)


def searchable_texts(files: Sequence[Path]) -> list[str]:
    """What the product embeds of these files."""
    texts = []
    for file in files:
        document = registry.parse(file.read_bytes(), PDF, LIMITS)
        for passage in passages(canonical_text(document.blocks)):
            texts.append(searchable_text(document.title, passage.heading_path, passage.context, passage.text))
    return texts


def _chunk(document_id: UUID, index: int, text: str) -> Chunk:
    return Chunk(
        id=uuid4(), document_id=document_id, filename="a.pdf", title="", index=index, text=text, start=0, end=len(text)
    )


def _cut(document: ParsedDocument) -> int:
    return len(passages(canonical_text(document.blocks)))


@dataclass
class EmbeddingRig:
    """The same texts through the product's embedder, through embedder and store, and through onnxruntime itself."""

    texts: list[str]
    ours: FastembedEmbedder
    encoder: LexicalEncoder
    store: EdgeVectorStore
    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer

    @property
    def mean_tokens(self) -> float:
        return float(np.mean([len(encoding.ids) for encoding in self.tokenizer.encode_batch(self.texts)]))

    def embedder(self) -> None:
        for _ in self.ours.embed_passages(self.texts):
            pass

    def pipeline(self) -> None:
        document = uuid4()
        for start in range(0, len(self.texts), STORED_AT_ONCE):
            texts = self.texts[start : start + STORED_AT_ONCE]
            vectors = self.ours.embed_passages(texts)
            chunks = [_chunk(document, start + index, text) for index, text in enumerate(texts)]
            self.store.upsert(
                [
                    EmbeddedChunk(chunk, self.encoder.passage(text), vector)
                    for chunk, text, vector in zip(chunks, texts, vectors, strict=True)
                ]
            )

    def raw(self, batch: int) -> None:
        """Tokens, graph, mean and norm, nothing else; batches of several hold texts of like length."""
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(self.texts)]
        ordered = sorted(tokens, key=len) if batch > 1 else tokens
        for start in range(0, len(ordered), batch):
            together = ordered[start : start + batch]
            longest = max(map(len, together))
            ids = np.array([each + [0] * (longest - len(each)) for each in together], dtype=np.int64)
            mask = np.array([[1] * len(each) + [0] * (longest - len(each)) for each in together], dtype=np.int64)
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            hidden = np.asarray(self.session.run(None, inputs)[0])
            pooled = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
            pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)


@contextmanager
def embedding_rig(folder: Path, texts: list[str]) -> Iterator[EmbeddingRig]:
    model = minilm.build(folder / "model")
    ours, encoder = FastembedEmbedder(minilm.MODEL_NAME, model), LexicalEncoder()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(str(model / "model.onnx"), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_truncation(minilm.MAX_TOKENS)
    tokenizer.no_padding()
    fingerprint = Fingerprint(lexical=encoder.fingerprint, model=ours.name, dimension=ours.dimension)
    store = EdgeVectorStore(folder / "shard", fingerprint, encoder.stems)
    try:
        yield EmbeddingRig(texts, ours, encoder, store, session, tokenizer)
    finally:
        store.close()
