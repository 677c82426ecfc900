"""Settings: ranges, names, TOML, the fingerprint."""

from __future__ import annotations

import dataclasses

import pytest

from dedup.config import ReadSettings, Settings, brought_forward, load_toml, settings_from
from dedup.errors import SettingsError, UsageError

FIELDS = dataclasses.fields(Settings)
NAMES = [f.name for f in FIELDS]


@pytest.mark.parametrize("field", FIELDS, ids=NAMES)
def test_both_ends_of_the_range_are_allowed_and_nothing_beyond(field):
    low, high = field.metadata["low"], field.metadata["high"]
    # Keep partial_share <= copy_share while one of them moves.
    rest = {"copy_share": {"partial_share": 0.01}, "partial_share": {"copy_share": 1.0}}.get(
        field.name, {}
    )
    for value in (low, high):
        assert getattr(Settings(**{field.name: value}, **rest), field.name) == value
    for value in (low - 1, high + 1, -(10**30)):
        with pytest.raises(SettingsError, match=f"'{field.name}'.*between"):
            Settings(**{field.name: value}, **rest)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value", [None, "0.5", True, False, [1], float("nan"), float("inf")], ids=repr
)
def test_what_is_no_number_is_refused(name, value):
    with pytest.raises(SettingsError, match=f"'{name}'"):
        Settings(**{name: value})


@pytest.mark.parametrize("name", [f.name for f in FIELDS if f.type == "int"])
def test_whole_numbers_stay_whole(name):
    with pytest.raises(SettingsError, match="whole number"):
        Settings(**{name: 3.5})


def test_a_whole_number_serves_as_a_real_one():
    assert Settings(min_information=60) == Settings(min_information=60.0)
    assert (
        Settings(min_information=60).fingerprint() == Settings(min_information=60.0).fingerprint()
    )


def test_partial_share_stays_below_copy_share():
    with pytest.raises(SettingsError, match=r"partial_share.*copy_share"):
        Settings(copy_share=0.1, partial_share=0.2)


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().seed = 2  # type: ignore[misc]


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_changes_the_fingerprint(name):
    default = Settings()
    value = getattr(default, name)
    other = value + 1 if name in {"min_information"} or isinstance(value, int) else value + 0.05
    changed = dataclasses.replace(default, **{name: other})
    assert changed.fingerprint() != default.fingerprint()
    assert len(default.fingerprint()) == 16
    assert Settings().fingerprint() == default.fingerprint()


def test_reading_has_no_part_in_the_fingerprint():
    assert not set(NAMES) & {f.name for f in dataclasses.fields(ReadSettings)}


def test_every_setting_says_what_it_is():
    for field in FIELDS:
        assert len(field.metadata["help"]) > 20
        assert field.metadata["help"].endswith(".")


def test_toml(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("sensitivity = 0.5\nseed = 7\n")
    assert settings_from(load_toml(path)) == Settings(sensitivity=0.5, seed=7)
    path.write_bytes(b"\xef\xbb\xbfseed = 7\n")
    assert settings_from(load_toml(path)) == Settings(seed=7), "a byte order mark is no key"


@pytest.mark.parametrize(
    "content", ["seed 7", "seed = ", "\xff".encode("latin-1"), "seed = 1\nseed = 2"]
)
def test_broken_toml_names_the_file(tmp_path, content):
    path = tmp_path / "settings.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError, match=r"settings\.toml: not valid TOML"):
        load_toml(path)


def test_missing_toml_is_said(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read"):
        load_toml(tmp_path / "none.toml")


def test_unknown_names_list_the_known():
    with pytest.raises(
        SettingsError, match=r"mine: unknown setting 'tresh'; known are: .*sensitivity"
    ) as caught:
        settings_from({"tresh": 1}, origin="mine")
    assert isinstance(caught.value, UsageError)
    assert caught.value.exit_code == 2
    for name in NAMES:
        assert name in str(caught.value)


def test_round_trip():
    settings = Settings(sensitivity=0.33, seed=5)
    assert settings_from(settings.as_dict()) == settings


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "9"])
def test_limits_of_reading_are_positive_numbers(value):
    with pytest.raises(SettingsError, match="max_record_bytes"):
        ReadSettings(max_record_bytes=value)


@pytest.mark.parametrize("name", ["latin1", "WINDOWS-1252", "gb18030", "utf-16", "UTF8"])
def test_encodings_are_known_by_the_names_of_python(name):
    assert ReadSettings(encoding=name).encoding


@pytest.mark.parametrize(
    "name", ["", "klingon", "base64", "utf-7", "idna", "unicode_escape", "x\0"]
)
def test_what_is_no_encoding_of_texts_is_refused(name):
    with pytest.raises(SettingsError, match="encoding"):
        ReadSettings(encoding=name)


def test_what_was_only_a_default_follows_the_version():
    """An index keeps all its settings; those that its user never chose change with the version."""
    kept = Settings(sensitivity=0.3, min_prose_information=120.0, copy_share=0.6).as_dict()
    assert settings_from(brought_forward(kept, "1")) == Settings(copy_share=0.6)
    chosen = Settings(sensitivity=0.3)
    assert settings_from(brought_forward(chosen.as_dict(), "2")) == chosen
