# ruff: noqa: RUF001 - these are names in their own scripts, not look-alikes of Latin letters
"""People's names as their languages write them, with the Latin form that a username is made of."""

import unicodedata
from dataclasses import dataclass

_NOT_DECOMPOSED = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae"})


@dataclass(frozen=True, slots=True)
class Name:
    """A name and the Latin letters it is typed with."""

    written: str
    latin: str


@dataclass(frozen=True, slots=True)
class Culture:
    """A language and place, and how people there are called.

    Args:
        locale: as Cognito's attribute `locale` holds it.
        timezone: IANA name.
        country: of postal addresses.
        calling_code: of telephone numbers (E.164).
        city: with its postal code before it.
        full_name: the order of the names, over `{given}` and `{family}`.
        given: the given names.
        family: the family names.
    """

    locale: str
    timezone: str
    country: str
    calling_code: str
    city: tuple[str, str]
    full_name: str
    given: tuple[Name, ...]
    family: tuple[Name, ...]


def _names(text: str) -> tuple[Name, ...]:
    """Read names divided by spaces; `_` is a space inside a name, `/` comes before a Latin form that is not obvious."""
    return tuple(_name(word.replace("_", " ")) for word in text.split())


def _name(word: str) -> Name:
    written, _, latin = word.partition("/")
    return Name(written, latin or _latin(written))


def _latin(written: str) -> str:
    plain = unicodedata.normalize("NFKD", written.lower().translate(_NOT_DECOMPOSED))
    return "".join(character for character in plain if character.isascii() and character.isalnum())


_GIVEN_FIRST = "{given} {family}"
_FAMILY_FIRST = "{family} {given}"
_FAMILY_FIRST_JOINED = "{family}{given}"

CULTURES = (
    Culture(
        "en-US",
        "America/Chicago",
        "US",
        "1",
        ("60601", "Chicago"),
        _GIVEN_FIRST,
        _names("Olivia Liam Grace Noah Zoe Ethan Maya Caleb"),
        _names("Johnson O'Brien Washington Rivera Kim-Taylor Brooks Nakamura McAllister"),
    ),
    Culture(
        "de-DE",
        "Europe/Berlin",
        "DE",
        "49",
        ("80331", "München"),
        _GIVEN_FIRST,
        _names("Jürgen/juergen Käthe/kaethe Lukas Annika Björn/bjoern Sabine Jonas Friederike"),
        _names("Müller/mueller Schäfer/schaefer Weiß/weiss von_der_Heide Köhler/koehler Brandt Groß/gross Vogel"),
    ),
    Culture(
        "fr-FR",
        "Europe/Paris",
        "FR",
        "33",
        ("69002", "Lyon"),
        _GIVEN_FIRST,
        _names("Élodie François Chloé Jean-Baptiste Zoé Rémi Anaïs Gaël"),
        _names("Lefèvre d'Arcy Besançon Moreau Gauthier Crépin Le_Goff Noël"),
    ),
    Culture(
        "es-ES",
        "Europe/Madrid",
        "ES",
        "34",
        ("41001", "Sevilla"),
        _GIVEN_FIRST,
        _names("Íñigo Lucía Jesús María_José Begoña Álvaro Inés Ramón"),
        _names("García_Núñez Muñoz Ibáñez_Soler Peña de_la_Fuente Ordóñez Vidal Zúñiga"),
    ),
    Culture(
        "pt-BR",
        "America/Sao_Paulo",
        "BR",
        "55",
        ("40020-000", "Salvador"),
        _GIVEN_FIRST,
        _names("João Letícia Antônio Conceição Luís Beatriz Otávio Inês"),
        _names("Gonçalves Araújo dos_Santos Magalhães Conceição Brandão Simões Falcão"),
    ),
    Culture(
        "pl-PL",
        "Europe/Warsaw",
        "PL",
        "48",
        ("90-001", "Łódź"),
        _GIVEN_FIRST,
        _names("Łukasz Małgorzata Wojciech Żaneta Paweł Bożena Stanisław Zofia"),
        _names("Wiśniewski Dąbrowska Kamiński Gołębiowski Zając Świątek Król Lewandowska"),
    ),
    Culture(
        "tr-TR",
        "Europe/Istanbul",
        "TR",
        "90",
        ("35210", "İzmir"),
        _GIVEN_FIRST,
        _names("İbrahim Ayşe Çağlar Gülşen Işıl Ömer Şebnem Uğur"),
        _names("Yılmaz Öztürk Çelik Şahin Aydın Koç Güneş Doğan"),
    ),
    Culture(
        "sv-SE",
        "Europe/Stockholm",
        "SE",
        "46",
        ("411 03", "Göteborg"),
        _GIVEN_FIRST,
        _names("Åsa Björn Märta Göran Linnéa Örjan Elin Håkan"),
        _names("Åkesson Sjöström Lindqvist Bäckman Öberg Nyström Hägglund Ek"),
    ),
    Culture(
        "el-GR",
        "Europe/Athens",
        "GR",
        "30",
        ("546 24", "Θεσσαλονίκη"),
        _GIVEN_FIRST,
        _names("Νίκος/nikos Ελένη/eleni Γιώργος/giorgos Κατερίνα/katerina Δημήτρης/dimitris Σοφία/sofia"),
        _names("Παπαδόπουλος/papadopoulos Ιωάννου/ioannou Βλάχος/vlachos Οικονόμου/oikonomou Γεωργίου/georgiou"),
    ),
    Culture(
        "uk-UA",
        "Europe/Kyiv",
        "UA",
        "380",
        ("79000", "Львів"),
        _GIVEN_FIRST,
        _names("Олена/olena Тарас/taras Ігор/ihor Соломія/solomiia Богдан/bohdan Ярина/yaryna"),
        _names("Шевченко/shevchenko Коваленко/kovalenko Щербак/shcherbak Гончар/honchar Мельник/melnyk"),
    ),
    Culture(
        "ar-EG",
        "Africa/Cairo",
        "EG",
        "20",
        ("11511", "القاهرة"),
        _GIVEN_FIRST,
        _names("فاطمة/fatima أحمد/ahmed ليلى/layla يوسف/youssef مريم/mariam خالد/khaled"),
        _names("المصري/elmasry حسن/hassan عبد_الرحمن/abdelrahman الشريف/elsherif منصور/mansour"),
    ),
    Culture(
        "he-IL",
        "Asia/Jerusalem",
        "IL",
        "972",
        ("6100000", "תל אביב"),
        _GIVEN_FIRST,
        _names("נועה/noa איתן/eitan תמר/tamar יונתן/yonatan מיכל/michal אורי/uri"),
        _names("כהן/cohen לוי/levi בן_דוד/bendavid מזרחי/mizrahi פרידמן/friedman"),
    ),
    Culture(
        "hi-IN",
        "Asia/Kolkata",
        "IN",
        "91",
        ("302001", "जयपुर"),
        _GIVEN_FIRST,
        _names("अनन्या/ananya राहुल/rahul प्रिया/priya विक्रम/vikram दीपिका/deepika अर्जुन/arjun"),
        _names("शर्मा/sharma गुप्ता/gupta सिंह/singh मिश्रा/mishra राठौड़/rathore"),
    ),
    Culture(
        "zh-CN",
        "Asia/Shanghai",
        "CN",
        "86",
        ("310000", "杭州"),
        _FAMILY_FIRST_JOINED,
        _names("伟/wei 秀英/xiuying 静怡/jingyi 子轩/zixuan 晓明/xiaoming 丽华/lihua"),
        _names("王/wang 李/li 张/zhang 欧阳/ouyang 陈/chen 赵/zhao"),
    ),
    Culture(
        "ja-JP",
        "Asia/Tokyo",
        "JP",
        "81",
        ("150-0002", "渋谷"),
        _FAMILY_FIRST,
        _names("さくら/sakura 健太/kenta 陽菜/hina 翔/sho 美咲/misaki 大輔/daisuke"),
        _names("佐藤/sato 鈴木/suzuki 髙橋/takahashi 田中/tanaka 渡邊/watanabe 小林/kobayashi"),
    ),
    Culture(
        "ko-KR",
        "Asia/Seoul",
        "KR",
        "82",
        ("48058", "부산"),
        _FAMILY_FIRST_JOINED,
        _names("민준/minjun 서연/seoyeon 지훈/jihoon 하은/haeun 도윤/doyun 수빈/subin"),
        _names("김/kim 이/lee 박/park 최/choi 정/jung 남궁/namgung"),
    ),
    Culture(
        "vi-VN",
        "Asia/Ho_Chi_Minh",
        "VN",
        "84",
        ("550000", "Đà Nẵng"),
        _FAMILY_FIRST,
        _names("Thị_Hương Văn_Dũng Thùy_Linh Quốc_Bảo Mỹ_Duyên Đức_Anh"),
        _names("Nguyễn Trần Phạm Đặng Võ Bùi"),
    ),
)
