"""Small tables, one for each thing that can be found in one, and all that is said of each."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from xattn.data import Interactions, ItemTable, read_interactions, read_items
from xattn.errors import InputError

DAY = 86_400


class Case(NamedTuple):
    """A table as text (or bytes), the options with which it is read, and a table of its items if there is one."""

    text: str | bytes
    options: dict[str, Any] = {}  # noqa: RUF012
    items: str = ""
    of: str = "events"


def csv(header: str, *rows: str) -> str:
    return "\n".join((header, *rows)) + "\n"


FILM = "user,item,rating\n"
PEOPLE = [f"p{n},x{n % 7}" for n in range(24)]
FULL = [f"{row},{n % 5 + 1},{1_600_000_000 + n * DAY}" for n, row in enumerate(PEOPLE)]
EVENTS = "user,item,rating,timestamp"
LOG = [
    *(f"robot,i{t % 40},{1_700_000_000 + t}" for t in range(220)),
    *(f"p{u},i{(u + t) % 40},{1_700_000_000 + 9_000 * u + DAY * t}" for u in range(20) for t in range(6)),
    "once,i3,1700000000",
    "p1,i39,12",
    "p2,i39,7999999999",
]

CASES: dict[str, Case] = {
    "nothing to say": Case(csv(EVENTS, *FULL, *(row.replace("x", "y") for row in FULL))),
    "a header again": Case(csv(EVENTS, *FULL[:2], EVENTS, FULL[2], EVENTS.replace(",", " , "), FULL[3])),
    "bad bytes": Case(csv(EVENTS, *FULL, *("é,é,3,1600000000",) * 6).encode() + b"\xff,x1,2,1600000001\n"),
    "no header": Case(csv("a,x,1", "a,y,2", "b,x,5", "b,z,4", "a,z,3")),
    "no header, with times": Case(csv("a,x,1,1600000000", "a,y,2,1600086400", "b,x,5,1600000007", "b,z,4,1600000900")),
    "no header, with kinds": Case(csv("a,x,view", "a,y,cart", "b,x,view", "b,z,purchase")),
    "no header, with places": Case(csv("a,48.12345,x,5", "b,48.22345,y,4", "a,48.32345,y,3", "b,48.42345,x,1")),
    "unsure columns": Case(csv("name,thing,value", "a,x,1", "a,y,2", "b,x,1")),
    "no names, no shape": Case(csv("c1,c2,c3", "a,x,1", "b,y,2", "c,z,3")),
    "no time": Case(csv("user,item", "a,x", "a,y", "b,x", "b,y")),
    "ids as floats": Case(csv("user,item", "1.0,x", "2.0,y", "1.0,y", "2.0,x")),
    "blanks around ids": Case(csv("user,item", '"a ",x', "a,y", '" b",x', "b,y")),
    "ids but for blanks": Case(csv("user,item", "a b,x", "ab,y", "a b,y", "c,x")),
    "ids but for zeros": Case(csv("user,item", "u1,007", "u1,8", "u2,7", "u2,8")),
    "ids but for a fraction": Case(csv("user,item", "u1,7.0x,", "u1,8", "u2,7.0", "u2,7").replace("x,", "x")),
    "ids but for case": Case(csv("user,item", "Ann,x", "ann,y", "bob,x", "bob,y")),
    "ids but for their form": Case(csv("user,item", "ﬁn,x", "fin,y", "bob,x", "bob,y")),
    "hashes that differ by case": Case(csv("user,item", "aBcd1234,x", "abcd1234,y", "bob,x", "bob,y")),
    "ids with line breaks": Case('user,item\n"a\nb",x\nc,y\n"a\nb",y\nc,x\n'),
    "ids with line breaks, left out": Case('user,item\n"a\nb",x\nc,y\n"a\nb",y\nc,x\n', {"missing": "drop"}),
    "missing ids": Case(csv(EVENTS, *FULL[:3], ",x1,3,1600000000", "p1,,3,1600000000")),
    "missing ids, left out": Case(csv(EVENTS, *FULL[:3], ",x1,3,1600000000", "p1,,3,1600000000"), {"missing": "drop"}),
    "two faults": Case(csv(EVENTS, *FULL[:3], ",x1,3,1600000000", "p1,x3,many,1600000000", "p2,x3,3,never")),
    "unread times": Case(csv(EVENTS, *FULL[:3], "p1,x3,3,never", "p2,x3,3,")),
    "unread times, left out": Case(csv(EVENTS, *FULL[:3], "p1,x3,3,never", "p2,x3,3,"), {"missing": "drop"}),
    "times in two units": Case(csv(EVENTS, *FULL, "p1,x9,3,1600000000000", "p2,x9,2,1600000000001")),
    "days as numbers": Case(csv("user,item,date", "a,x,20240131", "a,y,20240229", "b,x,20231231")),
    "minutes as numbers": Case(csv("user,item,time", "a,x,202401312359", "a,y,202402290000", "b,x,202312311200")),
    "seconds as numbers": Case(csv("user,item,time", "a,x,20240131235959", "a,y,20240229000000", "b,x,20231231120000")),
    "running numbers": Case(csv("user,item,time", "a,x,3", "a,y,1", "b,x,2")),
    "day first": Case(csv("user,item,date", "a,x,31/01/2024", "a,y,01/02/2024", "b,x,05/12/2023")),
    "month first": Case(csv("user,item,date", "a,x,01/31/2024", "a,y,02/01/2024", "b,x,12/05/2023")),
    "both first": Case(csv("user,item,date", "a,x,31/01/2024", "a,y,01/02/2024", "b,x,30/12/2023", "b,y,12/30/2023")),
    "either first": Case(csv("user,item,date", "a,x,03/04/2024", "a,y,04/03/2024", "b,x,12/05/2023")),
    "either first, one order": Case(csv("user,item,date", "a,x,03/04/2024", "a,y,04/05/2024", "b,x,12/05/2023")),
    "either first, stated": Case(
        csv("user,item,date", "a,x,03/04/2024", "a,y,04/03/2024", "b,x,12/05/2023"), {"time_format": "day-first"}
    ),
    "a pattern of times": Case(
        csv("user,item,date", "a,x,31|01|24", "a,y,30|01|24", "b,x,01|02|24"), {"time_format": "%d|%m|%y"}
    ),
    "date and clock": Case(
        csv("user,item,date,time", "a,x,2024-01-31,18:30", "a,y,2024-01-31,6:05 pm", "b,x,2024-01-30,00:00:01")
    ),
    "year, month and day": Case(csv("user,item,year,month,day", "a,x,2024,1,31", "a,y,2024,1,30", "b,x,2023,12,1")),
    "ties": Case(csv(EVENTS, *FULL, "p1,x9,3,1600086400", "p1,x8,3,1600086400")),
    "unread ratings": Case(csv(EVENTS, *FULL[:5], "p1,x9,many,1600000000", "p1,x8,?,1600000001")),
    "unread ratings, stated": Case(
        csv(EVENTS, *FULL[:5], "p1,x9,many,1600000000", "p1,x8,?,1600000001"), {"unrated": "many"}
    ),
    "marks of no rating": Case(csv(EVENTS, *FULL, "p1,x9,-1,1600000000", "p3,x9,-1,1600000001")),
    "absurd ratings": Case(csv(EVENTS, *FULL, "p1,x9,55,1600000000")),
    "a guessed scale": Case(csv(EVENTS, *FULL[:4], "p1,x9,2.3,1600000000")),
    "a stated scale": Case(csv(EVENTS, *FULL[:4], "p1,x9,7,1600000000"), {"scale": "1-5"}),
    "amounts": Case(csv("user,item,plays", "a,x,3", "a,y,1", "b,x,250")),
    "amounts that are meant": Case(csv("user,item,plays", "a,x,3", "a,y,1", "b,x,250"), {"amount": "plays"}),
    "ratings that are amounts": Case(csv("user,item,rating", *(f"a,x{n},{n * n}" for n in range(12)), "b,x1,9000")),
    "dwell": Case(
        csv("user,item,seconds", "a,x,0", "a,y,10", "b,x,30", "b,y,600"), {"scale": "dwell", "amount": "seconds"}
    ),
    "dwell under 0": Case(
        csv("user,item,seconds", "a,x,-3", "a,y,10", "b,x,30"), {"scale": "dwell", "amount": "seconds"}
    ),
    "progress": Case(csv("user,item,seen", "a,x,0", "a,y,50", "b,x,100"), {"scale": "progress", "amount": "seen"}),
    "returns": Case(csv("user,item,quantity", "a,x,3", "a,y,-1", "b,x,2", "b,y,-2")),
    "returns that are kept": Case(
        csv("user,item,quantity", "a,x,3", "a,y,-1", "b,x,2", "b,y,-2"), {"event_weights": {"return": -0.5}}
    ),
    "returns that do not occur": Case(
        csv("user,item,quantity", "a,x,3", "a,y,0", "b,x,0.5"), {"event_weights": {"return": -0.5}}
    ),
    "a rating and an amount": Case(csv("user,item,rating,quantity", "a,x,3,1", "a,y,1,2", "b,x,5,1", "b,z,4,9")),
    "rows that differ by their amount": Case(
        csv("user,item,time,quantity", "a,x,1600000000,1", "a,x,1600000000,2", "a,x,1600000000,1", "b,y,1600000000,1")
    ),
    "rows that differ by their type": Case(
        csv(
            "user,item,time,event",
            "a,x,1600000000,view",
            "a,x,1600000000,buy",
            "a,x,1600000000,buy",
            "b,y,1600000000,buy",
        )
    ),
    "a pattern that one time does not fit": Case(
        csv("user,item,date", "a,x,31|01|24", "a,y,soon", "b,x,01|02|24"), {"time_format": "%d|%m|%y"}
    ),
    "repeats": Case(csv("user,item,time", "a,x,1600000000", "a,x,1600000009", "a,x,1600000010", "b,y,1600000000")),
    "exact repeats": Case(csv(EVENTS, *FULL[:4], FULL[1], FULL[1])),
    "exact repeats, left out": Case(csv(EVENTS, *FULL[:4], FULL[1], FULL[1]), {"repeats": "drop"}),
    "a robot": Case(csv("user,item,timestamp", *LOG)),
    "a robot, left out": Case(csv("user,item,timestamp", *LOG), {"drop": "bots,time_odd"}),
    "one event, left out": Case(csv("user,item,timestamp", *LOG[220:]), {"drop": "one_event_users"}),
    "titles": Case(csv("user,item,title", "a,x,Heat", "a,y,Ran", "b,x,Heat", "b,y,Ran")),
    "titles that vary": Case(
        csv("user,item,item title", "a,x,Heat", "a,y,Ran", "b,x,Heat", "b,y,Ran", "c,x,Heat (1995)")
    ),
    "titles of reviews": Case(csv("user,item,rating,title", "a,x,1,Bad", "a,y,2,So", "b,x,5,Good", "b,y,4,Nice")),
    "titles of people": Case(csv("user,item,title", "a,x,Ann", "a,y,Ann", "b,x,Bob", "b,y,Bob", "c,x,Cy", "c,y,Cy")),
    "broken letters": Case(csv("user,item,title", "a,x,AmÃ©lie", "a,y,Ran", "b,x,AmÃ©lie", "b,y,Ran")),
    "types of events": Case(
        csv("user,item,event,time", "a,x,view,1600000000", "a,x,purchase,1600000003", "b,y,view,1600000001"),
        {"event_weights": {"purchase": 1.0}},
    ),
    "a wide table": Case(csv("user,1,2,3", "u1,5,,3", "u2,,4,1")),
    "lines of items": Case("u1 7 12 40\nu2 7\nu3 12 9\n"),
    "blocks": Case("7:\nu1,5,2005-09-06\nu2,3,2005-09-07\n9:\nu1,4,2005-09-08\n"),
    "pairs of colons": Case("1::10::5::978300760\n1::20::3::978302109\n2::10::4::978301968\n"),
    "items that do not meet": Case(
        csv("user,item", "a,007", "a,8", "b,7", "b,10"), items=csv("item,title", "07,A", "8,B")
    ),
    "items of which some are not described": Case(
        csv("user,item", "a,x", "a,y", "b,z"), items=csv("item,title,kind", "x,X,k", "q,Q,k", "r,R,l")
    ),
    "items: all well": Case(csv("item,title,genre", "x,X (1990),a|b", "y,Y (1991),b", "z,Z (1992),a|c"), of="items"),
    "items: one twice": Case(csv("item,title", "x,X", "y,Y", "x,Z", "y,Q"), of="items"),
    "items: one twice, left out": Case(csv("item,title", "x,X", "y,Y", "x,Z", ",Q"), {"missing": "drop"}, of="items"),
    "items: one twice alike": Case(csv("item,title", "x,X", "y,Y", "x,X"), of="items"),
    "items: blank": Case(csv("item,title", "x,X", ",Y", "z,Z"), of="items"),
    "items: broken letters": Case(csv("item,title", "x,AmÃ©lie", "X,Ran", "z,Ã¤h"), of="items"),
    "items: flags": Case(
        csv("item,title,genre_A,genre_B,genre_C,new", "x,X,1,0,1,yes", "y,Y,0,0,1,no", "z,Z,1,1,0,no"), of="items"
    ),
    "items: lists": Case(
        csv("item,title,a;tags,b", "x,X,\"['p', 'q']\",p;q", "y,Y,['q'],q;r", "z,Z,[],p;r"), of="items"
    ),
    "items: numbers and codes": Case(
        csv("item,title,price,code,text", "x,X,1.5,007,1e999", "y,Y,,008,2", "z,Z,-3e2,009,3"), of="items"
    ),
    "items: no header": Case("x,X,3\ny,Y,4\nz,Z,4\n", of="items"),
    "items: two flags are no block": Case(csv("item,title,new,old", "x,X,1,0", "y,Y,0,0", "z,Z,1,1"), of="items"),
    "items: a header alone": Case("item,title\n", of="items"),
    "items: none is left": Case(csv("item,title", ",X", ",Y"), {"missing": "drop"}, of="items"),
    "items: ids with line breaks": Case('item,title\n"a\nb",X\nc,Y\n', of="items"),
    "items: two twice": Case(csv("item,title", "x,X", "y,Y", "x,Z", "z,Z", "x,Q"), of="items"),
    "items: years of a few": Case(csv("item,title", "x,X (1990)", "y,Y", "z,Z"), of="items"),
    "items: years of half": Case(csv("item,title", "x,X (1990)", "y,Y (1991)", "z,Z", "q,Q"), of="items"),
    "items: years, and a column of them": Case(csv("item,title,year", "x,X (1990),1", "y,Y (1991),2"), of="items"),
    "items: titles in Chinese": Case(csv("item,title,title_zh", "x,Heat,盗火线", "y,Ran,"), of="items"),
    "items: no titles": Case(csv("item,genre", "x,a", "y,b", "z,"), of="items"),
    "items: users and titles are no keys": Case(csv("user,title,isbn", "a,X,1", "b,Y,2", "c,Z,3"), of="items"),
    "items: the one that can be a key": Case(csv("sort,price", "p7,1.5", "p8,2.5", "p9,1.5"), of="items"),
    "items: a user is no key": Case(csv("user,what", "a,p", "b,q", "c,r"), of="items"),
    "items: an empty column": Case(csv("item,title,note", "x,X,", "y,Y,", "z,Z,"), of="items"),
    "items: no key": Case(csv("colour,size", "red,1", "red,2", "blue,1"), of="items"),
    "items: a list of tags, and prose": Case(
        csv("item,tags,prose", 'x,"p, q","it is, in short, good"', 'y,"q, p","no, not at all"', 'z,"p","well, yes"'),
        of="items",
    ),
    "items: described": Case(csv("sku,description", "x,red shirt", "y,blue shirt", "z,red hat"), of="items"),
}


def read(case: Case) -> Interactions | ItemTable:
    raw = io.BytesIO(case.text.encode() if isinstance(case.text, str) else case.text)
    raw.name = "table"
    if case.of == "items":
        return read_items(raw, **case.options)
    return read_interactions(raw, io.BytesIO(case.items.encode()) if case.items else None, name="table", **case.options)


def told(case: Case) -> str:
    """All that is said of a table: the refusal, the report, and a line for each event or item that is left."""
    lines: list[str] = []
    try:
        found: Any = read(case)
        lines.append(found.report.text())
    except InputError as error:
        lines += [f"{type(error).__name__}: {error}"]
        if hasattr(error, "report"):
            lines.append(error.report.text())
        return "\n".join(lines)
    if isinstance(found, ItemTable):
        lines += ["  ".join(map(str, row)) for row in zip(found.ids, found.titles, strict=True)]
        lines += [f"{name}: {column.tolist()}" for name, column in found.frame.items()]
    else:
        lines += _events(found)[:12]
        pairs = zip(found.items.ids, found.items.titles, strict=True)
        lines += [f"{one} is called {title}" for one, title in pairs if title != one]
    return "\n".join(lines)


def _events(data: Interactions) -> list[str]:
    found = []
    for n, (user, item) in enumerate(zip(data.user.tolist(), data.item.tolist(), strict=True)):
        said = [data.user_ids[user], data.items.ids[item]]
        said += [] if data.rating is None else [f"{data.rating[n]:g}"]
        said += [] if data.time is None else [f"{data.time[n]:.15g}"]
        said += [] if data.kind is None else [str(data.kind[n])]
        found.append("  ".join(said))
    return found
