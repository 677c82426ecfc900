"""Credits, mentions and false friends, language by language."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dedup.agencies import load
from dedup.attribute import Attributor

if TYPE_CHECKING:
    from dedup.model import Evidence

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "data" / "korea-china"
with (Path(__file__).parent / "false_friends.toml").open("rb") as handle:
    FALSE_FRIENDS: dict[str, list[str]] = tomllib.load(handle)
BODY = "The ministers met for a third day and agreed to meet again. " * 12


@pytest.fixture(scope="module")
def attributor() -> Attributor:
    return Attributor(load())


def found(
    attributor: Attributor, text: str, **fields: str
) -> tuple[list[Evidence], list[Evidence]]:
    values: dict[str, str | None] = dict.fromkeys(
        ("title", "byline", "url", "outlet_id", "metadata")
    )
    return attributor.evidence(ref="a", text=text, **{**values, **fields})


def sources(evidence: list[Evidence]) -> set[str]:
    return {e.source for e in evidence}


CREDITS = [
    # datelines
    ("ap", "WASHINGTON (AP) — The Senate voted on Monday."),
    ("ap", "SEVASTOPOL, Crimea (AP) — The vote began on Sunday."),
    ("ap", "FILE - A view of the dam. (AP Photo/J. Doe)\n\nORLANDO, Fla. (AP) — It rained."),
    ("reuters", "LONDON, June 1 (Reuters) - Shares rose."),
    ("reuters", "(Reuters) - Shares rose."),
    ("upi", "March 16 (UPI) — President Trump released his plan."),
    ("xinhua", "BEIJING, June 1 (Xinhua) -- China's exports grew."),
    ("pti", "New Delhi, Jun 1 (PTI) The court heard the case on Friday."),
    ("ani", "New Delhi [India], June 1 (ANI): The minister said."),
    ("efe", "Madrid, 11 may (EFE).- El Gobierno aprobó la ley."),
    ("europapress", "MADRID, 1 Jun. (EUROPA PRESS) - El paro baja."),
    ("lusa", "Lisboa, 01 jun 2026 (Lusa) - O Governo aprovou."),
    ("prensalatina", "La Habana, 1 jun (Prensa Latina) El presidente viajó."),
    ("afp", "PARIS (AFP) - Le gouvernement a annoncé."),
    ("dpa", "Berlin (dpa) - Die Regierung hat beschlossen."),
    ("dpa", "Berlin (dpa/tmn) - Wer reisen will, braucht Geduld."),
    ("epd", "Berlin (epd). Die Kirchen warnen."),
    ("ansa", "(ANSA) - ROMA, 01 GIU - Il governo ha approvato."),
    ("agi", "AGI - Il governo ha approvato la legge."),
    ("adnkronos", "Roma, 1 giu. (Adnkronos) - Il governo."),
    ("anp", "DEN HAAG (ANP) - Het kabinet besloot."),
    ("belga", "BRUSSEL (BELGA) - De regering besliste."),
    ("ctk", "Praha 1. června (ČTK) - Vláda schválila."),
    ("hina", "ZAGREB, 1. lipnja (Hina) - Vlada je odlučila."),
    ("tass", "МОСКВА, 25 ноября. /ТАСС/. Президент подписал указ."),
    ("tass", "MOSCOW, June 1. /TASS/. The president signed."),
    ("ria", "МОСКВА, 1 июн — РИА Новости. Президент подписал указ."),
    ("interfax", "Москва. 1 июня. INTERFAX.RU - Президент подписал указ."),
    ("aa", "ANKARA (AA) - Bakanlık açıkladı."),
    ("azertac", "Bakı, 1 iyun, AZƏRTAC\nPrezident sərəncam imzaladı."),
    ("gna", "Accra, June 1, GNA - The minister said."),
    ("irna", "Tehran, IRNA – The minister said."),
    ("wam", "ABU DHABI, 1st June, 2026 (WAM) -- The minister said."),
    ("antara", "Jakarta (ANTARA) - Presiden mengatakan hal itu."),
    ("antara", "JAKARTA (ANTARA) - Pemerintah menetapkan."),
    ("bernama", "KUALA LUMPUR, June 1 (Bernama) -- The minister said."),
    ("vna", "Hanoi (VNA) – The minister said."),
    ("petra", "Amman, June 1 (Petra) -- The King received."),
    ("reuters", "القاهرة (رويترز) - قال وزير الخارجية إن الاجتماع انتهى."),
    ("afp", "بيروت (أ ف ب) - اجتمع الوزراء."),
    ("sana", "دمشق-سانا\nاجتمع الوزراء اليوم."),
    ("xinhua", "新华社北京6月1日电（记者 王明）国务院总理1日会见来宾。"),
    ("cns", "中新社北京6月1日电 国务院总理会见来宾。"),
    ("cna_tw", "（中央社記者王明台北1日電）行政院今天宣布。"),
    ("kyodo", "【ワシントン共同】米大統領は1日、署名した。"),
    ("jiji", "【ニューヨーク時事】株価は続伸した。"),
    ("yonhap", "(서울=연합뉴스) 홍길동 기자 = 정부는 1일 발표했다."),
    ("newsis", "[서울=뉴시스] 홍길동 기자 = 정부는 1일 발표했다."),
    # sign-offs
    ("ritzau", BODY + "\n/ritzau/"),
    ("pap", BODY + "\n(PAP)\n\nabc/ def/"),
    ("tt", BODY + "\n/TT/"),
    ("ntb", BODY + " (©NTB)"),
    ("dpa", BODY + "\nrs/msh (AFP, dpa)"),
    ("afp", BODY + "\nrs/msh (AFP, dpa)"),
    # press releases
    ("businesswire", "NEW YORK--(BUSINESS WIRE)--Acme Corp today announced."),
    ("prnewswire", "NEW YORK, June 1, 2026 /PRNewswire/ -- Acme Corp today announced."),
    ("globenewswire", "NEW YORK, June 01, 2026 (GLOBE NEWSWIRE) -- Acme Corp announced."),
    # credit lines
    ("ap", BODY + "\nEditor: Yesa\n\nSumber: Associated Press\n\nTags"),
    ("reuters", "Kim menggunakan senjata nuklir. Sumber: Reuters\nPilihan Editor: Israel"),
    ("ap", BODY + "\nSource: AP"),
    ("dpa", BODY + "\nQuelle: dpa"),
    ("efe", BODY + "\nFuente: EFE"),
    ("ansa", BODY + "\nFonte: ANSA"),
    ("ria", BODY + "\nИсточник: РИА Новости"),
    ("xinhua", "国务院总理会见来宾。\n来源：新华社"),
    ("cns", "国务院总理会见来宾。\n（来源：中新网）"),
    ("yonhap", "정부는 발표했다.\n출처: 연합뉴스"),
    ("reuters", "اجتمع الوزراء.\nالمصدر: رويترز"),
    ("vna", "Thủ tướng tiếp khách.\nNguồn: TTXVN"),
    # copyright
    ("afp", BODY + "\n© 2021 AFP"),
    ("ap", BODY + "\nCopyright 2016 The Associated Press. All rights reserved."),
    ("antara", BODY + "\nPewarta: Budi\nEditor: Ani\nCOPYRIGHT © ANTARA 2021"),
    # contributions and acknowledgements
    ("ap", BODY + "\n\nThe Associated Press contributed to this report."),
    ("reuters", BODY + "\n\nThe Associated Press and Reuters contributed to this report."),
    ("ap", BODY + "\n\nAP writers J. Doe in Rome and A. Roe contributed to this report."),
    ("ap", BODY + "\n\nContributing: David Jackson, USA TODAY; The Associated Press"),
    ("reuters", BODY + "\n\nAdditional reporting by Reuters."),
    ("efe", BODY + "\n\nCon información de EFE"),
    ("bloomberg", BODY + "\n\nMaterial from Bloomberg News and AFP was used in this report."),
    ("afp", BODY + "\n\nMaterial from Bloomberg News and AFP was used in this report."),
    ("ap", BODY + "\n\nThis story was reported by The Associated Press."),
    # bylines in the text
    ("ap", "By JOHN SMITH, Associated Press\n\n" + BODY),
    ("ap", "By John Smith\nAssociated Press\n\n" + BODY),
    ("reuters", "By Reuters\n\n" + BODY),
    ("afp", "Von AFP\n\n" + BODY),
    # more languages
    ("ukrinform", "КИЇВ, 1 червня (Укрінформ) — Уряд ухвалив рішення."),
    ("ukrinform", BODY + "\nДжерело: Укрінформ"),
    ("unian", BODY + "\nДжерело: УНІАН"),
    ("irna", BODY + "\nمنبع: ایرنا"),
    ("isna", "تهران (ایسنا) - وزیر اعلام کرد که جلسه برگزار شد."),
    ("tasnim", BODY + "\nمنبع: تسنیم"),
    ("pti", "नई दिल्ली, एक जून (पीटीआई) सरकार ने सोमवार को घोषणा की।"),
    ("ians", "नई दिल्ली, 1 जून (आईएएनएस)। सरकार ने सोमवार को घोषणा की।"),
    ("pti", "नयी दिल्ली, एक जून (भाषा) सरकार ने सोमवार को घोषणा की।"),
    ("reuters", BODY + "\nस्रोत: रॉयटर्स"),
    ("tna", BODY + "\n- สำนักข่าวไทย"),
    ("reuters", BODY + "\nที่มา: รอยเตอร์"),
    ("vna", "Hà Nội (TTXVN) - Thủ tướng tiếp khách."),
    ("reuters", BODY + "\nNguồn: Reuters"),
    ("vna", "(TTXVN/Vietnam+)\nThủ tướng tiếp khách."),
    ("reuters", BODY + "\nTheo Reuters"),
    ("anp", "AMSTERDAM (ANP) - De rechtbank doet dinsdag uitspraak."),
    ("anp", BODY + "\nBron: ANP"),
    ("belga", BODY + "\n(Belga)"),
    ("dha", "İSTANBUL, (DHA) - Belediye açıkladı."),
    ("aa", BODY + "\nKaynak: AA"),
    ("iha", "ANKARA (İHA) - Bakan konuştu."),
    ("afp", "Paris, 1 juin 2026 (AFP) - Le gouvernement a annoncé."),
    ("afp", BODY + "\nSource : AFP"),
    ("afp", BODY + "\nAvec AFP"),
    ("afp", "Par AFP\n\n" + BODY),
    ("ansa", "ROMA, 01 GIU (ANSA) - Il governo ha approvato."),
    ("askanews", "Roma, 1 giu. (askanews) - Il governo ha approvato."),
    ("lusa", BODY + "\nFonte: Lusa"),
    ("lusa", "Por Lusa\n\n" + BODY),
    ("efe", BODY + "\nCon información de EFE"),
    ("europapress", "MADRID, 1 Jun. (EUROPA PRESS) -\n\nEl paro baja."),
    ("dts", "Berlin (dts Nachrichtenagentur) - Die Regierung hat beschlossen."),
    ("sid", "München (SID) - Der Trainer geht."),
    ("dpa", BODY + "\n© dpa-infocom, dpa:210601-99-123456/2"),
    ("dpa", BODY + "\nMit Material der dpa"),
    ("tass", BODY + "\nИсточник: ТАСС"),
    ("interfax", "Москва. 1 июня. ИНТЕРФАКС - Президент подписал указ."),
    ("afp", "باريس (أ ف ب) - أعلنت الحكومة."),
    ("aa", "أنقرة / الأناضول\nأعلنت الحكومة اليوم."),
    ("kuna", "الكويت - 1 - 6 (كونا) -- أعلن الوزير."),
    ("reuters", BODY + "\nالمصدر: رويترز"),
    ("reuters", BODY + "\n来源：路透社"),
    ("cns", "（中新社北京6月1日电）国务院总理会见来宾。"),
    ("kyodo", "（共同）\n総理は述べた。"),
    ("jiji", BODY + "（時事）"),
    ("news1", "(서울=뉴스1) 홍길동 기자 = 정부는 발표했다."),
    ("newspim", "[서울=뉴스핌] 홍길동 기자 = 정부는 발표했다."),
    ("bernama", BODY + "\n- BERNAMA"),
    ("bernama", "PUTRAJAYA, 1 Jun (Bernama) -- Menteri berkata demikian."),
    ("antara", BODY + "\nSumber: Antara"),
    ("antara", BODY + "\nSumber : ANTARA"),
    (
        "einpresswire",
        "NEW YORK, NY, June 1, 2026 /EINPresswire.com/ -- Acme announced.",
    ),
    ("newsfile", "Toronto, Ontario--(Newsfile Corp. - June 1, 2026) - Acme announced."),
    ("cnw", "TORONTO, June 1, 2026 /CNW/ - Acme announced."),
    ("rns", "WASHINGTON (RNS) — The bishop resigned."),
    ("tns", "By Jane Roe\nTribune News Service\n\n" + BODY),
    # outlets that name themselves
    ("cnn.com", "Washington (CNN) President Trump said."),
    ("tempo.co", "TEMPO.CO, Jakarta – Tiongkok dan Korea Utara merayakan."),
    ("tribunnews.com", "TRIBUNNEWS.COM - Presiden China berjanji."),
    ("tribunnews.com", BODY + "\n(Tribunnews.com, Tiara Shelavie)"),
    ("kompas.com", "JAKARTA, KOMPAS.com - Presiden mengatakan."),
    ("cnnindonesia.com", "Jakarta, CNN Indonesia -- Presiden mengatakan."),
    ("cnn.com", BODY + "\nThe-CNN-Wire ™ & © 2021 Cable News Network, Inc."),
]

MENTIONS = [
    # Indonesian, Malay
    ("xinhua", "Hal itu terjadi, menurut Kantor Berita resmi China Xinhua."),
    ("xinhua", "Dalam pesannya seperti dikutip dari kantor berita Xinhua, Presiden Xi menuturkan."),
    ("kcna", "Hal itu benar, kata Kantor Berita Pusat Korea yang dikelola pemerintah."),
    ("kcna", "Kantor berita KCNA melaporkan, Kim terlihat pada Minggu."),
    ("yonhap", "Menurut kantor berita Korea Selatan Yonhap, Kim dikenal sebagai pakar."),
    ("antara", "Hal itu disampaikan menteri, dikutip dari Antara, Senin."),
    ("bernama", "Perkara itu disahkan, lapor Bernama hari ini."),
    ("thehill.com", "Mereka berjanji melanjutkan kerja sama, The Hill melaporkan."),
    ("afp", "Serangan itu menewaskan tiga orang, dilansir AFP, Selasa."),
    # English
    ("reuters", "The official told Reuters on Monday that talks had failed."),
    ("ap", "Two people died, according to the AP, and four were hurt."),
    ("ap", "The letter was obtained by The Associated Press."),
    ("reuters", "Reuters reported the deal first."),
    ("xinhua", "The official Xinhua news agency said the talks had begun."),
    ("kcna", "The launch succeeded, state-run KCNA said."),
    ("bloomberg", "Bloomberg News reported that the bank would close."),
    ("bloomberg", "Bloomberg reported that the bank would close."),
    ("tass", "The ship left the port, TASS news agency reported."),
    ("ap", "An Associated Press-NORC Center poll released last week showed that."),
    ("cnn.com", "She said so in an interview with CNN on Sunday."),
    ("cnn.com", "CNN’s Jake Tapper asked him about it."),
    ("foxnews.com", "He spoke on Fox News on Sunday."),
    ("nytimes.com", "The New York Times first reported the meeting."),
    # Chinese
    ("reuters", "据路透社报道，谈判已经破裂。"),
    ("xinhua", "据新华社北京6月1日电，总理会见来宾。"),
    ("reuters", "路透社称，谈判已经破裂。"),
    ("yonhap", "韩联社援引消息人士的话说，谈判已经破裂。"),
    ("bloomberg", "知情人士告诉彭博社，谈判已经破裂。"),
    # Arabic
    ("reuters", "انتهى الاجتماع، نقلا عن رويترز."),
    ("reuters", "قال مسؤول لرويترز إن الاجتماع انتهى."),
    ("afp", "قالت وكالة فرانس برس إن الاجتماع انتهى."),
    ("sana", "ذكرت وكالة الأنباء السورية أن الاجتماع انتهى."),
    ("xinhua", "انتهى الاجتماع بحسب وكالة شينخوا."),
    ("aa", "وأفادت وكالة الأناضول بأن الاجتماع انتهى."),
    # Spanish
    ("efe", "El ministro viajará el lunes, según EFE."),
    ("reuters", "La fuente no dio detalles, informó Reuters."),
    ("efe", "El ministro dijo a Efe que viajará."),
    ("afp", "El ministro viajará, según informó la agencia AFP."),
    # others
    ("afp", "Le ministre l'a confirmé à l'AFP, selon une source."),
    ("reuters", "Selon Reuters, le ministre est parti."),
    ("dpa", "Das sagte der Minister der Nachrichtenagentur dpa."),
    ("reuters", "Wie Reuters berichtet, ist der Minister abgereist."),
    ("ansa", "Secondo l'agenzia Ansa, il ministro è partito."),
    ("lusa", "O ministro partiu, segundo a agência Lusa."),
    ("tass", "Министр уехал, сообщает ТАСС."),
    ("interfax", "По данным Интерфакса, министр уехал."),
    ("reuters", "Источник рассказал агентству Рейтер, что министр уехал."),
    ("aa", "Bakan, Anadolu Ajansı muhabirine konuştu, açıklama yaptı, Anadolu Ajansı bildirdi."),
    ("anp", "De minister is vertrokken, meldt persbureau ANP."),
    ("reuters", "Theo Reuters, bộ trưởng đã rời đi."),
    ("kyodo", "共同通信によると、首相は出国した。"),
    ("yonhap", "聯合ニュースが報じた。"),
    ("yonhap", "연합뉴스에 따르면 장관은 출국했다."),
    ("kcna", "조선중앙통신은 발사가 성공했다고 보도했다."),
    ("pap", "Minister wyjechał, podała agencja PAP."),
    # more languages
    ("ukrinform", "Про це повідомляє Укрінформ."),
    ("reuters", "За даними Reuters, міністр поїхав."),
    ("afp", "Як повідомило агентство Франс Пресс, міністр поїхав."),
    ("interfax_ua", "Про це Інтерфакс-Україна повідомила речниця."),
    ("irna", "به گزارش ایرنا، وزیر رفت."),
    ("reuters", "به گزارش خبرگزاری رویترز، وزیر رفت."),
    ("fars", "به گزارش خبرگزاری فارس، وزیر رفت."),
    ("tasnim", "تسنیم نوشت که وزیر رفت."),
    ("reuters", "समाचार एजेंसी रॉयटर्स के अनुसार, मंत्री चले गए।"),
    ("pti", "पीटीआई ने बताया कि मंत्री चले गए।"),
    ("pti", "समाचार एजेंसी भाषा के अनुसार मंत्री चले गए।"),
    ("ani", "एएनआई से बातचीत में मंत्री ने कहा।"),
    ("reuters", "สำนักข่าวรอยเตอร์รายงานว่า รัฐมนตรีเดินทางแล้ว"),
    ("afp", "สำนักข่าวเอเอฟพีรายงานว่า รัฐมนตรีเดินทางแล้ว"),
    ("xinhua", "สำนักข่าวซินหัวระบุว่า การประชุมเริ่มแล้ว"),
    ("reuters", "เจ้าหน้าที่บอกกับรอยเตอร์ว่า การประชุมจบแล้ว"),
    ("reuters", "Theo hãng tin Reuters, bộ trưởng đã rời đi."),
    ("afp", "Hãng tin AFP đưa tin bộ trưởng đã rời đi."),
    ("vna", "TTXVN dẫn lời bộ trưởng."),
    ("anp", "De minister is vertrokken, meldt persbureau ANP."),
    ("reuters", "Dat zei hij tegen persbureau Reuters."),
    ("belga", "Volgens Belga is de minister vertrokken."),
    ("aa", "AA'nın haberine göre bakan gitti."),
    ("reuters", "Reuters haber ajansına göre bakan gitti."),
    ("dha", "Demirören Haber Ajansı bildirdi."),
    ("afp", "D'après l'AFP, le ministre est parti."),
    ("reuters", "Le ministre, cité par Reuters, est parti."),
    ("ansa", "Lo riferisce l'Ansa."),
    ("reuters", "Lo ha detto una fonte alla Reuters."),
    ("lusa", "O ministro partiu, disse à Lusa uma fonte."),
    ("reuters", "Segundo a Reuters, o ministro partiu."),
    ("efe", "El ministro viajará, informa EFE."),
    ("reuters", "Fuentes citadas por Reuters lo confirmaron."),
    ("dpa", "Das sagte der Minister der dpa."),
    ("afp", "Laut AFP ist der Minister abgereist."),
    ("reuters", "Das berichtet die Nachrichtenagentur Reuters."),
    ("tass", "Об этом сообщает ТАСС."),
    ("ria", "Министр уехал, передает РИА Новости."),
    ("reuters", "По информации Reuters, министр уехал."),
    ("kyodo", "共同社报道称，会谈结束。"),
    ("kcna", "据朝中社报道，会谈结束。"),
    ("ap", "美联社援引官员的话说，会谈结束。"),
    ("reuters", "ロイター通信によると、会談は終わった。"),
    ("ap", "AP通信が報じた。"),
    ("reuters", "로이터통신에 따르면 회담이 끝났다."),
    ("afp", "AFP통신은 회담이 끝났다고 보도했다."),
    ("bernama", "Beliau berkata demikian kepada Bernama hari ini."),
    ("bernama", "Memetik laporan Bernama, menteri tiba semalam."),
]

NOTHING = [
    # Indonesian, Malay: common words
    "Hubungan antara China dan Korea. Antara lain, menurut menteri, perdagangan.",
    "Antara Jakarta dan Bandung, kata dia, jaraknya dekat.",
    "Seorang pria bernama Budi mengatakan ia melihatnya, menurut polisi.",
    "Lusa ia berangkat, kata menteri. Tindakan hina itu, kata dia, salah.",
    "Hina dia, katanya.",
    "Baca juga: Reuters melaporkan hubungan kedua negara",
    "Presiden menyapa warga. //Reuters",
    "Foto: Reuters",
    "Dok. ANTARA FOTO/Budi, kata fotografer.",
    "(ANTARA FOTO/Budi/wsj)",
    # English: photographs
    "The dam at dawn. (AP Photo/Jane Doe) The dam broke, officials said.",
    "Workers at the plant, January 22, 2020. REUTERS/Denis Balibouse",
    "(Jim Bourg/Reuters)\n\nHe is turning the story into a battle, he said.",
    "(Reuters photo: Aaron Josefczyk)\n\nThe governor said no.",
    "Photo: AP",
    "Enlarge this image Jonathan Ernst /Reuters/ The Senate voted, officials said.",
    "The vote was close, he said. (Photo: John Doe, AP) Story Highlights",
    "(Image: Reuters)",
    "Image copyright Reuters Image caption Attorney General Jeff Sessions said no.",
    "Enlarge this image toggle caption Chen Xu/Xinhua /Landov",
    "Tear gas in Rome © 2013 Reuters\n\n" + BODY * 2,
    # English: other things of the same name
    "She told the board that AP classes and AP Physics are full, the teacher said.",
    "The minister of Andhra Pradesh (AP) said the dam is safe.",
    "The PA system failed, the principal said. He drove to Harrisburg, PA, she told police.",
    "PHILADELPHIA, PA – In the wake of her victories, she said.",
    "He visited Petra and said the MAP was wrong; the TAP was open.",
    "Petra told police that she saw it. Petra (26) said so.",
    "Download the APP, the firm said. The SPA reopened, the owner said.",
    "The UNI choir sang. The TT race was won, the rider said. AA said members may call.",
    "Michael Bloomberg said he would run. Bloomberg said so himself, he told voters.",
    "The Thomson Reuters Foundation said it would give money.",
    "Time is short, he said. The Sun rose, and the Independent candidate said so.",
    "The MENA region grew, the bank said. UPI payments rose, the bank said.",
    "Doses of Sputnik V arrived, officials said.",
    "The story so far: Reuters, a horse, won the race.",
    "Read more: Reuters reported the deal first",
    "She said the offer 'CNN-style' was bad.",
    # Chinese, Japanese
    "双方发表共同声明，称将共同发展。",
    "他喜欢讨论时事，说时事新闻很重要。",
    "他说，新华书店今天开门。",
    "総理は共同で声明を出すと述べた。時事問題について説明した。",
    "中央社会の問題だと報じた。",
    # Korean
    "두 팀은 연합 훈련을 한다고 밝혔다.",
    # Arabic: common words
    "قال الوزير إنه زار قنا أمس. كونا صديقين قال الرجل.",
    "قالت السيدة إن سانا ابنتها. وفا بوعده، بحسب أصدقائه.",
    # Spanish, Portuguese, Italian, French, German, Turkish, Russian
    "La fe de Lusa, dijo su madre, era grande.",
    "Il a dit que la MAP était bonne et que le TAP fonctionne.",
    "Sie sagte, die SDA sei voll. Er nahm die ATS, teilte er mit.",
    "Ha detto che la AGI è lontana.",
    "Bakan AA pil aldığını söyledi.",
    "Он сообщил, что АА мала.",
    "Foto: dpa",
    "Foto de archivo. EFE/Juan Pérez",
    "Фото: ТАСС",
]


@pytest.mark.parametrize(("source", "text"), CREDITS)
def test_credit(attributor: Attributor, source: str, text: str) -> None:
    given, mentions = found(attributor, text)
    assert source in sources(given)
    assert source not in sources(mentions)


@pytest.mark.parametrize(("source", "text"), MENTIONS)
def test_mention(attributor: Attributor, source: str, text: str) -> None:
    given, mentions = found(attributor, text)
    assert not given
    assert source in sources(mentions)


@pytest.mark.parametrize("text", NOTHING)
def test_false_friends_and_furniture(attributor: Attributor, text: str) -> None:
    assert found(attributor, text) == ([], [])


@pytest.mark.parametrize(
    ("language", "text"), [(lang, text) for lang, texts in FALSE_FRIENDS.items() for text in texts]
)
def test_false_friends_by_language(attributor: Attributor, language: str, text: str) -> None:
    assert found(attributor, text) == ([], [])


def test_every_language_has_false_friends() -> None:
    languages = "id ms en zh ja ko ar fa tr ru uk es pt fr de it nl vi hi th"
    assert set(FALSE_FRIENDS) == set(languages.split())
    assert all(len(set(texts)) >= 10 for texts in FALSE_FRIENDS.values())


@pytest.mark.parametrize("text", [text for _, text in CREDITS + MENTIONS])
def test_evidence_is_a_slice_of_its_field(attributor: Attributor, text: str) -> None:
    for evidence in [e for found_ in found(attributor, text) for e in found_]:
        assert evidence.field == "text"
        assert text[evidence.start : evidence.end] == evidence.text


@pytest.mark.parametrize(
    ("byline", "expected"),
    [
        ("Reuters", {"reuters"}),
        ("AP", {"ap"}),
        ("By JOHN SMITH, Associated Press", {"ap"}),
        ("Jane Doe, Associated Press writer", {"ap"}),
        ("The Associated Press", {"ap"}),
        ("associated press", {"ap"}),
        ("Reuters Staff", {"reuters"}),
        ("AFP/dpa", {"afp", "dpa"}),
        ("Jane Doe and The Canadian Press", {"cp"}),
        ("Jane Doe (AFP)", {"afp"}),
        ("Jane Doe for Reuters", {"reuters"}),
        ("记者 新华社", set()),
        ("新华社", {"xinhua"}),
        ("Petra Schmidt, Otto Lusa Meier", set()),
        ("Petra, Hans", set()),
        ("A, B, C, D, Associated Press", set()),
    ],
)
def test_byline(attributor: Attributor, byline: str, expected: set[str]) -> None:
    given, _ = found(attributor, "Nothing.", byline=byline)
    assert sources(given) == expected
    for evidence in given:
        assert evidence.field == "byline"
        assert byline[evidence.start : evidence.end] == evidence.text


def test_metadata(attributor: Attributor) -> None:
    metadata = {
        "sourceOrganization": {"name": "Associated Press"},
        "infosource": [{"literal": "AFP"}],
        "copyrightHolder": "Reuters",
        "keywords": "Xinhua",
        "creditText": "Jane Doe / dpa",
    }
    given, _ = found(attributor, "Nothing.", metadata=json.dumps(metadata))
    assert {(e.source, e.field, e.text, e.role) for e in given} == {
        ("ap", "metadata.sourceOrganization.name", "Associated Press", "metadata"),
        ("afp", "metadata.infosource.0.literal", "AFP", "metadata"),
        ("reuters", "metadata.copyrightHolder", "Reuters", "metadata"),
        ("dpa", "metadata.creditText", "dpa", "metadata"),
    }


@pytest.mark.parametrize("metadata", ["", "[1]", "{broken", "null", '{"source": 3}'])
def test_unusable_metadata_is_ignored(attributor: Attributor, metadata: str) -> None:
    assert found(attributor, "Nothing.", metadata=metadata) == ([], [])


def test_an_agency_is_givenon_its_own_site(attributor: Attributor) -> None:
    url = "https://apnews.com/article/1"
    given, _ = found(attributor, "Nothing.", url=url, outlet_id="apnews.com")
    assert [(e.source, e.field, e.role) for e in given] == [("ap", "url", "metadata")]
    assert url[given[0].start : given[0].end] == "apnews.com"


def test_one_credit_for_a_source_and_field(attributor: Attributor) -> None:
    text = (
        "WASHINGTON (AP) — He told the AP so.\n" + BODY + "\nCopyright 2019 The Associated Press."
    )
    given, mentions = found(attributor, text, byline="AP")
    assert [(e.source, e.field) for e in given] == [("ap", "byline"), ("ap", "text")]
    assert given[1].text.startswith("WASHINGTON")
    # Whoever wrote the text may cite itself in it: that is another role.
    assert [(e.source, e.text) for e in mentions] == [("ap", "told the AP")]


def test_a_full_credit_is_kept_rather_than_a_contribution(attributor: Attributor) -> None:
    text = BODY + "\nThe AP contributed to this report.\nCopyright 2019 The Associated Press."
    given, _ = found(attributor, text)
    assert [e.text for e in given] == ["Copyright 2019 The Associated Press"]


def test_an_outlet_does_not_cite_itself(attributor: Attributor) -> None:
    text = "He told CNN that he would run."
    assert sources(found(attributor, text)[1]) == {"cnn.com"}
    assert found(attributor, text, outlet_id="cnn.com") == ([], [])


def test_title(attributor: Attributor) -> None:
    given, _ = found(attributor, "Nothing.", title="Shares rise - Reuters")
    assert [(e.source, e.field, e.text) for e in given] == [("reuters", "title", "- Reuters")]
    _, mentions = found(attributor, "Nothing.", title="Bank to close, Reuters reports")
    assert [(e.source, e.field) for e in mentions] == [("reuters", "title")]


def test_offsets_survive_characters_outside_the_basic_plane(attributor: Attributor) -> None:
    text = "😀 𝒜 é\u0301\nHe told Reuters so.\n" + "😀" * 50 + "\nSource: AP"
    given, mentions = found(attributor, text)
    for evidence in given + mentions:
        assert text[evidence.start : evidence.end] == evidence.text
    assert sources(given) == {"ap"}
    assert sources(mentions) == {"reuters"}


@pytest.mark.parametrize(
    "text",
    [
        "AP " * 20000,
        "(AP" * 20000,
        "(AP) — " * 10000,
        "Source: " * 10000 + "AP",
        "Reuters, " * 20000 + "contributed to this report",
        "© " * 30000 + "AFP",
        "(" * 50000 + "AP" + ")" * 50000,
        "据" * 50000 + "路透社",
    ],
)
def test_hostile_text_is_judged_in_windows(attributor: Attributor, text: str) -> None:
    for evidence in [e for found_ in found(attributor, text) for e in found_]:
        assert text[evidence.start : evidence.end] == evidence.text
        assert len(evidence.text) < 600


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason="the shared corpora are not here")
def test_korea_china(attributor: Attributor) -> None:
    table: dict[str, set[str]] = {}
    credited: dict[str, set[str]] = {}
    for path in sorted(CORPUS.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        given, mentions = found(attributor, text)
        for evidence in given + mentions:
            table.setdefault(evidence.source, set()).add(path.stem)
        for evidence in given:
            credited.setdefault(evidence.source, set()).add(path.stem)
    assert table == {
        "ap": {"002"},
        "xinhua": {"000", "002", "003"},
        "kcna": {"001", "002", "003", "004"},
        "reuters": {"001", "004"},
        "yonhap": {"003"},
        "thehill.com": {"001"},
        "tempo.co": {"004"},
        "tribunnews.com": {"001"},
    }
    assert credited == {
        "ap": {"002"},
        "reuters": {"004"},
        "tempo.co": {"004"},
        "tribunnews.com": {"001"},
    }
