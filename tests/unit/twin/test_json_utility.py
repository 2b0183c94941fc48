"""Every message the server can send, read by the rules of Unity's `JsonUtility` into one flat class."""

import json
import re
import types
import typing
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from twin_bridge.client_messages import Auth, Ping, Seen
from twin_bridge.protocol import ServerMessage

MODELS: tuple[type[BaseModel], ...] = typing.get_args(ServerMessage)
INT_32, INT_64 = range(-(2**31), 2**31), range(-(2**63), 2**63)
SMALL = {"v", "hb", "max_msg", "part", "parts", "skipped", "ms", "rev", "r", "g", "b", "ct"}
"""Whole numbers that a C# `int` must hold; all others are `long`."""

Fields = dict[str, object]
"""A class: its fields by name, each "bool", "int", "long", "float", "string", a class, or a list of one of these."""


def csharp(kind: object, name: str) -> object:
    """The C# type of a field's annotation."""
    if typing.get_origin(kind) is typing.Literal:
        return "string"
    if typing.get_origin(kind) is list:
        (item,) = typing.get_args(kind)
        return [csharp(item, name)]
    assert isinstance(kind, type)
    assert not isinstance(kind, types.GenericAlias), f"{name}: {kind}"
    if issubclass(kind, BaseModel):
        return {key: csharp(field.annotation, key) for key, field in kind.model_fields.items()}
    if issubclass(kind, StrEnum):
        return "string"
    whole = "int" if name in SMALL else "long"
    return {bool: "bool", int: whole, float: "float", str: "string"}[kind]


def one_class() -> Fields:
    """All fields of all messages in one class; a name that has two types cannot be."""
    found: Fields = {}
    for model in MODELS:
        for name, field in model.model_fields.items():
            kind = csharp(field.annotation, name)
            assert found.setdefault(name, kind) == kind, f"{model.__name__}.{name} has another type elsewhere"
    return found


INCOMING = one_class()


def read(value: object, kind: object, path: str) -> None:
    """What `JsonUtility.FromJson` does with a value; what it would drop or garble fails."""
    match kind:
        case "bool":
            assert isinstance(value, bool), path
        case "int" | "long":
            assert isinstance(value, int), path
            assert not isinstance(value, bool), path
            assert value in (INT_32 if kind == "int" else INT_64), path
        case "float":
            assert isinstance(value, int | float), path
            assert not isinstance(value, bool), path
        case "string":
            assert isinstance(value, str), path
        case [item]:
            assert isinstance(value, list), path
            assert not isinstance(item, list), f"{path}: a list of lists"
            for each in value:
                read(each, item, f"{path}[]")
        case dict():
            assert isinstance(value, dict), path
            assert value.keys() <= kind.keys(), path
            for name, inner in value.items():
                read(inner, kind[name], f"{path}.{name}")
        case _:
            pytest.fail(f"{path}: JsonUtility knows no {kind}")


def values(kind: object, name: str) -> "st.SearchStrategy[typing.Any]":
    """Anything a field may hold."""
    if typing.get_origin(kind) is typing.Literal:
        return st.sampled_from(typing.get_args(kind))
    if typing.get_origin(kind) is list:
        (item,) = typing.get_args(kind)
        return st.lists(values(item, name), max_size=3)
    assert isinstance(kind, type)
    if issubclass(kind, BaseModel):
        return st.builds(kind, **{key: values(f.annotation, key) for key, f in kind.model_fields.items()})
    if issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    numbers = INT_32 if name in SMALL else INT_64
    return {
        bool: st.booleans(),
        int: st.integers(numbers.start, numbers.stop - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: st.text(max_size=20),
    }[kind]


@pytest.mark.parametrize("model", MODELS)
def test_every_server_message_is_read_into_one_flat_class(model: type[BaseModel]):
    @settings(max_examples=100, deadline=None)
    @given(values(model, ""))
    def holds(message: BaseModel) -> None:
        text = message.model_dump_json()
        assert "null" not in re.sub(r'"(\\.|[^"\\])*"', "", text)
        read(json.loads(text), INCOMING, model.__name__)

    holds()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "string"),
        ({"a": 1}, "string"),
        ("1", "int"),
        (2**31, "int"),
        (True, "int"),
        ([[1]], [["int"]]),
        ("x", ["string"]),
    ],
)
def test_what_unity_cannot_read_is_seen(value: object, kind: object):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        read(value, kind, "value")


@pytest.mark.parametrize("model", [Auth, Seen, Ping])
def test_a_number_that_comes_back_to_a_client_fits_its_long(model: type[BaseModel]):
    for name, field in model.model_json_schema()["properties"].items():
        if field["type"] == "integer" and name not in SMALL:
            assert field["minimum"] in INT_64, name
            assert field["maximum"] in INT_64, name


def test_the_classes_in_the_document_have_the_types_that_are_sent():
    text = (Path(__file__).parents[3] / "docs/twin.md").read_text()
    classes = dict(re.findall(r"\[Serializable\] public class (\w+) \{(.*?)\}\n", text))
    lamp = INCOMING["devices"]
    assert isinstance(lamp, list)
    for name, kind in (("Incoming", INCOMING), ("Lamp", lamp[0]), ("LampState", lamp[0]["state"])):
        for declared, names in re.findall(r"public ([\w\[\]]+) ([\w, ]+);", classes[name]):
            for field in names.split(", "):
                assert same(declared, kind[field]), f"{name}.{field} is {declared}"


def same(declared: str, kind: object) -> bool:
    """Whether a C# declaration holds what a field sends."""
    if isinstance(kind, list):
        return declared.endswith("[]") and same(declared.removesuffix("[]"), kind[0])
    if isinstance(kind, dict):
        return declared in {"Lamp", "LampState"}
    return declared == kind or (declared, kind) == ("long", "int")
