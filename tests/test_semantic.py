"""The semantic step: encoders from local folders, and what they widen.

Most tests use a graph made here, of a few hundred bytes; the last ones a real model, which
``make encoder`` puts into ``.encoder``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dumps import ROOT, write_jsonl

import dedup
from dedup.encoder import load_encoder
from dedup.errors import MissingExtraError, UsageError

WORDS = ("[UNK]", "[CLS]", "harbour", "pilot", "storm", "mayor", "budget", "school")
TEXTS = ["harbour pilot", "storm", "mayor budget school budget", "", "harbour " * 40, "words apart"]


def make_model(
    folder: Path, *, pooled: bool = False, asks: str = "attention_mask", seed: int = 1
) -> Path:
    """An encoder that gives each word a random vector of 16 numbers."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder.mkdir(parents=True, exist_ok=True)
    vectors = np.random.default_rng(seed).normal(size=(len(WORDS), 16)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["vectors", "input_ids"], ["tokens"]),
        # So that the mask is used, and the graph keeps it.
        helper.make_node("Cast", [asks], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["tokens", "wide"], ["last_hidden_state"]),
    ]
    outputs = [("last_hidden_state", ["texts", "tokens", 16])]
    if pooled:
        nodes.append(
            helper.make_node(
                "ReduceMax", ["last_hidden_state"], ["sentence_embedding"], axes=[1], keepdims=0
            )
        )
        outputs.append(("sentence_embedding", ["texts", 16]))
    graph = helper.make_graph(
        nodes,
        "words",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", asks)
        ],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in outputs],
        [
            numpy_helper.from_array(vectors, "vectors"),
            numpy_helper.from_array(np.array([2], np.int64), "last"),
        ],
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), folder / "model.onnx")
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", 1)]
    )
    # What a folder's tokenizer states about padding and length must not matter.
    tokenizer.enable_padding(length=50)
    tokenizer.enable_truncation(3)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def pool_by(folder: Path, mode: str) -> Path:
    (folder / "modules.json").write_text(
        json.dumps([{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}])
    )
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{mode}": True}))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "words")


# --- encoders ------------------------------------------------------------------------------------


def test_vectors_have_length_one(model):
    vectors = load_encoder(model).encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 16)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-6)


def test_a_vector_depends_on_its_text_alone(model):
    encoder = load_encoder(model)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert (encoder.encode(TEXTS, threads=3) == alone).all()
    assert (encoder.encode(TEXTS[::-1]) == alone[::-1]).all()
    assert encoder.encode([]).shape[0] == 0


def test_it_pools_as_the_folder_says(tmp_path):
    folder = make_model(tmp_path / "m")
    mean = load_encoder(folder).encode(["harbour pilot", "storm"])
    assert (
        load_encoder(pool_by(folder, "mean_tokens")).encode(["harbour pilot"]) == mean[:1]
    ).all()
    first = load_encoder(pool_by(folder, "cls_token")).encode(["harbour pilot", "storm"])
    assert (first[0] == first[1]).all(), "both begin with the same token"
    assert not (first[0] == mean[0]).all()
    with pytest.raises(UsageError, match="pooling_mode_max_tokens"):
        load_encoder(pool_by(folder, "max_tokens"))


def test_a_pooled_output_is_taken_as_it_is(tmp_path):
    pooled = load_encoder(make_model(tmp_path / "a", pooled=True)).encode(["harbour pilot"])
    mean = load_encoder(make_model(tmp_path / "b")).encode(["harbour pilot"])
    assert pooled.shape == mean.shape
    assert not np.allclose(pooled, mean)


def test_length_is_bounded_by_the_folder(tmp_path):
    folder = make_model(tmp_path / "m")
    long, longer = "harbour " * 8 + "mayor " * 8, "harbour " * 8 + "school " * 8
    encoder = load_encoder(folder)
    one, two = encoder.encode([long, longer])
    assert not np.allclose(one, two), "the tokenizer's own bound of three does not hold"
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 9}')
    one, two = load_encoder(folder).encode([long, longer])
    assert (one == two).all()


def test_the_digest_stands_for_weights_and_settings(tmp_path):
    one = load_encoder(make_model(tmp_path / "one"))
    assert (one.name, one.digest) == ("one", load_encoder(tmp_path / "one").digest)
    assert load_encoder(make_model(tmp_path / "same")).digest == one.digest
    assert load_encoder(make_model(tmp_path / "other", seed=2)).digest != one.digest
    assert load_encoder(pool_by(tmp_path / "same", "cls_token")).digest != one.digest


def test_what_cannot_be_used_is_said(tmp_path):
    with pytest.raises(UsageError, match="not a folder"):
        load_encoder(tmp_path / "absent")
    with pytest.raises(UsageError, match=r"neither model\.onnx nor"):
        load_encoder(tmp_path)
    folder = make_model(tmp_path / "asks", asks="pixel_values")
    with pytest.raises(UsageError, match="asks for 'pixel_values'"):
        load_encoder(folder)
    folder = make_model(tmp_path / "damaged")
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(UsageError, match="cannot be loaded"):
        load_encoder(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UsageError, match=r"tokenizer\.json is missing"):
        load_encoder(folder)
    folder = make_model(tmp_path / "dense")
    (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
    with pytest.raises(UsageError, match="step 'Dense'"):
        load_encoder(folder)


def test_pickled_weights_and_foreign_code_are_refused(tmp_path):
    kind = "sentence_transformers.models.Transformer"
    (tmp_path / "modules.json").write_text(json.dumps([{"type": kind}]))
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch taken'\ntR.")
    with pytest.raises(UsageError, match=r"no \.safetensors"):
        load_encoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "modules.json").write_text('[{"type": "custom_code.Model"}]')
    with pytest.raises(UsageError, match=r"code of its own \(custom_code\.Model\)"):
        load_encoder(tmp_path)


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
def test_a_missing_package_names_its_command(model, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dedup\[semantic\]'"):
        load_encoder(model)


def test_sentence_transformers_are_asked_for_by_name(tmp_path, monkeypatch):
    kind = "sentence_transformers.models.Transformer"
    (tmp_path / "modules.json").write_text(json.dumps([{"type": kind}]))
    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    with pytest.raises(UsageError, match="pip install sentence-transformers"):
        load_encoder(tmp_path)


# --- widening ------------------------------------------------------------------------------------

FIRST = (
    (
        "The harbour authority of Wexmouth said on Monday that fourteen freighters had been "
        "waiting for a pilot since Thursday night because of the storm."
    ),
    (
        "The harbour authority of Wexmouth said fourteen freighters had waited for a pilot since "
        "Thursday night, blaming heavy weather and thick fog."
    ),
)
SECOND = (
    "Several sailors were injured and taken to hospital by helicopter.",
    "A number of seamen got hurt and were flown to a clinic.",
)
OWN = (
    "Bakers in Dunholm baked nine thousand loaves for the festival while choirs rehearsed hymns.",
    "The orchestra of Pellbrook tuned violins beneath chandeliers glittering above velvet seats.",
)
A, B = (f"{FIRST[i]} {SECOND[i]} {OWN[i]}" for i in (0, 1))
LEAD = (
    "Nine tugboats brought diesel, bread and blankets from Dunholm to the stranded crews Sunday.",
    "On Sunday nine tugboats from Dunholm brought bread, blankets and diesel to stranded crews.",
)
RECORDS = [
    {"id": "a", "outlet": "one.example", "text": f"{LEAD[0]} {A}"},
    {"id": "b", "outlet": "two.example", "text": f"{LEAD[1]} {B}"},
    {"id": "c", "outlet": "three.example", "text": f"{FIRST[0]} Nobody was hurt in Wexmouth."},
]


class Opinion:
    """An encoder that finds the second sentences alike, and no others."""

    name, digest = "opinion", "0" * 16

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts, *, threads=1):
        rows = np.zeros((len(texts), 100), np.float32)
        for row, text in zip(rows, texts, strict=True):
            self.asked.append(text)
            row[0 if f"{text}." in SECOND else len(self.asked)] = 1
        return rows


def spans(a: str, b: str, semantic=None) -> list[tuple[str, str]]:
    found = dedup.compare(a, b, semantic=semantic)
    return [(a[m.a_start : m.a_end], b[m.b_start : m.b_end]) for m in found]


def test_a_reworded_match_takes_in_the_sentence_beside_it():
    ((one, two),) = spans(A, B)
    assert "sailors" not in one, "words alone do not find it"
    assert "seamen" not in two
    ((wide_one, wide_two),) = spans(A, B, Opinion())
    assert wide_one == f"{FIRST[0]} {SECOND[0]}".rstrip(".")
    assert wide_two == f"{FIRST[1]} {SECOND[1]}".rstrip(".")
    assert [p[::-1] for p in spans(B, A, Opinion())] == [(wide_one, wide_two)]


def test_similarity_is_that_of_the_wider_spans():
    from oracles import tfisf_cosine

    (match,) = dedup.compare(A, B, semantic=Opinion())
    one, two = (match.a_start, match.a_end), (match.b_start, match.b_end)
    assert match.similarity == pytest.approx(tfisf_cosine(A, one, B, two), abs=2e-6)
    least = dedup.compare(A, B)[0].similarity - 1e-4
    strict = dedup.Settings(min_similarity=least)
    assert dedup.compare(A, B, strict, semantic=Opinion()) == dedup.compare(A, B, strict), (
        "a match that would fall below the bound stays as it was"
    )


def test_verbatim_matches_are_left_alone():
    one, two = (f"{FIRST[0]} {SECOND[i]} {OWN[i]}" for i in (0, 1))
    encoder = Opinion()
    assert spans(one, two, encoder) == spans(one, two)
    assert encoder.asked == []


def test_a_match_alone_is_widened_by_its_neighbours_only():
    far = " ".join(OWN[0].replace("Bakers", w) for w in ("Millers", "Coopers", "Tailors", "Smiths"))
    assert spans(f"{FIRST[0]} {far} {SECOND[0]}", B, Opinion()) == spans(
        f"{FIRST[0]} {far} {SECOND[0]}", B
    )


def test_seeds_are_taken_in_from_near_to_far_and_never_touch_another_match():
    from dedup.semantic import absorb, mutual

    boxes = [(10, 11, 20, 21), (16, 17, 30, 31)]
    absorb(boxes, [(13, 23), (15, 25), (9, 19), (40, 50)], [0])
    assert boxes == [(9, 15, 19, 25), (16, 17, 30, 31)]
    boxes = [(10, 11, 20, 21), (12, 12, 40, 40)]
    absorb(boxes, [(13, 22)], [0])
    assert boxes[0] == (10, 11, 20, 21), "the other match would lie inside"
    cosine = np.array([[0.9, 0.7], [0.95, 0.59], [0.1, 0.65]], np.float32)
    assert mutual(cosine) == [(1, 0)], "the second column's best row prefers the first column"
    assert mutual(np.array([[0.8, 0.1], [0.2, 0.6]], np.float32)) == [(0, 0), (1, 1)]
    assert mutual(np.empty((0, 3), np.float32)) == []


def test_a_scan_widens_matches_but_relates_by_words(scan_records):
    plain, result = scan_records(RECORDS), scan_records(RECORDS, semantic=Opinion())
    relation = {(r["a"], r["b"]): r["relation"] for r in plain.relations.to_pylist()}
    assert relation["a", "b"] in ("partial", "copy"), "the example is reworded narrative"
    wide = {(m["a"], m["b"]): m for m in result.matches.to_pylist()}
    assert RECORDS[0]["text"][: wide["a", "b"]["a_end"]].endswith("by helicopter")
    for name in ("near_misses", "passages", "groups", "sources"):
        kept = [n for n in plain.tables[name].column_names if n != "file"]
        assert result.tables[name].select(kept) == plain.tables[name].select(kept), name
    for old, new in zip(plain.relations.to_pylist(), result.relations.to_pylist(), strict=True):
        assert {**old, "score": 0} == {**new, "score": 0}
    for old, new in zip(plain.articles.to_pylist(), result.articles.to_pylist(), strict=True):
        assert new["share_copied"] >= old["share_copied"]
        assert {k: new[k] for k in ("group", "source")} == {k: old[k] for k in ("group", "source")}
    assert result.run["semantic"] == {
        "model": "opinion",
        "digest": "0" * 16,
        "passages_encoded": 9,
        "matches_widened": 1,
    }
    assert "semantic" not in plain.run
    assert result.run["fingerprint"] != plain.run["fingerprint"]


def test_order_and_threads_do_not_matter(scan_records, model):
    one = scan_records(RECORDS, semantic=model, threads=1)
    two = scan_records(RECORDS[::-1], files=2, semantic=load_encoder(model), threads=3)
    for name in ("relations", "near_misses", "matches", "groups"):
        assert one.tables[name].to_pylist() == two.tables[name].to_pylist()


def test_batches_do_not_matter(scan_records, model, monkeypatch):
    one = scan_records(RECORDS, semantic=model)
    monkeypatch.setattr("dedup.semantic.BATCH", 1)
    assert scan_records(RECORDS, semantic=model).matches == one.matches


def test_the_commands_take_a_folder(tmp_path, model):
    dump = write_jsonl(tmp_path / "dump.jsonl", RECORDS)
    for part in ("a", "b"):
        (tmp_path / f"{part}.txt").write_text(A)
    for arguments in (
        ["scan", str(dump), "--out", str(tmp_path / "out"), "--quiet", "--overwrite"],
        ["compare", str(tmp_path / "a.txt"), str(tmp_path / "b.txt"), "--json"],
    ):
        command = [sys.executable, "-m", "dedup", *arguments, "--semantic"]
        done = subprocess.run([*command, str(model)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        done = subprocess.run([*command, "absent"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 2
        assert "absent: not a folder" in done.stderr
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["semantic"]["digest"] == load_encoder(model).digest


# --- a real model --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    """all-MiniLM-L6-v2, or what ``DEDUP_ENCODER`` names."""
    folder = Path(os.environ.get("DEDUP_ENCODER") or ROOT / ".encoder")
    if not folder.is_dir():
        pytest.skip(f"no model at {folder}: run `make encoder`, or set DEDUP_ENCODER")
    return load_encoder(folder)


def test_a_real_model_agrees_with_sentence_transformers(real):
    texts = [
        "The cat sat on the mat.",
        "A cat was sitting on a rug.",
        "Stocks fell sharply on Monday.",
    ]
    if real.digest != "5a38e30cb4d9c5f1":
        pytest.skip("figures are those of all-MiniLM-L6-v2")
    v = real.encode(texts)
    # By sentence-transformers 6.2 on PyTorch 2.13, for the same weights.
    wanted = [[1, 0.7422789, 0.05664051], [0.7422789, 1, 0.08519547], [0.05664051, 0.08519547, 1]]
    assert v @ v.T == pytest.approx(np.array(wanted), abs=2e-5)


def test_a_real_model_knows_rewording_and_is_deterministic(real):
    texts = [*SECOND, *OWN, "", "Short."]
    alone = np.concatenate([real.encode([text]) for text in texts])
    assert (real.encode(texts[::-1], threads=2)[::-1] == alone).all()
    cosine = alone @ alone.T
    assert cosine[0, 1] > 0.6 > max(cosine[0, 2], cosine[1, 3], cosine[2, 3])
    ((one, two),) = spans(A, B, real)
    assert one.endswith("by helicopter")
    assert two.endswith("flown to a clinic")


def test_the_sample_keeps_its_groups_under_a_real_model(real, sample):
    result = dedup.scan(ROOT / "data" / "sample" / "articles.jsonl", semantic=real, threads=1)
    assert result.groups["core"].to_pylist() == sample.groups["core"].to_pylist()
