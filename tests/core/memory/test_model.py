"""A model is a folder of a person's own: loaded whole or refused by name; its vectors are kept, and may be lost."""

from __future__ import annotations

import os
import pathlib
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from overmind_core.memory.model import Model, ModelError
from overmind_core.memory.note_texts import Text
from overmind_core.memory.vector_file import VectorFile
from overmind_core.memory.vectors import VectorIndex
from tests.kit.tiny_model import make_model

NOTES = [
    Text("N-1", "a1", "repo shop", "the database needs sql"),
    Text("N-2", "b1", "repo shop", "redis is the bucket"),
    Text("N-3", "c1", "repo other", "postgres"),
    Text("N-4", "d1", "repo shop", "words that the model has never seen"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model(str(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="module")
def model(folder):
    return Model.load(folder)


def index(tmp_path, model, notes=NOTES):
    made = VectorIndex(VectorFile(str(tmp_path / "vectors.db"), model.name), model)
    made.update(notes)
    return made


def test_a_vector_is_the_mean_of_its_tokens_and_unknown_words_are_nothing(model):
    one, same, none = model.embed(["database sql", "sql database", "never"])
    assert np.allclose(one, same)
    assert np.linalg.norm(one) == pytest.approx(1.0)
    assert not none.any()


def test_it_finds_what_means_the_same_in_the_scopes_that_were_asked_for(model, tmp_path):
    found = index(tmp_path, model).nearest("postgres", ["repo shop"], 5)
    assert [note for note, _ in found] == ["N-1"]
    assert found[0][1] > 0.9


class Counting(Model):
    """A model that knows what it was asked for."""

    def __init__(self, folder):
        loaded = Model.load(folder)
        super().__init__(loaded.name, loaded._tokenizer, loaded._matrix)
        self.asked = []

    def embed(self, texts):
        self.asked += texts
        return super().embed(texts)


def test_vectors_outlive_their_worker_and_go_with_their_notes(folder, model, tmp_path):
    index(tmp_path, model)
    counting = Counting(folder)
    again = index(tmp_path, counting, [*NOTES[1:], Text("N-5", "e1", "repo shop", "ship")])
    assert counting.asked == ["ship"]
    assert again.nearest("release", ["repo shop"], 5)[0][0] == "N-5"
    once_more = Counting(folder)
    index(tmp_path, once_more)
    assert once_more.asked == [NOTES[0].text]


@pytest.mark.parametrize("damage", [b"", b"no database", os.urandom(5000)], ids=["empty", "text", "noise"])
def test_a_damaged_file_of_vectors_is_made_anew(model, tmp_path, damage):
    (tmp_path / "vectors.db").write_bytes(damage)
    assert index(tmp_path, model).nearest("postgres", ["repo shop"], 5)
    assert index(tmp_path, model).nearest("cache", ["repo shop"], 5)


def test_vectors_of_another_model_are_not_used(model, tmp_path):
    index(tmp_path, model)
    other = Model.load(make_model(str(tmp_path / "other"), more=4))
    assert index(tmp_path, other).nearest("postgres", ["repo shop"], 5)[0][0] == "N-1"


def broken(folder, tmp_path, name):
    copy = str(tmp_path / "copy")
    shutil.copytree(folder, copy)
    tokenizer, matrix = os.path.join(copy, "tokenizer.json"), os.path.join(copy, "model.safetensors")
    match name:
        case "no tokenizer":
            os.unlink(tokenizer)
        case "no matrix":
            os.unlink(matrix)
        case "two matrices":
            shutil.copy(matrix, os.path.join(copy, "b.safetensors"))
        case "no JSON":
            pathlib.Path(tokenizer).write_text("{")
        case "cut":
            os.truncate(matrix, 40)
        case "32-bit floats":
            save_file({"embedding": np.zeros((20, 8), dtype=np.float32)}, matrix)
        case "too few rows":
            save_file({"embedding": np.zeros((2, 8), dtype=np.float16)}, matrix)
        case "no folder":
            shutil.rmtree(copy)
    return copy


CASES = {
    "no tokenizer": "has no tokenizer.json",
    "no matrix": "has 0 files",
    "two matrices": "has 2 files",
    "no JSON": "tokenizer.json: ",
    "cut": "model.safetensors: ",
    "32-bit floats": "one matrix of 16-bit floats",
    "too few rows": "has 2 rows for 10 tokens",
    "no folder": "No such file",
}


@pytest.mark.parametrize("name", CASES)
def test_a_folder_that_is_no_model_is_refused_by_name(folder, tmp_path, name):
    with pytest.raises(ModelError, match=CASES[name]):
        Model.load(broken(folder, tmp_path, name))
