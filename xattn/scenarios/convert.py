"""Public sets as they were published → two frames: events (user, item, time, kind, rating) and items (item, title, …).

A converter reads the files of one set from its folder, leaves values as they are, and makes no choice that looks at
behaviour. Columns of persons that the scenarios have no use for are not read at all. What each leaves out stands in its
docstring, and in the manifest's `about`.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xattn.errors import check_choice, refuse

__all__ = ["CONVERTERS", "Frames", "converted", "items_of_cars"]


class Frames(NamedTuple):
    """Events with the columns user and item, oldest first where there is no time, and items with item and title."""

    events: pd.DataFrame
    items: pd.DataFrame


def converted(converter: str, folder: Path) -> Frames:
    """The frames of the set in `folder`. Raises InputError for an unknown converter and for a file that is not there or
    is another."""
    make = CONVERTERS[check_choice("converter", converter, list(CONVERTERS))]
    try:
        return make(folder)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        name = getattr(problem, "filename", None)
        refuse("scenario_file", set=folder.name, got=Path(name).name if name else str(problem))


def _table(path: Path, **options: Any) -> pd.DataFrame:
    """A table with every cell as the text that stands there."""
    frame: pd.DataFrame = pd.read_csv(path, dtype=str, keep_default_na=False, **options)
    return frame


def _most_common(column: pd.Series[str]) -> str:
    """The value that stands most often; of equals, the first in order."""
    return str(column.mode().iloc[0])


def _complete_journey(folder: Path) -> Frames:
    """A household buys types of products: one event a basket and type. Coupons, petrol and empty rows are left out."""
    sales = _table(
        folder / "transactions_hh10.csv.gz",
        usecols=["household_id", "basket_id", "product_id", "quantity", "coupon_disc", "transaction_timestamp"],
    )
    goods = _table(folder / "products.csv.gz", usecols=["product_id", "department", "product_category", "product_type"])
    goods = goods[~goods["department"].isin(["COUPON", "FUEL", "MISCELLANEOUS", ""]) & (goods["product_type"] != "")]
    sold = sales.merge(goods, on="product_id")
    sold = sold[sold["quantity"].astype(float) > 0]
    sold["kind"] = np.where(sold["coupon_disc"].astype(float) > 0, "with a coupon", "purchase")
    sold = sold.sort_values("transaction_timestamp", kind="stable").drop_duplicates(["basket_id", "product_type"])
    events = sold[["household_id", "product_type", "transaction_timestamp", "kind"]]
    events = events.set_axis(["user", "item", "time", "kind"], axis=1)
    most = goods.groupby("product_type")[["department", "product_category"]].agg(_most_common)
    items = most.reset_index().set_axis(["item", "department", "category"], axis=1)
    items.insert(1, "title", items["item"].str.capitalize())
    return Frames(events, items)


def _quantum(folder: Path) -> Frames:
    """Who asked, answered, commented on or kept a question; bounties count as keeping. Some times are days only."""
    events = _table(folder / "events.csv.gz", usecols=["user", "question", "event", "time"])
    events = events.set_axis(["user", "item", "kind", "time"], axis=1)
    events["time"] = pd.to_datetime(events["time"], format="ISO8601").dt.strftime("%Y-%m-%d %H:%M:%S")
    asked = _table(folder / "questions.csv.gz", usecols=["question", "title", "tags"])
    return Frames(events, asked.set_axis(["item", "title", "tags"], axis=1))


INTERESTING = (  # "I find this article interesting to read" in the set's codebook
    "DZyvQCx4sTr6xhd67", "yZ7Db3PsTNW2na9hZ", "EiEAq5Ms4WfukLwG8", "bQ925uvAhfuLJX9w8", "8chxji6FtzC7c6eca",
    "FKf2wJTAEMSDipPga", "9kkHAP44YsWdv238y", "HNTDMFkjt3Ynvhy7d",
)  # fmt: skip


def _informfully(folder: Path) -> Frames:
    """Articles kept, marked as favourites, or said to be interesting or not; the other question is left out."""
    answers = _table(folder / "ratings.csv.gz")
    answers = answers[answers["articleQuestionId"].isin(INTERESTING)]
    answers = answers.assign(kind=np.where(answers["articleAnswer"] == "1", "interesting", "not interesting"))
    parts = [answers]
    for name, kind in (("bookmarks", "bookmark"), ("favourites", "favourite")):
        parts.append(_table(folder / f"{name}.csv.gz").assign(kind=kind))
    found = pd.concat(parts).sort_values("createdAt", kind="stable")
    events = found[["informfully_id", "articleId", "createdAt", "kind"]]
    events = events.set_axis(["user", "item", "time", "kind"], axis=1)
    said = found["articlePublishedDate"].fillna("")
    day = pd.to_datetime(said.where(said.str.contains("-")), format="ISO8601", errors="coerce")
    since = pd.to_datetime(pd.to_numeric(said, errors="coerce"), unit="ms")
    found = found.assign(published=day.fillna(since).dt.strftime("%Y-%m-%d").fillna(""))
    items = found.groupby("articleId", sort=True)["published"].max().reset_index()
    items = items.set_axis(["item", "published"], axis=1)
    items.insert(1, "title", [f"Article {row + 1}" for row in range(len(items))])
    return Frames(events, items)


def _deezer(folder: Path) -> Frames:
    """Every third person with the genres that they like, in the order in which they stand."""
    with gzip.open(folder / "RO_genres.json.gz") as file:
        liked = json.load(file)
    rows = [(user, genre) for user, genres in liked.items() if int(user) % 3 == 0 for genre in genres]
    events = pd.DataFrame(rows, columns=["user", "item"])
    genres = sorted(set(events["item"]))
    family = [" ".join(genre.replace("/", " ").replace("-", " ").split()[-1:]) for genre in genres]
    return Frames(events, pd.DataFrame({"item": genres, "title": genres, "family": family}))


BEGIN = {"2013B": "2013-02-01", "2013J": "2013-10-01", "2014B": "2014-02-01", "2014J": "2014-10-01"}


def _oulad(folder: Path) -> Frames:
    """Students hand assessments in, passed (40 points or more) or failed; what was carried over is left out.

    Days count from the first of the month in which a presentation begins.
    """
    given = _table(folder / "studentAssessment.csv.gz")
    given = given[(given["is_banked"] == "0") & (given["score"] != "")]
    tests = _table(folder / "assessments.csv", na_values=["?"])
    tests = tests.sort_values(["code_module", "code_presentation", "assessment_type", "id_assessment"], kind="stable")
    number = tests.groupby(["code_module", "code_presentation", "assessment_type"]).cumcount() + 1
    form = tests["code_module"] + " " + tests["code_presentation"] + ", " + tests["assessment_type"] + " "
    tests["title"] = form + number.astype(str)
    handed = given.merge(tests[["id_assessment", "code_presentation"]], on="id_assessment")
    days = pd.to_timedelta(handed["date_submitted"].astype(float), unit="D")
    when = (pd.to_datetime(handed["code_presentation"].map(BEGIN)) + days).dt.strftime("%Y-%m-%d")
    kind = np.where(handed["score"].astype(float) >= 40, "passed", "failed")
    events = pd.DataFrame({"user": handed["id_student"], "item": handed["id_assessment"], "time": when, "kind": kind})
    items = tests[["id_assessment", "title", "code_module", "assessment_type"]]
    return Frames(events, items.set_axis(["item", "title", "module", "form"], axis=1))


CHAPTERS = (  # of ICD-9, by the last code of each
    (139, "infections"), (239, "neoplasms"), (279, "metabolic"), (289, "blood"), (319, "mental"), (389, "nerves"),
    (459, "circulation"), (519, "breathing"), (579, "digestion"), (629, "kidneys"), (679, "pregnancy"), (709, "skin"),
    (739, "joints"), (759, "congenital"), (779, "newborn"), (799, "signs"), (999, "injury"),
)  # fmt: skip
MEDICINES_FROM, MEDICINES_TO = "metformin", "metformin-pioglitazone"


def _diabetes(folder: Path) -> Frames:
    """What the records of patients with three stays or more hold, stay by stay: diagnoses (three digits of ICD-9) and
    medicines. Race, gender, age and weight are not read. There are no dates: the number of the stay gives the order."""
    opened: Callable[[], Any] = partial(gzip.open, folder / "diabetic_data.csv.gz")  # as it is fetched
    if not (folder / "diabetic_data.csv.gz").exists():
        opened = partial(zipfile.ZipFile(folder / "dataset_diabetes.zip").open, "dataset_diabetes/diabetic_data.csv")
    with opened() as file:
        header = pd.read_csv(file, nrows=0).columns.tolist()
    drugs = header[header.index(MEDICINES_FROM) : header.index(MEDICINES_TO) + 1]
    with opened() as file:
        columns = ["encounter_id", "patient_nbr", "diag_1", "diag_2", "diag_3", *drugs]
        stays = pd.read_csv(file, dtype=str, keep_default_na=False, usecols=columns)
    stays = stays[stays.groupby("patient_nbr")["encounter_id"].transform("size") >= 3]
    stays = stays.assign(at=stays["encounter_id"].astype(np.int64)).sort_values(["patient_nbr", "at"], kind="stable")
    parts = []
    for place, column in enumerate(("diag_1", "diag_2", "diag_3")):
        has = stays[~stays[column].isin(["?", ""])]
        code = has[column].str.split(".").str[0]
        parts.append(pd.DataFrame({"user": has["patient_nbr"], "item": "ICD-9 " + code, "at": has["at"], "in": place}))
    for place, drug in enumerate(drugs, 3):
        has = stays[stays[drug] != "No"]
        parts.append(pd.DataFrame({"user": has["patient_nbr"], "item": drug, "at": has["at"], "in": place}))
    rows = pd.concat(parts).sort_values(["user", "at", "in"], kind="stable").drop_duplicates(["user", "at", "item"])
    items = sorted(set(rows["item"]))
    chapter = [_chapter(item) for item in items]
    kind = ["diagnosis" if item.startswith("ICD-9 ") else "medicine" for item in items]
    titles = [
        f"{item} ({of})" if what == "diagnosis" else item for item, what, of in zip(items, kind, chapter, strict=True)
    ]
    table = pd.DataFrame({"item": items, "title": titles, "kind of entry": kind, "chapter": chapter})
    return Frames(rows[["user", "item"]].reset_index(drop=True), table)


def _chapter(item: str) -> str:
    code = item.removeprefix("ICD-9 ")
    if code == item:
        return "medicine"
    if not code.isdigit():
        return "causes" if code.startswith("E") else "circumstances"
    return next((name for last, name in CHAPTERS if int(code) <= last), "other")


PRODUCTS = {  # flag of the survey: (title, sort, side)
    "HCHECK": ("Checking account", "account", "asset"), "HSAVING": ("Savings account", "account", "asset"),
    "HMMA": ("Money market account", "account", "asset"), "HCALL": ("Cash account at a broker", "account", "asset"),
    "HCDS": ("Certificates of deposit", "account", "asset"), "HSAVBND": ("Savings bonds", "security", "asset"),
    "HBOND": ("Bonds", "security", "asset"), "HSTOCKS": ("Stocks", "security", "asset"),
    "HNMMF": ("Investment funds", "security", "asset"), "HRETQLIQ": ("Retirement account", "provision", "asset"),
    "HCASHLI": ("Life insurance with cash value", "provision", "asset"),
    "HOTHMA": ("Other managed assets", "security", "asset"), "HOTHFIN": ("Other financial assets", "security", "asset"),
    "HVEHIC": ("Vehicle", "property", "asset"), "HHOUSES": ("Own home", "property", "asset"),
    "HORESRE": ("Other real estate", "property", "asset"), "HBUS": ("Business", "property", "asset"),
    "HPRIM_MORT": ("Mortgage", "loan", "debt"), "HSEC_MORT": ("Second mortgage", "loan", "debt"),
    "HHELOC": ("Home equity credit line", "loan", "debt"), "HCCBAL": ("Credit card balance", "loan", "debt"),
    "HVEH_INST": ("Vehicle loan", "loan", "debt"), "HEDN_INST": ("Education loan", "loan", "debt"),
    "HBROK": ("Brokerage account", "account", "asset"),
}  # fmt: skip
HOUSEHOLD = ("AGECL", "EDCL", "KIDS", "INCCAT", "NWCAT")  # classes of age, education, children, income, net worth


def _scf(folder: Path) -> Frames:
    """Which of 24 products a household owns; without times, in the order of the survey's columns, which means nothing.
    Classes of the household stand beside, and are sensitive: no model reads them."""
    homes = _table(folder / "scf2019_products.csv.gz", usecols=["YY1", *HOUSEHOLD, *PRODUCTS])
    long = homes.melt(["YY1", *HOUSEHOLD], list(PRODUCTS), "item", "owned", ignore_index=False)
    long = long[long["owned"] == "1"].sort_index(kind="stable").drop(columns="owned")
    items = pd.DataFrame([(code, *said) for code, said in PRODUCTS.items()], columns=["item", "title", "sort", "side"])
    return Frames(long.rename(columns={"YY1": "user"}).reset_index(drop=True), items)


CRITIQUES = {
    "L": "look", "N": "wants it nicer", "M": "wants it cheaper", "R": "wants it livelier",
    "Q": "wants it more creative", "S": "wants it quieter", "P": "wants it more traditional",
}  # fmt: skip


def _entree(folder: Path) -> Frames:
    """Sessions in which at least three restaurants of Chicago were looked at; what was said at each is the event's
    type. A session is the person: many people share one host."""
    rows = [row for at, line in enumerate(_lines(folder / "sessions.tsv.gz")) for row in _looks(at, line)]
    events = pd.DataFrame(rows, columns=["user", "item", "time", "kind"])
    events = events[events.groupby("user")["item"].transform("nunique") >= 3].reset_index(drop=True)
    when = pd.to_datetime(events["time"], format="%d/%b/%Y:%H:%M:%S")
    events["time"] = when.dt.strftime("%Y-%m-%d %H:%M:%S")
    with open(folder / "features.txt", encoding="latin-1") as file:
        names = dict(line.rstrip("\n").split("\t", 1) for line in file if "\t" in line)
    places = []
    with open(folder / "chicago.txt", encoding="latin-1") as file:
        for line in file:
            number, title, codes = line.rstrip("\n").split("\t")
            places.append((str(int(number)), title, "|".join(names.get(code, code) for code in codes.split())))
    return Frames(events, pd.DataFrame(places, columns=["item", "title", "what it is"]))


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="latin-1") as file:
        yield from file


def _looks(at: int, line: str) -> Iterator[tuple[str, str, str, str]]:
    """(session, restaurant, time, type) of each restaurant that was looked at in a session, in order."""
    date, _, _, *looked, _ = line.rstrip("\n").split("\t")
    for number, clicks in groupby(
        looked, lambda step: step.rstrip("LNMRQSPO")
    ):  # most stand twice, one after the other
        if number.isdigit():
            yield f"s{at + 1}", str(int(number)), date, CRITIQUES.get(list(clicks)[-1][-1], "look")


def items_of_cars(folder: Path) -> pd.DataFrame:
    """Cars of the model years from 2010 on, one of each make, model and fuel: items alone, nobody bought them here."""
    cars = _table(folder / "vehicles.csv.gz")
    cars = cars[cars["year"].astype(float) >= 2010].drop_duplicates(["make", "model", "fuel"])
    cars = cars[cars["id"].astype(float).astype(int) % 10 == 0]  # a rule on the number, as a sample
    number = cars["id"].astype(float).astype(int).astype(str)
    title = cars["make"] + " " + cars["model"]
    return pd.DataFrame(
        {
            "item": number,
            "title": title,
            "make": cars["make"],
            "class": cars["class"],
            "drive": cars["drive"],
            "fuel": cars["fuel"],
            "miles per gallon": pd.to_numeric(cars["hwy"]),
        }
    ).reset_index(drop=True)


CONVERTERS: dict[str, Callable[[Path], Frames]] = {
    "complete_journey": _complete_journey,
    "deezer": _deezer,
    "diabetes": _diabetes,
    "entree": _entree,
    "informfully": _informfully,
    "oulad": _oulad,
    "quantum": _quantum,
    "scf": _scf,
}
