"""The words of citation frames, language by language; :mod:`dedup.frames` says how they count.

Lower case, as :data:`dedup.frames.WORD` cuts them. Words of several languages stand in one set:
a name is rarely beside a word that cites in another language and means something else in its own.
"""

from __future__ import annotations

from dedup.agencies import words

AGENCY_WORDS = words(
    "agency agencies newswire wire berita agencia agências agência agencias agence agenzia "
    "nachrichtenagentur agentur presseagentur агентство агентству агентства агентством агентстве "
    "информагентство информагентству агенство агентства وكالة لوكالة ووكالة وكالات persbureau "
    "nieuwsagentschap agencija agencije agencji agencja agentura agentury hãng ajansı ajansının "
    "ajansına ajans nyhetsbyrån nyhedsbureauet nyhetsbyrået uutistoimisto "
    "агентстві агентству агенція агенції агенцією інформагентство інформагентству "
    "خبرگزاری خبرگزاریهای एजेंसी एजेंसियों"
)
"""Words that, beside a name, say that it is an agency."""

DESCRIPTORS = AGENCY_WORDS | words(
    "the a an and its news official state state-run state-owned state-controlled government-run "
    "government semi-official local national media newspaper paper newspapers magazine network "
    "channel website site outlet broadcaster television tv cable domestic foreign international "
    "reporters journalists correspondents unnamed affiliate affiliated business financial "
    "cable public conservative liberal right-wing left-wing progressive political weekly daily "
    "monthly sports tabloid online white house senior chief "
    "chinese china's russian russia's korean korea's north south iranian iran's japanese japan's "
    "turkish turkey's turkey german germany's french italian spanish indian indonesian malaysian "
    "saudi syrian egyptian qatari british american us u.s uk israeli ukrainian "
    "kantor resmi nasional pemerintah negara media milik yang dikelola korea utara selatan korut "
    "korsel china cina tiongkok rusia jepang jerman prancis inggris iran turki as amerika serikat "
    "malaysia situs laman portal surat kabar koran harian televisi stasiun majalah lembaga "
    "de del la el las los oficial estatal noticias prensa notícias diário jornal diario cadena "
    "francesa china rusa española alemana italiana portuguesa norcoreana surcoreana "
    "presse officielle officiel d'état d’état d'information d’information "
    "stampa ufficiale notizie quotidiano "
    "der die das den dem deutsche deutschen amtliche amtlichen staatliche staatlichen chinesische "
    "chinesischen russische russischen französische französischen zeitung "
    "l l' l’ d d' d’ dell' dell’ all' all’ dall' dall’ "
    "новостное информационное информационного официальное государственное российское китайское "
    "газета газете телеканал телеканалу "
    "الأنباء للأنباء أنباء الرسمية الحكومية الفرنسية الصينية الروسية التركية الإيرانية صحيفة "
    "قناة شبكة موقع إن "
    "رسمی دولتی روسیه چین فرانسه آلمان ترکیه آمریکا روزنامه شبکه وبسایت "
    "समाचार न्यूज़ न्यूज सरकारी अखबार अख़बार चैनल "
    "державне новинне російське китайське видання "
    "'nın 'nin 'nun 'nün 'ın 'in 'un 'ün 'ya 'ye ’nın ’nin ’ın ’in ’ya ’ye "
    "thông tấn xã tin báo đài resmî resmi haber het de staatspersbureau chinese russische krant"
)

CONNECTORS = words(
    "to by with from of in on for at as via dari oleh kepada di dalam pada ke a à al au aux par "
    "con por en per da do pelo pela à alla allo von gegenüber mit bei in "
    "в из с со по от для агентству у із зі за до به با از در "
    "til till av af aan door bởi từ của trên عن من في على إلى ل مع لـ"
)

SAY_LEFT = words(
    # English
    "told tells telling according citing cited cites quoting quoted quotes reported reports "
    "obtained interview interviewed spoke speaking said says confirmed published provided "
    "reviewed seen viewed revealed disclosed statement comment email first-reported "
    "compiled conducted commissioned contacted writing wrote writes op-ed remarks "
    # Indonesian, Malay
    "menurut dikutip mengutip kata dilansir melansir dilaporkan dilapor lapor lansir mengatakan "
    "diberitakan dinukil menukil merujuk seperti laporan memetik dipetik ujar diwartakan "
    "berkata dikatakan berdasarkan melalui disiarkan disampaikan "
    # Spanish, Portuguese, French, Italian
    "según segun informó informa dijo dijeron declaró reportó citó citando cita citado citada "
    "citados citadas "
    "recogió recoge publicó publicado entrevista explicó aseguró confirmó señaló detalló comunicó "
    "segundo informou informa disse disseram relatou citando afirmou declarou conforme divulgou "
    "selon d'après d’après après déclaré dit indiqué rapporté rapporte affirmé annoncé confié "
    "précisé contacté contactée contactés interrogé interrogée vu constaté "
    "citant cité expliqué confirmé appris secondo riferisce riferito riporta riportato "
    "detto dichiarato citando citato spiegato scrive cita "
    # German, Dutch
    "laut nach sagte berichtet berichtete meldet meldete zitiert teilte meldeten berichteten "
    "volgens meldt meldde zei bericht zegt "
    # Russian, Ukrainian
    "сообщает сообщило сообщил сообщила сообщили передает передаёт передало передал пишет "
    "цитирует данным информации ссылкой сообщению заявил заявила рассказал рассказали рассказала "
    "сообщениям словам интервью уточнили отметили ссылаясь сообщалось повідомляє повідомило "
    "повідомив повідомила даними інформацією посиланням посилаючись передає розповів розповіла "
    "заявив заявила пише словами інтерв'ю "
    # Persian
    "گزارش نقل گفت گفتگو مصاحبه نوشت "
    # Arabic
    "نقلا نقلاً بحسب حسب وفق وفقا وفقاً قالت ذكرت أفادت نقلت أوردت أعلنت أكدت وقالت وذكرت وأفادت "
    "ونقلت وأوردت صرح أبلغ مقابلة تصريح تصريحات قال أضافت وأضافت نشرت ونشرت نقلته أوردته طبقا كشفت "
    # Turkish, Vietnamese, Polish, Czech, Scandinavian
    "aktardı göre konuştu açıkladı konuşan theo dẫn trích według podał podała powiedział ifølge "
    "enligt uppger sier sagde fortæller siger forteller berättar säger kertoi "
    "podle řekl uvedl sdělil informovala"
)

SAY_RIGHT = words(
    "reported reports report said says writes wrote noted notes found finds confirmed revealed "
    "obtained quoted quotes cited cites citing published learned learnt asked declared disclosed "
    "projected projects counted estimates estimated announced added adds described broke refused "
    "haberine called quoting reporting carried released showed shows tweeted "
    "headlined pondered detailed details explains explained argues argued suggests suggested "
    "cheered boasted calculated recounted observed observes documented editorialized opined "
    "walks points tells "
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
    "повідомляє повідомило повідомила передає пише цитує інформує зазначає "
    "گزارش نوشت اعلام داد خبر "
    "قالت ذكرت أفادت نقلت أوردت أعلنت نشرت كشفت عن "
    "göre bildirdi aktardı duyurdu yazdı geçti đưa cho dẫn viết podał podała podaje informuje "
    "rapporterar rapporterer skriver melder uppger uvedla informovala píše"
)

UNMISTAKABLE_LEFT = words(
    "dikutip dilansir mengutip melansir citing citando citant quoting reported-by"
)

UNMISTAKABLE_RIGHT = words(
    "reported reports melaporkan memberitakan berichtet berichtete meldet meldete informó rapporte "
    "сообщает передает передаёт riferisce zufolge повідомляє bildirdi haberine "
)

ADVERBS = words(
    "has had have first also later earlier previously today yesterday on monday tuesday wednesday "
    "thursday friday saturday sunday this week reportedly now subsequently then recently "
    "exclusively "
    "juga kemudian pada resmi telah sebelumnya ha han hat hatte a ont am also уже ранее "
    "also também "
    "también aussi anche auch ook da bugün dün là và đã senin selasa rabu kamis jumat sabtu minggu "
    "muhabirine muhabirinin haberinde haberinin ajansının "
    "last next past month months year night morning evening separately the in january february "
    "march april june july august september october november december online days weeks "
    "сегодня вчера в сьогодні вчора раніше gestern heute am hari"
)

NOUNS = words(
    "interview interviewer poll polls survey surveys analysis report reports review tally count "
    "investigation story stories exclusive reporter reporters debate moderator editorial column "
    "article articles op-ed op-eds special journalist journalists segment piece timeline essay "
    "profile headline"
)
"""What an outlet publishes, and who speaks for it. Not its columnists, hosts and editors: whoever
is one need not have said anything."""

LEFT_NOUNS = NOUNS | words("laporan wawancara entrevista entretien intervista")

OUTLET_LEFT = words("on in to by with from for di dari pada en sur dans su in bei via")

JOINING = words("and or & , / dan y e et und en и и та и و")
"""Between the names of a list: "CNN, the AP and Reuters"."""

SHOWN = words("televised moderated hosted broadcast aired co-hosted sponsored owned")
"""Words that tell what an outlet put on, not what it said."""

OBJECTS = words(
    "told tells telling according interview interviewed citing cited cites quoting quoted reported"
)
"""Words whose object can only be somebody who reports, even where its name is ambiguous."""
