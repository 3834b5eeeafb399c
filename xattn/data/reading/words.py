"""What the name of a column suggests: a role, and how strongly, by the words that the name is made of.

A name is cut into words (``reviewerID`` → reviewer, id; ``Book-Rating`` → book, rating), in English and Chinese. The
last word that is no ending of ids decides, since names in both languages end in what they name: a book rating is a
rating, a user name is a name. Names only suggest; `xattn.data.reading.columns` asks the values too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Hint", "hints_of", "plain", "typed", "words_of"]

ID_ENDINGS = frozenset("id ids no nr num number code key idx index hash uuid guid sha1 mbid upc pk 编号 代码 号 码 标识".split())
USER_NOUNS = frozenset(
    "user customer client member visitor reviewer account person people listener reader viewer player buyer shopper "
    "household student learner patient subscriber profile guest consumer worker rater respondent mboxsha1 cust usr uid "
    "userid customerid visitorid reviewerid memberid 用户 会员 顾客 客户 买家 读者 学生 观众 玩家 听众 账号".split()
)
WEAK_USER_NOUNS = frozenset("session basket invoice order cart visit device ip host transaction cookie 会话 订单".split())
ITEM_NOUNS = frozenset(
    "item movie film book product stock article song track artist album video game news course business place poi "
    "content venue location restaurant hotel listing recipe post question joke anime manga show series episode wine "
    "beer paper app job asin isbn isbn13 isbn10 sku iid mid aid good goods merchandise lecture lecturer assessment "
    "coupon campaign photo clip title lesson exercise doc document url page merchant shop store brand destination model "
    "itemid movieid articleid productid stockcode lid tid bid did vid nid gid "
    "物品 商品 产品 电影 影片 图书 书籍 书 歌曲 音乐 歌手 视频 新闻 文章 课程 餐厅 店铺 商家 笔记 游戏 酒店 景点 货品".split()
)
WEAK_ITEM_NOUNS = frozenset("title model brand page store shop location url merchant".split())
RATING_NOUNS = frozenset(
    "rating ratings rate score stars star overall grade mark vote opinion preference evaluation liked like thumb thumbs "
    "recommended recommend recommends feedback bewertung note puntuacion valoracion nota answer starrating rated "
    "voted up 评分 分数 打分 星级 得分 评价 评级 喜欢 点赞".split()
)
AMOUNT_NOUNS = frozenset(
    "quantity qty amount count plays playcount listens weight hours minutes duration dwell frequency freq times units "
    "purchases clicks views visits spend revenue sales spent strength confidence counts playtime seconds ratio value "
    "数量 次数 播放 时长 金额 权重 件数 频次".split()
)
TIME_NOUNS = frozenset(
    "time timestamp timestamps date datetime ts epoch when created moment unixtime utc day 时间 时间戳 日期 时刻".split()
)
TIME_ENDINGS = frozenset("at on".split())
CLOCK_NOUNS = frozenset("time clock hour hhmm 时刻 时间".split())
KIND_NOUNS = frozenset(
    "kind event action behavior behaviour interaction type activity eventtype 类型 行为 事件 动作 操作 行为类型".split()
)
TITLE_NOUNS = frozenset(
    "title name headline description label labels 标题 名称 名字 片名 书名 品名 歌名 商品名 电影名 名".split()
)
ORDER_NOUNS = frozenset("order sequence seq step position rank turn 顺序 序号 次序".split())
AGGREGATES = frozenset("average avg mean total sum max min median global all std var 平均 总".split())
COUNTERS = frozenset("count counts num number n 数 数量".split())
OTHER_DATES = frozenset(
    "birth birthday dob release released published publication publish year removed deleted expiry expire expires end "
    "ended join joined signup registered since due updated modified 出生 上映 发行 出版 注册".split()
)
REVIEW_WORDS = frozenset("review summary comment text body reviews tip".split())
SUB_RATINGS = frozenset("food service taste price ambience room helpful cleanliness appearance aroma palate".split())
PERSON_WORDS = USER_NOUNS | frozenset("author first last full nick screen display".split())
QUALIFIERS = frozenset(
    "my your the unique parent anonymous anon raw original given personal customer user item book movie film product "
    "review event is has the_user rating movie_user stars anonymized internal new".split()
)


class Hint(NamedTuple):
    """A role that a name suggests; `strength` from 1 (the name says it) down to 0.3 (it might be meant)."""

    role: str
    strength: float


def typed(name: str) -> tuple[str, str]:
    """A header without the type that RecBole writes behind it, and that type: ``user_id:token`` → user_id, token.

    >>> typed("class:token_seq"), typed("Time: UTC")
    (('class', 'token_seq'), ('Time: UTC', ''))
    """
    match = re.fullmatch(r"(.+):(token|token_seq|float|float_seq)", name.strip())
    return (match[1], match[2]) if match else (name, "")


def plain(name: str) -> str:
    """A header as it is compared: lower case, letters and digits only.

    >>> plain("  User-ID ")
    'userid'
    """
    return re.sub(r"[\W_]+", "", name).casefold()


def words_of(name: str) -> tuple[str, ...]:
    """The words of a header, lower case; Chinese is cut where an ending of ids begins.

    >>> words_of("unixReviewTime"), words_of("Timestamp (UTC)"), words_of("用户ID"), words_of("t_dat")
    (('unix', 'review', 'time'), ('timestamp', 'utc'), ('用户', 'id'), ('t', 'date'))
    """
    text = re.sub(r"([a-z\d])([A-Z])", r"\1 \2", typed(name)[0])
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = re.sub(r"([一-鿿]+)", r" \1 ", text)
    found: list[str] = []
    for word in re.split(r"[\W_]+", text.casefold()):
        if word:
            found += _parts(word)
    return tuple(found)


def _parts(word: str) -> list[str]:
    """A word that is written as one, in two where its end is a known one: itemid → item, id; 行为类型 stays."""
    if word == "dat":
        return ["date"]
    for ending in ("timestamp", "datetime", "时间戳", "编号", "名称", "标题", "时间", "日期", "评分", "id", "no", "time", "date", "code"):
        stem = word.removesuffix(ending)
        if stem != word and stem and (stem in _STEMS or not ending.isascii()):
            return [*_parts(stem), ending]
    return [word]


_STEMS = USER_NOUNS | WEAK_USER_NOUNS | ITEM_NOUNS | frozenset("unix event review invoice purchase create click view".split())


def hints_of(name: str) -> tuple[Hint, ...]:
    """The roles that a header suggests, strongest first.

    >>> hints_of("visitorid")[0], hints_of("rating")[0], hints_of("average_rating")
    (Hint(role='user', strength=1.0), Hint(role='rating', strength=1.0), ())
    """
    words = words_of(name)
    found = [hint for hint in (_of_ids(words), *_of_the_rest(words)) if hint is not None]
    return tuple(sorted(found, key=lambda hint: -hint.strength))


def _of_ids(words: tuple[str, ...]) -> Hint | None:
    core = list(words[1:] + words[:1] if words[:1] == ("id",) else words)
    while len(core) > 1 and core[-1] in ID_ENDINGS:
        core.pop()
    if not core:
        return None
    is_id = len(core) < len(words)
    noun, before = core[-1], core[:-1]
    plain_name = all(word in QUALIFIERS or word in ITEM_NOUNS for word in before)
    if noun in USER_NOUNS:
        return Hint("user", 1.0 if is_id or plain_name else 0.6)
    if noun in WEAK_USER_NOUNS:
        return Hint("user", 0.45 if is_id else 0.35) if is_id or not before else None
    if noun in ITEM_NOUNS and not any(word in PERSON_WORDS for word in before if word not in QUALIFIERS):
        if noun in WEAK_ITEM_NOUNS:
            return Hint("item", 0.6 if is_id else 0.3)
        parent = 0.3 * ("parent" in before)  # what an item's variants have in common names it better
        return Hint("item", 1.0 - 0.05 * len(before) if is_id else 0.9 - 0.1 * len(before) + parent)
    if noun in {"name", "login"} and before and before[-1] in USER_NOUNS:
        return Hint("user", 0.45)
    if is_id and words[-1] in {"id", "编号"} and noun not in AGGREGATES and noun not in _NO_ITEM:
        return Hint("item", 0.5)
    return None


_NO_ITEM = RATING_NOUNS | KIND_NOUNS | TIME_NOUNS | frozenset("category class group parent row review region cat".split())


def _of_the_rest(words: tuple[str, ...]) -> list[Hint | None]:
    """Hints that an ending of ids would spoil."""
    if not words or (words[-1] in ID_ENDINGS and len(words) > 1):
        return []
    last, before = words[-1], words[:-1]
    of_person = any(word in PERSON_WORDS for word in before)
    found: list[Hint | None] = []
    if last in RATING_NOUNS or (set(words) & {"rating", "score", "stars", "评分"} and last not in COUNTERS):
        if not set(words) & (AGGREGATES | COUNTERS | TIME_NOUNS | REVIEW_WORDS - {"review"} | frozenset({"type", "method"})):
            strong = last in {"rating", "ratings", "score", "stars", "overall", "评分", "star", "打分"}
            side = bool(set(before) & SUB_RATINGS)
            found.append(Hint("rating", (1.0 if strong else 0.7) - 0.4 * side - 0.02 * len(before)))
    if set(words) & AMOUNT_NOUNS and not set(words) & (AGGREGATES | RATING_NOUNS | TITLE_NOUNS) and last != "id":
        found.append(Hint("amount", 0.9 if last in {"quantity", "qty", "plays", "playcount", "count", "数量", "次数"} else 0.6))
    if set(words) & TIME_NOUNS or last in TIME_ENDINGS or words == ("t", "date"):
        if set(words) & OTHER_DATES or of_person and last in TITLE_NOUNS:
            found.append(Hint("time", 0.2))
        elif not set(words) & {"zone", "timezone", "offset", "spent", "duration"}:
            found.append(Hint("time", 1.0 - 0.05 * len(before) if last in TIME_NOUNS or last in TIME_ENDINGS else 0.7))
    if last in CLOCK_NOUNS:
        found.append(Hint("clock", 0.5))
    if last in KIND_NOUNS or words[-2:] == ("event", "name"):
        of_item = any(word in ITEM_NOUNS for word in before)
        found.append(Hint("kind", 0.3 if of_item else 1.0 if last != "type" or before else 0.7))
    if last in TITLE_NOUNS:
        if not of_person and not set(before) & REVIEW_WORDS:
            of_item = any(word in ITEM_NOUNS or word in {"片名", "书名", "歌名", "品名", "商品名", "电影名", "prod"} for word in words)
            weak = last in {"label", "labels", "description"}
            found.append(Hint("title", 1.0 if of_item and last != "title" or of_item and before else 0.4 if weak else 0.6 - 0.02 * len(before)))
    if last in ORDER_NOUNS or set(words) & {"sequence", "seq"}:
        found.append(Hint("order", 0.5))
    return found
