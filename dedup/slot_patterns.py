"""The wording of credit slots, language by language; :mod:`dedup.slots` says how it is used.

Every pattern runs over a bounded window and has no nested quantifiers.
"""

from __future__ import annotations

import re

from dedup.agencies import words

PHOTO_AFTER = re.compile(
    r"\s?(?:/\s?(?!Ipsos|NORC|PBS|Des |Morning)[A-Z][\w.]|photos?\b|photograph|images?\b|"
    r"pictures?\b|file\b|foto\b|via Getty|pool\b|video\b|graphic\b|handout)",
    re.IGNORECASE,
)
PHOTO_BEFORE = re.compile(
    r"(?:\b(?:photos?|photograph(?:er|s|y)?|image|images|picture|pictures|caption|courtesy|foto|"
    r"fotos|gambar|ilustrasi|dok|getty|imago|bild|immagine|фото|снимок|ảnh|hình|fotoğraf)\b|"
    r"图片|圖片|图源|圖：|图：|写真|撮影|사진|صورة|الصورة|//|[\w.]\s?/|\bvia|\|)[^.\n]{0,40}$",
    re.IGNORECASE,
)
PHOTO_TIGHT = re.compile(r"(?://|[\w.]\s?/|\bvia\s|\|\s?|—)\s*$")
PHOTO_PAREN = re.compile(
    r"[(\[]\s?(?:photos?|foto|image|picture|credit)\b[^)\]\n]{0,80}$", re.IGNORECASE
)
PHOTO_LINE = re.compile(
    r"\b(?:photos?|foto|image|picture|fotografia|bild|фото)\s?:|写真|图片|사진", re.IGNORECASE
)
FURNITURE = re.compile(
    r"\W*(?:baca juga|baca selengkapnya|baca terus|simak juga|lihat juga|read more|also read|"
    r"read also|read:|related|recommended|see also|more from|more:|watch:|lire aussi|lea también|"
    r"lee también|leia também|leia mais|mehr zum thema|lesen sie auch|leggi anche|"
    r"читайте также|читать|xem thêm|ilgili haber|lees ook|相关阅读|延伸阅读|関連記事|관련기사|"
    r"اقرأ أيضا|ikuti berita)",
    re.IGNORECASE,
)

OPEN = "([（【〔/／="
CLOSE = re.compile(
    r"(?:[/,;+]\s?[A-Za-zÀ-ž.]{2,15}){0,2}(?:\s[-–]\s[A-Z][a-z]{2,8}\.?\s\d{1,2},?\s\d{4})?"
    r"\s*[)\]）】〕/／]"
)
DASH = re.compile(r"\s{0,3}(?:[-–—―−:=_]|\.\s?[-–—]|[.।](?:\s|$))")
BODY = re.compile(r"\s{0,2}[\"“‘'«]?[A-ZÀ-Þ\u0620-\u06ff\u0900-\u097f]")
DATED = re.compile(
    r"\d|जनवरी|फरवरी|फ़रवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|सितम्बर|अक्टूबर|नवंबर|नवम्बर|दिसंबर|दिसम्बर"
)
CAPITAL_PLACE = re.compile(
    r"(?:^|[.)\]\"”:;>|]\s{0,4}|\s\s)[A-ZÀ-Þ][A-ZÀ-Þ.'’,/ -]{2,40}"
    r"(?:[A-Z][a-z.]{2,12}\.?\s?\d{0,2}\s?)?$"
)
PARTICLES = words(
    "de del della di da do dos das la le les el al of and et y e i en den der am im s"
)
CHINESE_WIRE = re.compile(r"[^。，,\n]{0,25}\d{1,2}\s?日[^。，,\n]{0,12}[电電]")
CHINESE_REPORTER = re.compile(r"[^）)\n]{0,40}[电電][）)]")
KOREAN_PLACE = re.compile(r"[(\[【（][^)\]\n]{1,20}=\s?$")
JAPANESE_PLACE = re.compile(r"【[^】\n]{0,15}$")
THEN_PLACE = re.compile(r",\s{0,2}[A-Z][^\n.!?–—-]{1,40}\s?[-–—]")
DASHED = re.compile(r"\s{0,2}(?:[-–—]{1,2}\s|\.\s)")
SELF_SIGNATURE = re.compile(r"\s?[,/]\s?([^)\n]{2,60})[)]\s*(?:\n|$)")
LINE_END = re.compile(r"\s*[=<]?\s*(?:\n|$)")
INITIALS = re.compile(r"(?:\s[A-Z]{2,4})?\s[a-z]{2,4}/?[ \t]*(?:\n|$)")
LIST = re.compile(r"\s?[–/,+&-]\s?")
SIGN_OFF = re.compile(r"[^()（）\n]{0,30}[)）/／]\.?[ \t]*(?:[\w./-]{1,15}[ \t]*)?(?:\n|$)")
SIGNED = re.compile(r"(?:^|[\n.!?”\"’)]\s{0,2})[-–—]{1,3}\s{0,2}$")
SIGNED_END = re.compile(r"(?:\s?[/,]\s?[A-Za-zÀ-ž]{2,15}){0,2}\.?[ \t]*(?:\n|$)")
ACCORDING = re.compile(r"\W{0,3}(?:theo|nguồn)\s(?:báo\s|hãng\s(?:tin\s)?)?$", re.IGNORECASE)
SPLIT = re.compile(r"[\s,;/+&·]+")

LABEL = re.compile(
    r"(?:^|[\s.。)(（\[|•*>])"
    r"(?:sumber(?: berita| artikel)?|sources?|quellen?|fuentes?|fonte|fonti|источник|джерело|"
    r"来源|來源|文章来源|稿件来源|消息来源|稿源|出典|配信元|출처|المصدر|مصدر|منبع|स्रोत|ที่มา|nguồn|kaynak|bron|"
    r"źródło|zdroj|kilde|källa|lähde|izvor|forrás|sursa)\s{0,2}[:：]\s{0,3}(?P<between>[^.\n:：]{0,40})$",
    re.IGNORECASE,
)
LABEL_END = re.compile(r"\s{0,2}(?:\n|$|[).,;/|】）。•-]|[–—]|and\b|dan\b|und\b|y\b|e\b|&|\(|\d)")

RIGHTS = re.compile(
    r"(?P<mark>©|\(c\)|copyrights?|hak cipta|版权所有|版權所有)[\s©]{0,3}(?:\(c\))?\s{0,2}"
    r"(?P<year>\d{4}(?:\s?[-–]\s?\d{4})?)?[\s,]{0,3}(?:by\s|the\s|de\s|der\s)?(?:the\s)?$",
    re.IGNORECASE,
)
RIGHTS_END = re.compile(r"\s{0,2}(?:\d{4}|all rights|\.|,|\n|$|tous droits|alle rechte)", re.I)

RIGHTS_ALL = re.compile(r"\s?\d{0,4}\.?\s{0,2}(?:all rights|tous droits|alle rechte)", re.I)

CONTRIBUTED = re.compile(
    r"contribut(?:ed|ing)\s(?:to\s(?:this|the|these)\s(?:\w+\s)?(?:report|story|article|post|piece|"
    r"file|column)\w*|(?:additional\s)?reporting|from\b|here)|"
    r"contributed\.?\s*(?:\n|$)|"
    r"(?:was|were) used in this (?:report|story|article)"
)
NEW_SENTENCE = re.compile(r"[a-z]{4}[.!?][\"”]?\s")
HELPED = re.compile(
    r"(?:^|[\n.(•—–-])\s{0,3}(?:contributing|contributors?|additional reporting|"
    r"(?:with )?reporting|with additional reporting|with files|with contributions?|"
    r"with material|with information|"
    r"written with|con información|con datos|com informações|avec l['’]|avec|mit material|"
    r"mit informationen|mit|met informatie|dengan laporan)"
    r"(?P<by> by| from| de| da| do| del| von| van)?"
    r"[:\s]{1,3}(?P<between>[^.\n]{0,160})$",
    re.IGNORECASE,
)
HELPED_END = re.compile(r"\s{0,2}(?:\n|$|[.);,/&]|and\b|und\b|et\b|y\b|e\b)")
PUBLISHED_BY = re.compile(
    r"\b(?:this|the)\s(?:story|article|report|piece|column|post|dispatch)\s[^.\n]{0,40}"
    r"(?:published|produced|provided|distributed|written|supplied|appeared|reported)\s"
    r"(?:first\s)?(?:by|in|on|at|from)\s(?:the\s)?$|"
    r"\b(?:republished|reprinted|reproduced|syndicated)\s(?:with permission\s)?"
    r"(?:from|by)\s(?:the\s)?$",
    re.IGNORECASE,
)

BY = re.compile(
    r"\W{0,3}(?:by|oleh|von|por|par|di|da|door|av|af|от|laporan|تقرير)\s", re.IGNORECASE
)
JOB = re.compile(
    r"(?:['’]s)?\s{0,2}(?:(?:news|national|political|staff|white house|sports|business|medical|"
    r"science|special|congressional|military|legal|diplomatic)\s){0,3}"
    r"(?:writers?|reporters?|correspondents?|staff|editor|journalist|news agency|newsroom)?\s{0,2}"
    r"(?:=?\r?\n|$|\||•|·|[–—-]|\(|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z.]*\s\d|\d|"
    r"published|updated|posted)",
    re.IGNORECASE,
)
PERSON = re.compile(r"\W{0,3}[A-ZÀ-Þ][^\n.:;?!()]{2,60},\s(?:the\s)?$", re.IGNORECASE)


HELPS = re.compile(
    r"\W{0,3}(?:contribut|additional reporting|with |reporting|con |com |avec|mit |met |dengan )",
    re.IGNORECASE,
)


HELP_WORDS = (
    "contribut", "eporting", "with ", "con ", "com ", "avec", "mit ", "met ", "dengan laporan"
)  # fmt: skip

LABEL_WORDS = words(
    "sumber berita artikel source sources quelle quellen fuente fuentes fonte fonti kaynak bron "
    "zdroj kilde izvor sursa"
)
RIGHTS_WORDS = words("copyright copyrights c cipta")
HELP_STARTS = words(
    "contributing contributor contributors additional reporting with written con com avec mit met "
    "dengan theo"
)
PUBLISH_WORDS = words(
    "published produced provided distributed written supplied appeared reported republished "
    "reprinted reproduced syndicated contributed contributing used"
)
STORY_WORDS = words(
    "story article report piece column post dispatch republished reprinted reproduced syndicated "
    "contributed contributing"
)
"""Words of ASCII letters without which the patterns above match nothing."""
