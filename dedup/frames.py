"""Citation frames: the words around a name that cite it for a fact ("Reuters reported").

Scripts with spaces are read word by word from the name outwards, skipping what only describes
the name ("the official ... news agency"); Chinese, Japanese and Korean by short patterns. All
windows are bounded, so a name costs the same wherever it stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dedup.agencies import Strictness, words

if TYPE_CHECKING:
    from dedup.slots import Hit, Span

LEFT = 80
RIGHT = 64
NEAR = 40
"""Distance in characters within which a citation verb supports a distinctive name."""

_WORD = re.compile(r"[\w'’]+(?:-[\w'’]+)?|[^\w\s]")
_SENTENCE_END = re.compile(r"[.!?…]['\"”’»)]{0,2}\s|[。！？\n]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


_AGENCY_WORDS = words(
    "agency agencies newswire wire berita agencia agências agência agencias agence agenzia "
    "nachrichtenagentur agentur presseagentur агентство агентству агентства агентством агентстве "
    "информагентство информагентству агенство агентства وكالة لوكالة ووكالة وكالات persbureau "
    "nieuwsagentschap agencija agencije agencji agencja agentura agentury hãng ajansı ajansının "
    "ajansına nyhetsbyrån nyhedsbureauet nyhetsbyrået uutistoimisto"
)
"""Words that, beside a name, say that it is an agency."""

_DESCRIPTORS = _AGENCY_WORDS | words(
    "the a an and its news official state state-run state-owned state-controlled government-run "
    "government semi-official local national media newspaper paper newspapers magazine network "
    "channel website site outlet broadcaster television tv cable domestic foreign international "
    "reporters reporter journalists correspondents unnamed affiliate affiliated "
    "chinese china's russian russia's korean korea's north south iranian iran's japanese japan's "
    "turkish turkey's turkey german germany's french italian spanish indian indonesian malaysian "
    "saudi syrian egyptian qatari british american us u.s uk israeli ukrainian "
    "kantor resmi nasional pemerintah negara media milik yang dikelola korea utara selatan korut "
    "korsel china cina tiongkok rusia jepang jerman prancis inggris iran turki as amerika serikat "
    "malaysia situs laman portal surat kabar koran harian televisi stasiun majalah lembaga "
    "de del la el las los oficial estatal noticias prensa notícias diário jornal diario cadena "
    "francesa china rusa española alemana italiana portuguesa norcoreana surcoreana "
    "presse officielle officiel d'État d’état d'information stampa ufficiale notizie quotidiano "
    "der die das den dem deutsche deutschen amtliche amtlichen staatliche staatlichen chinesische "
    "chinesischen russische russischen französische französischen zeitung "
    "l l' l’ d d' d’ dell' dell’ all' all’ dall' dall’ "
    "новостное информационное информационного официальное государственное российское китайское "
    "газета газете телеканал телеканалу "
    "الأنباء للأنباء أنباء الرسمية الحكومية الفرنسية الصينية الروسية التركية الإيرانية صحيفة "
    "قناة شبكة موقع إن "
    "thông tấn xã tin báo đài resmî resmi haber het de staatspersbureau Chinese Russische krant"
)
_CONNECTORS = words(
    "to by with from of in on for at as via dari oleh kepada di dalam pada ke a à al au aux par "
    "con por en per da do pelo pela à alla allo von gegenüber mit bei in "
    "в из с со по от для агентству aan door aan bởi từ của trên عن من في على إلى ل مع لـ"
)

_SAY_LEFT = words(
    # English
    "told tells telling according citing cited cites quoting quoted quotes reported reports "
    "obtained interview interviewed spoke speaking said says confirmed published provided "
    "reviewed seen viewed revealed disclosed statement comment email first-reported "
    "compiled conducted commissioned "
    # Indonesian, Malay
    "menurut dikutip mengutip kata dilansir melansir dilaporkan dilapor lapor lansir mengatakan "
    "diberitakan dinukil menukil merujuk seperti laporan memetik dipetik ujar diwartakan "
    "berdasarkan melalui disiarkan disampaikan "
    # Spanish, Portuguese, French, Italian
    "según segun informó informa dijo dijeron declaró reportó citó citando cita citado citada "
    "recogió recoge publicó publicado entrevista explicó aseguró confirmó señaló detalló comunicó "
    "segundo informou informa disse disseram relatou citando afirmou declarou conforme divulgou "
    "selon d'après d’après après déclaré dit indiqué rapporté rapporte affirmé annoncé confié "
    "précisé citant cité expliqué confirmé appris secondo riferisce riferito riporta riportato "
    "detto dichiarato citando citato spiegato scrive cita "
    # German, Dutch
    "laut nach sagte berichtet berichtete meldet meldete zitiert teilte meldeten berichteten "
    "volgens meldt meldde zei bericht zegt "
    # Russian, Ukrainian
    "сообщает сообщило сообщил сообщила сообщили передает передаёт передало передал пишет "
    "цитирует данным информации ссылкой сообщению заявил заявила рассказал рассказали рассказала "
    "сообщениям словам интервью уточнили отметили ссылаясь сообщалось повідомляє повідомило "
    "повідомив даними посиланням передає "
    # Arabic
    "نقلا نقلاً بحسب حسب وفق وفقا وفقاً قالت ذكرت أفادت نقلت أوردت أعلنت أكدت وقالت وذكرت وأفادت "
    "ونقلت وأوردت صرح أبلغ مقابلة تصريح تصريحات قال أضافت وأضافت نشرت ونشرت نقلته أوردته طبقا كشفت "
    # Turkish, Vietnamese, Polish, Czech, Scandinavian
    "aktardı göre theo dẫn trích według podał podała powiedział ifølge enligt uppger sier sagde "
    "podle řekl uvedl sdělil informovala"
)
_SAY_RIGHT = words(
    "reported reports report said says writes wrote noted notes found finds confirmed revealed "
    "obtained quoted quotes cited cites citing published learned learnt asked declared disclosed "
    "projected projects counted estimates estimated announced added adds described broke refused "
    "called quoting reporting carried released showed shows tweeted "
    "melaporkan memberitakan mengatakan menyebut menyebutkan mewartakan mengutip melansir menulis "
    "lapor menyatakan mengungkapkan mengumumkan menyiarkan "
    "informó informa dijo reportó citó publicó recogió señaló confirmó indicó reveló difundió "
    "informou disse relatou divulgou publicou noticiou afirmou "
    "rapporte rapporté indique indiqué affirme annonce annoncé écrit cite "
    "riferisce riporta scrive cita informa "
    "berichtet berichtete meldet meldete zitiert zufolge schreibt sagte berichteten mitteilte "
    "meldt meldde bericht berichtte schrijft "
    "сообщает сообщило сообщил сообщила передает передаёт передало пишет цитирует "
    "уточняет отмечает "
    "повідомляє повідомило передає пише "
    "قالت ذكرت أفادت نقلت أوردت أعلنت نشرت كشفت عن "
    "göre bildirdi aktardı duyurdu yazdı haberine'göre đưa cho dẫn podał podała podaje informuje "
    "rapporterar rapporterer skriver melder uppger uvedla informovala píše"
)
_UNMISTAKABLE_LEFT = words(
    "dikutip dilansir mengutip melansir citing citando citant quoting reported-by"
)
_UNMISTAKABLE_RIGHT = words(
    "reported reports melaporkan memberitakan berichtet berichtete meldet meldete informó rapporte "
    "сообщает передает передаёт riferisce zufolge"
)
_ADVERBS = words(
    "has had have first also later earlier previously today yesterday on monday tuesday wednesday "
    "thursday friday saturday sunday this week reportedly now subsequently then recently "
    "exclusively "
    "juga kemudian pada resmi telah sebelumnya ha han hat hatte a ont am also уже ранее "
    "also também "
    "también aussi anche auch ook da bugün dün là và đã senin selasa rabu kamis jumat sabtu minggu "
    "haberine muhabirine muhabirinin haberinde ajansının"
)
_NOUNS = words(
    "interview poll polls survey surveys analysis report review tally count investigation story "
    "exclusive host anchor contributor correspondent reporter reporters commentator columnist "
    "analyst pundit debate correspondents editorial column article op-ed special journalist "
    "journalists editor producer segment"
)
_LEFT_NOUNS = _NOUNS | words("laporan wawancara entrevista entretien intervista")
_POLL = re.compile(r"\s?[/–-]\s?[A-Z][^.\n]{0,60}\b(?:poll|survey)")
_QUOTED_BY = re.compile(r"[”\"]\s{1,3}([A-ZÀ-Þ][^”\".\n]{2,40},\s(?:the\s)?)$", re.IGNORECASE)
_OUTLET_LEFT = words("on in to by with from for di dari pada en sur dans su in bei via")

_CJK_LEFT = re.compile(
    r"(?:据|據|引述|援引|引用|告诉|告訴|接受|转引|轉引|綜合|综合|根据|根據|依據|向|对|對)[^。！？，,\n]{0,10}$"
)
_CJK_RIGHT = re.compile(
    r"[\"”」』》]?(?:通讯社|通訊社|通信社?|新闻|新聞)?[^。！？，,、\n]{0,12}?"
    r"(?:报道|報道|報導|报导|消息|称|稱|说|說|指出|援引|引述|专访|專訪|采访|獨家|独家|披露|公布|"
    r"によると|によれば|に対し|の取材|が報じ|は報じ|が伝え|は伝え|が配信|"
    r"따르면|보도|전했|인용|밝혔|와의 인터뷰)"
)
_CJK_CLOSE = re.compile(
    r"[^。！？\n]{0,20}?(?:따르면|보도|전했|인용|によると|によれば|[电電](?=[，,：:]))"
)
_ARABIC_TO = words("وفقا وفقاً قال قالت طبقا تصريح تصريحات صرح مقابلة أوضح أكد خلافا وقال وقالت")


def citation(text: str, hit: Hit) -> Span | None:
    """The span of the citation that ``hit`` stands in, name and frame, or ``None``.

    A distinctive name is also taken where a citation verb stands within :data:`NEAR` characters
    of the same sentence; other names need the frame to touch them; ambiguous ones an
    unmistakable verb or a word such as "agency" beside them.
    """
    start, end = hit.start, hit.end
    if (
        _CJK.match(text, start)
        or _CJK.match(text[end : end + 1])
        or _CJK.match(text[max(0, start - 1) : start])
    ):
        return _cjk(text, hit)
    left = text[max(0, start - LEFT) : start]
    # '… is leveraged.” David Fickling, Bloomberg' on a line of its own quotes the outlet.
    if text[end : end + 1] in ("\n", "") and left.rstrip()[-1:] == ",":
        quoted = _QUOTED_BY.search(left)
        if quoted:
            return start - len(left) + quoted.start(1), end
    cut = 0
    for stop in _SENTENCE_END.finditer(left):
        cut = stop.end()
    base = start - len(left) + cut
    right = text[end : end + RIGHT]
    ends = _SENTENCE_END.search(right)
    if ends:
        right = right[: ends.start()]
    before = [(m.group().lower(), base + m.start()) for m in _WORD.finditer(left[cut:])]
    after = [(m.group().lower(), end + m.end()) for m in _WORD.finditer(right)]

    strictness = hit.strictness
    index = len(before) - 1
    connector = ""
    skipped = 0
    while index >= 0 and skipped < 9:
        word = before[index][0]
        if word in _AGENCY_WORDS and skipped < 5:
            strictness = Strictness.SAFE
        if word in _DESCRIPTORS or word in "\"“‘'«„":
            pass
        elif word in _CONNECTORS and not connector:
            connector = word
        else:
            break
        skipped += 1
        index -= 1
    adverbs = 0
    position = 0
    while position < len(after) and position < 7:
        word = after[position][0]
        if word in _AGENCY_WORDS and position < 3:
            strictness = Strictness.SAFE
        if word in _ADVERBS:
            adverbs += 1
        elif word not in _DESCRIPTORS and word not in "\"”’'»)s":
            break
        position += 1

    said = before[index][0] if index >= 0 else ""
    says = after[position][0] if position < len(after) else ""
    if strictness is Strictness.AMBIGUOUS:
        if said in _UNMISTAKABLE_LEFT:
            return before[index][1], end
        if says in _UNMISTAKABLE_RIGHT:
            return start, after[position][1]
        return None
    if said in _SAY_LEFT:
        return before[index][1], end
    if says in _SAY_RIGHT:
        return start, after[position][1]
    if _arabic_object(text, start, before):
        return before[-1][1], end
    if said in _LEFT_NOUNS and connector in (
        "for",
        "from",
        "by",
        "in",
        "di",
        "dari",
        "con",
        "avec",
    ):
        return before[index][1], end
    poll = _POLL.match(text, end)
    if poll:
        return start, poll.end()
    possessive = _possessive(text, hit, after)
    if possessive is not None:
        return start, possessive
    if says in _NOUNS and not adverbs:
        return start, after[position][1]
    if hit.outlet:
        if strictness is Strictness.SAFE and connector in _OUTLET_LEFT:
            return before[index + 1][1], end
        return None
    if strictness is Strictness.SAFE:
        name = before[index + 1][1] if index + 1 < len(before) else start
        near = any(w in _SAY_LEFT for w, at in before if name - at <= NEAR)
        near = near or any(w in _SAY_RIGHT for w, at in after if at - end <= NEAR)
        if near:
            return start, end
    return None


def _possessive(text: str, hit: Hit, after: list[tuple[str, int]]) -> int | None:
    """End of "CNN's Jake Tapper", "AP's tally", "Fox News' Chris Wallace"; ``None`` otherwise."""
    if text[hit.end : hit.end + 1] not in ("'", "’"):
        return None
    at = hit.end + 1 + (text[hit.end + 1 : hit.end + 2] == "s")
    if text[at : at + 1] != " ":
        return None
    following = [word for word in after if word[1] > at]
    if text[at + 1 : at + 2].isupper() and hit.outlet and following:
        return following[0][1]
    if following and following[0][0] in _NOUNS:
        return following[0][1]
    return None


def _arabic_object(text: str, start: int, before: list[tuple[str, int]]) -> bool:
    """``قال لرويترز``, ``وفقا لرويترز``: the preposition is written onto the name."""
    if text[start - 1 : start] != "ل" or len(before) < 2:
        return False
    return any(word in _ARABIC_TO for word, _ in before[-4:])


def _cjk(text: str, hit: Hit) -> Span | None:
    start, end = hit.start, hit.end
    if hit.strictness is Strictness.AMBIGUOUS:
        return None
    left = text[max(0, start - 24) : start]
    found = _CJK_LEFT.search(left)
    if found:
        return start - len(left) + found.start(), end
    found = _CJK_RIGHT.match(text, end, end + 40) or _CJK_CLOSE.match(text, end, end + 40)
    if found:
        return start, found.end()
    return None
