"""The plain LangChain + Chroma pipeline that benchmarks/query.py compares with. It runs in an environment of its own.

    PYTHON query_langchain.py FOLDER URL_OF_THE_MODEL PORT

FOLDER holds `corpus.json` (texts), `vectors.npy` and `model/` (ONNX). `POST /search` and `POST /ask` are what a
tutorial's service does; `POST /here` makes the same calls inside this process and tells when each began and ended.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from chromadb import PersistentClient
from fastapi import FastAPI
from fastembed import TextEmbedding
from langchain_chroma import Chroma
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
BATCH = 1000
PASSAGES = 5


class Asked(BaseModel):
    query: str


class Here(BaseModel):
    """Calls to be made inside this process by so many threads."""

    what: str
    queries: list[str]
    clients: int


class Embeddings:
    """LangChain's `Embeddings` over fastembed, as its FastEmbedEmbeddings does it, from a folder."""

    def __init__(self, folder: Path) -> None:
        self._model = TextEmbedding(
            MODEL, specific_model_path=str(folder), cache_dir=str(folder), local_files_only=True, threads=1
        )

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [vector.tolist() for vector in self._model.embed(texts, batch_size=1)]


def build(folder: Path, llm_url: str) -> FastAPI:
    corpus = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy")
    client = PersistentClient(str(folder / "chroma"))
    collection = client.create_collection("passages", configuration={"hnsw": {"space": "cosine"}})
    for start in range(0, len(corpus["texts"]), BATCH):
        rows = slice(start, start + BATCH)
        names = [str(row) for row in range(start, start + len(corpus["texts"][rows]))]
        collection.add(
            names,
            embeddings=vectors[rows],
            documents=corpus["texts"][rows],
            metadatas=[{"source": f"relatorio-{int(name) // 50}.pdf"} for name in names],
        )
    store = Chroma("passages", Embeddings(folder / "model"), client=client)
    retriever = store.as_retriever(search_kwargs={"k": PASSAGES})
    prompt = ChatPromptTemplate.from_template("Answer from this context:\n{context}\n\nQuestion: {question}")
    model = ChatOpenAI(model="instant", base_url=llm_url, api_key="none", max_retries=0)
    chain: Any = (
        {"context": retriever | _joined, "question": RunnablePassthrough()} | prompt | model | StrOutputParser()
    )
    app = FastAPI()

    @app.post("/search")
    def search(body: Asked) -> list[dict[str, Any]]:
        return [{"text": one.page_content, **one.metadata} for one in retriever.invoke(body.query)]

    @app.post("/ask")
    def ask(body: Asked) -> dict[str, str]:
        return {"answer": chain.invoke(body.query)}

    @app.post("/here")
    def here(body: Here) -> list[tuple[float, float]]:
        call = {"search": retriever.invoke, "ask": chain.invoke}[body.what]

        together = threading.Barrier(body.clients)

        def client(mine: list[str]) -> list[tuple[float, float]]:
            together.wait()
            times = []
            for query in mine:
                begun = time.monotonic()
                call(query)
                times.append((begun, time.monotonic()))
            return times

        with ThreadPoolExecutor(body.clients) as threads:
            shares = list(threads.map(client, [body.queries[number :: body.clients] for number in range(body.clients)]))
        return [shares[number % body.clients][number // body.clients] for number in range(len(body.queries))]

    return app


def _joined(documents: list[Any]) -> str:
    return "\n\n".join(document.page_content for document in documents)


if __name__ == "__main__":
    uvicorn.run(
        build(Path(sys.argv[1]), sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[3]),
        log_config=None,
        access_log=False,
    )
