"""Files where Hadoop finds them: HDFS, object stores, local folders.

Everything goes by the JVM's ``FileSystem``, whose credentials and connectors Spark has anyway.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dedup.errors import InputError, OutputNotEmptyError, OutputNotWritableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read: ``uri`` as Spark names it, ``name`` for people, ``text_id`` its path below
    the folder or pattern ``group`` (``""``: named itself), ``size`` and ``modified`` (bytes,
    milliseconds)."""

    uri: str
    name: str
    text_id: str
    group: str
    size: int
    modified: int


class Files:
    """A Hadoop file system seen from the driver."""

    def __init__(self, spark: SparkSession) -> None:
        jvm: Any = spark._jvm
        context: Any = spark._jsc
        self._path = jvm.org.apache.hadoop.fs.Path
        self._bytes = jvm.org.apache.commons.io.IOUtils
        self._conf = context.hadoopConfiguration()

    def _open(self, uri: str) -> tuple[Any, Any]:
        path = self._path(uri)
        return path.getFileSystem(self._conf), path

    def exists(self, uri: str) -> bool:
        """Whether there is a file or folder."""
        system, path = self._open(uri)
        return bool(system.exists(path))

    def read_json(self, uri: str) -> Any:
        """The content of a small JSON file."""
        return json.loads(self._whole(uri))

    def _whole(self, uri: str) -> bytes:
        system, path = self._open(uri)
        stream = system.open(path)
        try:
            return bytes(self._bytes.toByteArray(stream))
        finally:
            stream.close()

    def head(self, uri: str, count: int) -> bytes:
        """The first bytes of a file."""
        system, path = self._open(uri)
        stream = system.open(path)
        try:
            found = bytearray()
            while len(found) < count and (byte := stream.read()) >= 0:
                found.append(byte)
            return bytes(found)
        finally:
            stream.close()

    def write(self, uri: str, data: bytes) -> None:
        """Write a small file whole: beside, then renamed."""
        system, path = self._open(uri)
        beside = self._path(f"{uri}.part")
        stream = system.create(beside, True)
        try:
            stream.write(data)
        finally:
            stream.close()
        system.delete(path, False)
        self._renamed(system, beside, path)

    def rename(self, source: str, target: str) -> None:
        """Rename a folder; raises ``OutputNotWritableError`` where the file system refuses."""
        system, path = self._open(source)
        self._renamed(system, path, self._path(target))

    def _renamed(self, system: Any, source: Any, target: Any) -> None:
        if not system.rename(source, target):
            names = f"{source.toString()}: could not be renamed to {target.toString()}"
            raise OutputNotWritableError(f"{names}; the same command tries again")

    def delete(self, uri: str) -> None:
        """Delete a file or folder, if there is one."""
        system, path = self._open(uri)
        system.delete(path, True)

    def qualified(self, uri: str) -> str:
        """The full URI of a path, without a slash at its end."""
        system, path = self._open(uri)
        return str(system.makeQualified(path).toString()).rstrip("/")

    def matches(self, pattern: str) -> list[str]:
        """URIs of the files and folders that match a pattern."""
        return [status.getPath().toString() for status in self._matches(pattern)]

    def _matches(self, pattern: str) -> list[Any]:
        system, path = self._open(pattern)
        return list(system.globStatus(path) or ())

    def below(self, uri: str) -> list[InputFile]:
        """The files below a folder that Spark would read, by their URIs."""
        system, path = self._open(uri)
        if not system.exists(path):
            return []
        found = self._below(system, system.getFileStatus(path))
        names = ((file, file.getPath().getName()) for file in found)
        own = [_input_file(file, name, name, uri) for file, name in names if name[:1] not in "._"]
        return sorted(own, key=lambda file: file.uri)

    def content(self, uri: str) -> bytes | None:
        """The content of a small file; ``None`` where there is none."""
        from py4j.protocol import Py4JJavaError

        try:
            return self._whole(uri)
        except Py4JJavaError as error:
            if "FileNotFound" in error.java_exception.getClass().getName():
                return None
            raise

    def modified(self, uri: str) -> int | None:
        """When a file was written last, by its file system; ``None`` where there is none."""
        found = self._matches(uri)
        return int(found[0].getModificationTime()) if found else None

    def create(self, uri: str, data: bytes) -> bool:
        """Write a small file where there is none; false where there is one."""
        system, path = self._open(uri)
        from py4j.protocol import Py4JJavaError

        try:
            stream = system.create(path, False)
        except Py4JJavaError:
            if system.exists(path):
                return False
            raise
        try:
            stream.write(data)
        finally:
            stream.close()
        return True

    def names(self, uri: str) -> list[str]:
        """The names in a folder, sorted."""
        system, path = self._open(uri)
        return sorted(status.getPath().getName() for status in system.listStatus(path))

    def check_output(self, uri: str, overwrite: bool) -> None:
        """Refuse an output folder that holds anything but, with ``overwrite``, a former run.

        Raises :class:`~dedup.errors.OutputNotEmptyError`.
        """
        if not self.exists(uri):
            return
        names = self.names(uri)
        if names and not overwrite:
            raise OutputNotEmptyError(
                f"{uri}: the output folder is not empty; choose another one or add --overwrite"
            )
        if names and "run.json" not in names:
            raise OutputNotEmptyError(
                f"{uri}: has no run.json, so it is no former run; --overwrite leaves it alone"
            )

    def find(self, given: str) -> list[InputFile]:
        """The files that an input names: itself, those below a folder, or what matches a pattern.

        Files and folders whose names begin with a dot or an underscore are left out, as Spark
        does. Raises :class:`~dedup.errors.InputError` where there is nothing.
        """
        system, path = self._open(given)
        matches = system.globStatus(path)
        if not matches:
            raise InputError(f"{given}: no such file or folder, or no match of the pattern")
        statuses = list(matches)
        is_pattern = any(char in given for char in "*?[{")
        found: list[InputFile] = []
        if len(statuses) == 1 and not is_pattern and statuses[0].isFile():
            return [_input_file(statuses[0], given, given.rsplit("/", 1)[-1], "")]
        root = given.rstrip("/")
        if is_pattern:
            fixed = given
            while any(char in fixed for char in "*?[{"):
                fixed = fixed.rpartition("/")[0]
            root = fixed or "."
        base = system.makeQualified(self._path(root)).toUri().getPath().rstrip("/")
        for status in statuses:
            for file in self._below(system, status):
                below = file.getPath().toUri().getPath()[len(base) + 1 :]
                if any(part[:1] in "._" for part in below.split("/")):
                    continue
                found.append(_input_file(file, f"{root}/{below}", below, given))
        if not found:
            raise InputError(f"{given}: holds no files to read")
        return sorted(found, key=lambda file: file.text_id)

    def _below(self, system: Any, status: Any) -> Iterator[Any]:
        if status.isFile():
            yield status
            return
        files = system.listFiles(status.getPath(), True)
        while files.hasNext():
            yield files.next()


def _input_file(status: Any, name: str, text_id: str, group: str) -> InputFile:
    return InputFile(
        status.getPath().toString(),
        name,
        text_id,
        group,
        int(status.getLen()),
        int(status.getModificationTime()),
    )
