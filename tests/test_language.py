# ruff: noqa: E501 - texts read better as one line each
"""Languages told from the words of a text, or not told."""

from __future__ import annotations

import pytest

from dedup.collection import as_texts, collect
from dedup.language import detect_languages

TEXTS = {
    "en": "The minister said on Monday that the harbour would be closed for the winter, and that freight would go by rail.",
    "de": "Der Minister sagte am Montag, dass der Hafen im Winter geschlossen wird und die Fracht mit der Bahn fahren soll.",
    "fr": "Le ministre a dit lundi que le port serait fermé pour l’hiver et que le fret irait par le rail, selon lui.",
    "es": "El ministro dijo el lunes que el puerto estará cerrado durante el invierno y que la carga irá por tren, según él.",
    "it": "Il ministro ha detto lunedì che il porto sarà chiuso per l’inverno e che le merci andranno con il treno.",
    "pt": "O ministro disse na segunda-feira que o porto vai ficar fechado no inverno e que a carga não irá por navio.",
    "nl": "De minister zei maandag dat de haven deze winter dicht blijft en dat de vracht met het spoor zal gaan.",
    "id": "Menteri mengatakan pada hari Senin bahwa pelabuhan itu akan ditutup selama musim dingin dan barang akan diangkut dengan kereta.",
    "ru": "Министр сказал в понедельник, что порт будет закрыт на зиму и что грузы пойдут по железной дороге.",
    "ar": "قال الوزير يوم الاثنين إن الميناء سيغلق خلال فصل الشتاء وإن البضائع سوف تنقل عن طريق السكك الحديدية في البلاد.",
    "hi": "मंत्री ने सोमवार को कहा कि बंदरगाह सर्दियों में बंद रहेगा और माल रेल से भेजा जाएगा।",
    "zh": "部长星期一表示，港口将在冬季关闭，货物将通过铁路运输，他说这是我们没有办法的办法。",
    "ja": "大臣は月曜日に、港を冬の間閉鎖し、貨物は鉄道で運ぶことになると述べた。これは初めてのことである。",
    "ko": "장관은 월요일 항구가 겨울 동안 문을 닫을 것이며 화물은 철도로 갈 것이라고 말했다. 이것은 그가 할 수 있는 것이다.",
}


def languages(*texts: str) -> list[str | None]:
    return detect_languages(collect(as_texts(texts)))


@pytest.mark.parametrize("code", TEXTS)
def test_one_text(code):
    assert languages(TEXTS[code]) == [code]


def test_a_batch_is_its_texts_one_by_one():
    assert languages(*TEXTS.values()) == list(TEXTS)


@pytest.mark.parametrize("text", ["", "...", "12 34 56", "Xyzzy plugh", "🚢"])
def test_too_little_tells_nothing(text):
    assert languages(text) == [None]


def test_a_stated_language_stands(scan_records):
    result = scan_records(
        [{"id": "a", "text": TEXTS["de"], "language": "nds"}, {"id": "b", "text": TEXTS["de"]}]
    )
    assert result.articles["language"].to_pylist() == ["nds", "de"]


def test_no_texts():
    assert languages() == []
