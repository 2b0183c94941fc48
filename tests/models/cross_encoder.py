"""A small real cross-encoder as the ONNX folder that fastembed loads, built without a network.

It reads question and passage as one input, as every cross-encoder does, and scores by the cosine of their mean word
embeddings (those of all-MiniLM-L6-v2, so `minilm.available()` tells whether it can be built).
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.models import minilm

FIRST_WORD = 1000
"""Ids below are special tokens and unused ones."""


def build(folder: Path) -> Path:
    """Write the model folder; returns it. `RuntimeError` when the weights are not installed."""
    from onnx import TensorProto, checker, helper, numpy_helper
    from safetensors.numpy import load_file

    source = minilm.weights_folder()
    if source is None:
        raise RuntimeError(minilm.available())
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"):
        shutil.copyfile(source / name, folder / name)
    constants: dict[str, NDArray[Any]] = {
        "embeddings": load_file(source / "model.safetensors")["embeddings.word_embeddings.weight"].astype(np.float16),
        "first": np.array(FIRST_WORD, np.int64),
        "tiny": np.array(1e-6, np.float32),
        "last": np.array([-1], np.int64),
        "words": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["embeddings", "input_ids"], ["half"]),
        helper.make_node("Cast", ["half"], ["all"], to=TensorProto.FLOAT),
        helper.make_node("GreaterOrEqual", ["input_ids", "first"], ["is_word"]),
        helper.make_node("Cast", ["token_type_ids"], ["is_passage"], to=TensorProto.BOOL),
        helper.make_node("Not", ["is_passage"], ["is_question"]),
    ]
    for side in ("question", "passage"):
        nodes += [
            helper.make_node("And", ["is_word", f"is_{side}"], [f"{side}_words"]),
            helper.make_node("Cast", [f"{side}_words"], [f"{side}_mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", [f"{side}_mask", "last"], [f"{side}_column"]),
            helper.make_node("Mul", ["all", f"{side}_column"], [f"{side}_rows"]),
            helper.make_node("ReduceSum", [f"{side}_rows", "words"], [f"{side}_sum"], keepdims=0),
            helper.make_node("ReduceL2", [f"{side}_sum"], [f"{side}_length"], axes=[-1], keepdims=1),
            helper.make_node("Add", [f"{side}_length", "tiny"], [f"{side}_norm"]),
            helper.make_node("Div", [f"{side}_sum", f"{side}_norm"], [f"{side}_unit"]),
        ]
    nodes += [
        helper.make_node("Mul", ["question_unit", "passage_unit"], ["products"]),
        helper.make_node("ReduceSum", ["products", "last"], ["logits"], keepdims=1),
    ]
    ids, shape = ("input_ids", "attention_mask", "token_type_ids"), ["batch", "seq"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ids]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "mean-word-cross-encoder", inputs, [output], stored)
    opset = [helper.make_opsetid("", minilm.OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=minilm.IR_VERSION)
    checker.check_model(model)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder
