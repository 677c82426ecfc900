"""Speech by other signs than quotation marks: tweets, dialogues, block quotations."""

from __future__ import annotations

import pytest
from oracles import Writer

from dedup.collection import as_texts, collect
from dedup.speech import Speech


def read(text: str) -> list[tuple[str, bool, bool]]:
    """The passages of a text: words, whether said, whether introduced."""
    c = collect(as_texts([text]))
    s = Speech.of(c.p_speech)
    spans = zip(c.p_start.tolist(), c.p_end.tolist(), strict=True)
    return [(text[a:b], bool(s.said[p]), bool(s.introduced[p])) for p, (a, b) in enumerate(spans)]


def said(text: str) -> list[str]:
    return [words for words, is_said, _ in read(text) if is_said]


def signatures(text: str) -> list[str]:
    c = collect(as_texts([text]))
    found = Speech.of(c.p_speech).signature.nonzero()[0].tolist()
    return [text[c.p_start[p] : c.p_end[p]] for p in found]


def introduced(text: str) -> list[str]:
    return [words for words, _, is_introduced in read(text) if is_introduced]


def test_quotation_marks_are_speech():
    text = "He left. “We shall never again sail to the northern islands.” She stayed."
    assert said(text) == ["We shall never again sail to the northern islands"]


@pytest.mark.parametrize("date", ["March 3, 2018", "3 de marzo de 2018", "2018年3月3日"])
@pytest.mark.parametrize("dash", ["—", "–", "-"])
def test_a_signed_tweet_is_speech(date, dash):
    text = (
        "The mayor was not amused.\n\n"
        f"The harbour is CLOSED! Go home, all of you {dash} Ada Lindqvist (@ada_l) {date}\n\n"
        "Nobody went home."
    )
    found = said(text)
    assert found[0] == "The harbour is CLOSED"
    assert found[1].startswith("Go home")
    assert len(found) == 2


def test_a_signature_is_no_speech_itself():
    text = "The harbour is closed. — Ada Lindqvist (@ada_l) March 3, 2018\n\nNobody went home."
    assert said(text) == ["The harbour is closed"]
    assert signatures(text) == ["Ada Lindqvist (@ada_l) March 3, 2018"]


def test_a_signature_on_a_line_of_its_own_signs_the_line_before():
    signature = "— Ada Lindqvist (@ada) March 3, 2018"
    text = f"Nobody asked.\n\nThe harbour is closed.\n\n{signature}\n\nSo it was."
    found = said(text)
    assert "The harbour is closed" in found
    assert not {"Nobody asked", "So it was"} & set(found)


def test_two_tweets_in_a_row_end_at_each_other():
    first = "The harbour is closed — Ada Lindqvist (@ada) March 3, 2018"
    second = "It is open again — Bo Lindqvist (@bo) March 4, 2018"
    text = f"Two tweets. \n\n{first}\n\n{second}\n\nThe end."
    assert set(said(text)) & {"Two tweets", "The end"} == set()
    assert len(said(text)) >= 2


@pytest.mark.parametrize(
    "text",
    [
        "He writes as @ada and she (@bo) reads it. Nothing else happened in 2018.",
        "Follow the reporter — Ada Lindqvist (@ada) writes about harbours.",
        "Write to (ada@harbour.example) – before May 3.",
        "It ended 3 - 2 (@ home) on May 3.",
    ],
)
def test_a_handle_alone_signs_nothing(text):
    assert said(text) == []


def test_a_tweet_reaches_back_so_far_and_no_farther():
    w = Writer("long")
    story = " ".join(w.sentences(30))
    text = f"{story} The harbour is closed — Ada Lindqvist (@ada) March 3, 2018"
    assert 1 <= len(said(text)) <= 8


def test_a_dialogue_names_its_speakers():
    w = Writer("dialogue")
    lines = []
    for k in range(4):
        lines += [
            f"Ada Lindqvist: {w.sentence()} {w.sentence()}",
            *([w.sentence()] if k == 2 else []),
            f"THE MAYOR: {w.sentence()}",
        ]
    text = "\n\n".join([w.sentence(), *lines])
    passages = read(text)
    assert not passages[0][1]
    assert all(is_said for _, is_said, _ in passages[1:])


def test_labels_before_a_colon_are_no_dialogue():
    """One label that recurs, names that do not, words in small letters."""
    w = Writer("labels")
    for tags in (["RELATED"] * 6, ["Monday", "Tuesday", "Friday", "Sunday"], ["he said"] * 6):
        text = "\n\n".join(f"{tag}: {w.sentence()}" for tag in tags)
        assert said(text) == []


def test_a_line_that_ends_in_a_colon_introduces():
    text = (
        "The company put it like this:\n\nNo ship was lost. No oil was spilt.\n\nThat was not true."
    )
    assert introduced(text) == ["No ship was lost"]
    assert said(text) == [], "it takes another article to tell a quotation from a list"


@pytest.mark.parametrize("head", ["Advertisement:", "ANALYSIS/OPINION:", "He said: no.", "Yes"])
def test_headings_do_not_introduce(head):
    assert introduced(f"{head}\n\nNo ship was lost.") == []


def test_texts_in_another_spelling_keep_their_quotation_marks():
    """Decomposed accents: offsets are those of the text as read, marks hold all the same."""
    text = "Le prêtre dit: «Nous n’irons plus jamais à la préfecture de Québec.» Il partit."
    import unicodedata

    for form in ("NFC", "NFD"):
        assert len(said(unicodedata.normalize(form, text))) == 1


@pytest.mark.parametrize("text", ["", " ", "(@", "— (@a) 1", "— A (@abc) 1", ":\n\n:", "a:\n\nb"])
def test_nothing_much_to_read(text):
    read(text)
