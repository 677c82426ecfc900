"""Sentence encoders from a local folder, for the optional semantic re-ranker.

A folder with ``model.onnx`` (or ``onnx/model.onnx``) and ``tokenizer.json`` runs on
``onnxruntime``; any other folder that ``sentence-transformers`` can load runs on that. Nothing is
downloaded and nothing is unpickled: of PyTorch weights ``.safetensors`` alone are accepted.

Texts are encoded one at a time, on one thread each. So there is no padding, and a vector depends
on its text and the model alone, whatever else is encoded beside it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dedup.errors import DedupError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

GRAPHS = ("model.onnx", "onnx/model.onnx")
TOKENIZER = "tokenizer.json"
POOLED = "sentence_embedding"
"""Name under which exporters give the vector of the whole text."""
MOST_TOKENS = 512
"""Tokens of a text that are read where the folder states no other bound."""
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
KNOWN = ("Transformer", "Pooling", "Normalize")
"""Steps of a sentence-transformers model that are carried out here for an ONNX graph."""


class Encoder(Protocol):
    """Texts to vectors. ``name`` is the folder's, ``digest`` stands for all its files."""

    name: str
    digest: str

    def encode(self, texts: Sequence[str], *, threads: int = 1) -> NDArray[np.float32]:
        """Vectors of length 1, float32 (texts, width); a text without tokens has length 0."""
        ...


def load_encoder(path: str | os.PathLike[str]) -> Encoder:
    """The encoder in folder ``path``.

    Raises :class:`~dedup.errors.UsageError` when the folder holds no encoder that can be used,
    :class:`~dedup.errors.MissingExtraError` when a package is missing.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise UsageError(
            f"semantic model {folder}: not a folder; give a local folder with model.onnx and "
            "tokenizer.json (nothing is downloaded)"
        )
    graph = next((folder / name for name in GRAPHS if (folder / name).is_file()), None)
    if graph is not None:
        if not (folder / TOKENIZER).is_file():
            raise UsageError(f"semantic model {folder}: {TOKENIZER} is missing")
        return OnnxEncoder(folder, graph)
    if (folder / "modules.json").is_file():
        return TransformersEncoder(folder)
    raise UsageError(
        f"semantic model {folder}: holds neither model.onnx nor a sentence-transformers model "
        "(modules.json)"
    )


class OnnxEncoder:
    """An ONNX graph with its tokenizer.

    The graph gives one vector a text (two-dimensional output), or one a token, which is pooled as
    ``modules.json`` says: by the mean (also where it says nothing) or by the first token.
    """

    def __init__(self, folder: Path, graph: Path) -> None:
        purpose = "a semantic model in ONNX"
        onnxruntime = _package("onnxruntime", "semantic", purpose)
        tokenizers = _package("tokenizers", "semantic", purpose)
        self.name = folder.resolve().name
        self.digest = _digest(
            folder,
            # External weights lie beside the graph, under its name.
            [graph, *graph.parent.glob(f"{graph.name}[._]data*"), *_settings_files(folder)],
        )
        self._by_first = _pools_by_first(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
            self._tokenizer.enable_truncation(_most_tokens(folder))
            self._tokenizer.no_padding()
            self._session = onnxruntime.InferenceSession(
                str(graph), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both raise bare exceptions of their own
            raise UsageError(f"semantic model {folder}: cannot be loaded: {error}") from error
        self._inputs = [i.name for i in self._session.get_inputs()]
        if unknown := sorted(set(self._inputs) - set(INPUTS)):
            raise UsageError(
                f"semantic model {folder}: its graph asks for '{unknown[0]}'; known are: "
                f"{', '.join(INPUTS)}"
            )
        outputs = {o.name: len(o.shape or ()) for o in self._session.get_outputs()}
        self._output = POOLED if POOLED in outputs else next(iter(outputs))
        if outputs[self._output] not in (2, 3):
            raise UsageError(
                f"semantic model {folder}: its output '{self._output}' has "
                f"{outputs[self._output]} dimensions; expected one vector a text or a token"
            )

    def encode(self, texts: Sequence[str], *, threads: int = 1) -> NDArray[np.float32]:
        """See :class:`Encoder`."""
        with ThreadPoolExecutor(max(1, threads)) as pool:
            vectors = list(pool.map(self._vector, texts))
        return np.stack(vectors) if vectors else np.empty((0, 0), np.float32)

    def _vector(self, text: str) -> NDArray[np.float32]:
        tokens = self._tokenizer.encode(text)
        values = {
            "input_ids": tokens.ids,
            "attention_mask": tokens.attention_mask,
            "token_type_ids": tokens.type_ids,
        }
        # A text that the tokenizer finds empty is given to the graph as one masked token.
        empty = not tokens.ids
        feed = {name: np.array([values[name] or [0]], np.int64) for name in self._inputs}
        try:
            (output,) = self._session.run([self._output], feed)
        except Exception as error:
            raise DedupError(f"semantic model {self.name}: failed on a text: {error}") from error
        vector = np.asarray(output[0], np.float32)
        if vector.ndim == 2:
            vector = vector[0] if self._by_first else vector.mean(axis=0)
        length = np.linalg.norm(vector)
        return vector / length if length > 0 and not empty else np.zeros_like(vector)


class TransformersEncoder:
    """A folder as ``sentence-transformers`` saves it, run by that package on the processor."""

    def __init__(self, folder: Path) -> None:
        modules = _read_json(folder / "modules.json")
        foreign = [m["type"] for m in modules if not m["type"].startswith("sentence_transformers.")]
        if foreign:
            raise UsageError(f"semantic model {folder}: brings code of its own ({foreign[0]})")
        weights = sorted(folder.rglob("*.safetensors"))
        if not weights:
            raise UsageError(
                f"semantic model {folder}: has no .safetensors; other weights (pytorch_model.bin) "
                "can run code when they are loaded, and are refused"
            )
        # They ask for the hub even when a local folder is given.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
        package = _package("sentence_transformers", None, "a semantic model without model.onnx")
        self.name = folder.resolve().name
        self.digest = _digest(folder, [*weights, *_settings_files(folder)])
        try:
            self._model = package.SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except Exception as error:
            raise UsageError(f"semantic model {folder}: cannot be loaded: {error}") from error

    def encode(
        self,
        texts: Sequence[str],
        *,
        threads: int = 1,  # noqa: ARG002 - its own threads
    ) -> NDArray[np.float32]:
        """See :class:`Encoder`."""
        vectors = self._model.encode(
            list(texts), batch_size=1, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, np.float32)


def _package(name: str, extra: str | None, purpose: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if extra:
            raise MissingExtraError(name, extra, purpose) from error
        distribution = name.replace("_", "-")
        raise UsageError(
            f"{purpose} needs the package '{distribution}'. Install it with: pip install "
            f"{distribution}"
        ) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"semantic model: {path} cannot be read: {error}") from error


def _settings_files(folder: Path) -> list[Path]:
    """Whatever else in the folder bears on the vectors."""
    return [
        p for pattern in ("*.json", "*/*.json", "*.txt", "*.model") for p in folder.glob(pattern)
    ]


def _digest(folder: Path, files: Sequence[Path]) -> str:
    """16 hex digits of the names and bytes of ``files``."""
    total = hashlib.blake2b(digest_size=8)
    for path in sorted(set(files)):
        with path.open("rb") as handle:
            content = hashlib.file_digest(handle, "blake2b").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\n{content}\n".encode())
    return total.hexdigest()


def _most_tokens(folder: Path) -> int:
    """Tokens that the model reads of a text, by the first file that states it."""
    bounds = [
        _read_json(folder / "sentence_bert_config.json").get("max_seq_length"),
        _read_json(folder / "tokenizer_config.json").get("model_max_length"),
        _read_json(folder / "config.json").get("max_position_embeddings"),
    ]
    # "Unbounded" is written as a number of thirty digits.
    stated = [b for b in bounds if isinstance(b, int) and 1 < b <= 2**20]
    return stated[0] if stated else MOST_TOKENS


def _pools_by_first(folder: Path) -> bool:
    """Whether ``modules.json`` says that the first token stands for the text, not the mean."""
    for module in _read_json(folder / "modules.json") or ():
        kind = module["type"].rsplit(".", 1)[-1]
        if kind not in KNOWN:
            raise UsageError(
                f"semantic model {folder}: its step '{kind}' is not known for ONNX; use a graph "
                f"that gives '{POOLED}', with modules.json removed"
            )
        if kind == "Pooling":
            modes = _read_json(folder / module["path"] / "config.json")
            chosen = [k for k, v in modes.items() if k.startswith("pooling_mode_") and v is True]
            if chosen == ["pooling_mode_cls_token"]:
                return True
            if chosen not in ([], ["pooling_mode_mean_tokens"]):
                raise UsageError(f"semantic model {folder}: its pooling {chosen} is not known")
    return False
