"""The picture on the card of each scenario, drawn from its own simulated set: plain SVG, 160 × 90, no texts.

    class a    what matters in this picture      b    what stands against it      c    all the rest

The colours are those of the theme; a browser chooses the dark ones where the page around is dark. Each function is one
picture, and its docstring says what is drawn. `benchmarks/scenario_pictures.py` writes the files that the page shows; a
test draws them again and finds the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from xattn.data.simulate import Simulated

__all__ = ["DRAWN", "picture"]

W, H, EDGE = 160, 90, 8
INNER = H - 2 * EDGE
COLOURS = {"a": ("#2166ac", "#6fa8dc"), "b": ("#b35806", "#e8985a"), "c": ("#b9b4a8", "#5a616c")}  # light, dark
RULES = [
    "".join(f".{k}{{fill:{c[n]}}}.{k}.line{{fill:none;stroke:{c[n]}}}" for k, c in COLOURS.items()) for n in (0, 1)
]
STYLE = f"{RULES[0]}.faint{{opacity:.4}}@media(prefers-color-scheme:dark){{{RULES[1]}}}"


def picture(name: str, truth: Simulated) -> str:
    """The picture of a scenario as SVG. The same set gives the same picture, to the letter."""
    size = f'width="{W}" height="{H}" viewBox="0 0 {W} {H}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>{DRAWN[name](truth)}</svg>\n'


def _rect(x: float, y: float, w: float, h: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="1"/>'


def _dot(x: float, y: float, r: float, kind: str) -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>'


def _path(points: str, kind: str, width: float = 1.0) -> str:
    return f'<path class="{kind} line" d="{points}" stroke-width="{width:.2f}"/>'


def _person(truth: Simulated) -> slice:
    """The events of the person with most of them, the first of equals."""
    return truth.data.events_of(int(np.argmax(np.diff(truth.data.indptr))))


def _codes(truth: Simulated, column: str) -> np.ndarray:
    """(M,) number of each item's value of a column, in the order of the values."""
    return pd.factorize(truth.data.items.frame[column], sort=True)[0]


def _baskets(truth: Simulated) -> str:
    """Baskets of one person, one a column: a square is a thing; blue was bought before."""
    own = _person(truth)
    seen: set[int] = set()
    session = truth.session[own]
    wide, tall = (W - 2 * EDGE) / (session.max() + 1), INNER / np.bincount(session).max()
    height = np.zeros(int(session.max()) + 1, int)
    marks = []
    for item, at in zip(truth.data.item[own].tolist(), session.tolist(), strict=True):
        height[at] += 1
        x, y = EDGE + wide * at, H - EDGE - tall * height[at]
        marks.append(_rect(x, y, wide - 4, tall - 2, "a" if item in seen else "c"))
        seen.add(item)
    return "".join(marks)


def _threads(truth: Simulated) -> str:
    """Subjects on a line; an arc joins two that the same people take part in, and is the wider the more these are."""
    tag, data = _codes(truth, "tags"), truth.data
    has = np.zeros((data.n_users, int(tag.max()) + 1))
    has[data.user, tag[data.item]] = 1
    both = has.T @ has
    place = np.linspace(EDGE + 4, W - EDGE - 4, len(both))
    pairs = sorted(
        ((both[i, j], i, j) for i in range(len(both)) for j in range(i + 1, len(both))), key=lambda one: -one[0]
    )
    arcs = []
    for n, (amount, i, j) in enumerate(pairs[:18]):
        reach = (place[j] - place[i]) / 2
        path = f"M{place[i]:.1f} 72A{reach:.1f} {min(reach, 58):.1f} 0 0 1 {place[j]:.1f} 72"
        arcs.append(_path(path, "a" if n < 4 else "c", 4 * amount / pairs[0][0] - 2.4))
    size = 7 * np.diag(both) / np.diag(both).max()
    return "".join(arcs) + "".join(_dot(x, 72, r, "b") for x, r in zip(place, size, strict=True))


def _fading(truth: Simulated) -> str:
    """How old articles are when they are read, day by day: blue are those of the first three days."""
    data = truth.data
    assert data.time is not None
    first = np.full(data.n_items, np.inf)
    np.minimum.at(first, data.item, data.time)
    days = ((data.time - first[data.item]) // 86_400).astype(int)
    count = np.bincount(days[days < 18], minlength=18)
    tall = INNER * count / count.max()
    return "".join(
        _rect(EDGE + 8 * day, H - EDGE - h, 6, h, "a" if day < 3 else "c") for day, h in enumerate(tall) if h > 0
    )


def _bars(truth: Simulated) -> str:
    """Kinds of music, up and down from the middle: blue what was kept as a favourite, grey what was played alone."""
    data, kind = truth.data, _codes(truth, "kind")
    assert data.kind is not None
    kept = data.kind == "favourite"
    loved = np.bincount(kind[data.item[kept]])
    played = np.bincount(kind[data.item[~kept]], minlength=len(loved))
    unit = (H / 2 - EDGE) / (loved + played).max()
    marks = []
    for at, (a, c) in enumerate(zip(loved * unit, played * unit, strict=True)):
        x = EDGE + 14.6 * at
        marks += [_rect(x, H / 2 - a - c, 10, 2 * (a + c), "c"), _rect(x, H / 2 - a, 10, 2 * a, "a")]
    return "".join(marks)


def _stairs(truth: Simulated) -> str:
    """Work handed in by three students, a step for each that was passed; orange marks those that were not."""
    data = truth.data
    assert data.kind is not None
    people = np.argsort(-np.diff(data.indptr), kind="stable")[[0, 40, 120]]
    most = int(np.diff(data.indptr).max())
    tall = INNER / np.bincount(data.user[data.kind == "passed"]).max()
    marks = []
    for n, person in enumerate(people.tolist()):
        x, y = float(EDGE), float(H - EDGE)
        path = f"M{x:.1f} {y:.1f}"
        failed = []
        for kind in data.kind[data.events_of(person)].tolist():
            x += (W - 2 * EDGE) / most
            path += f"H{x:.1f}"
            if kind == "passed":
                y -= tall
                path += f"V{y:.1f}"
            else:
                failed.append(_dot(x, y, 2, "b"))
        marks += [_path(path, "c" if n else "a", 2), *failed]
    return "".join(marks)


def _records(truth: Simulated) -> str:
    """Records of twelve people, a line for each and a mark for each note; blue stands there for a second time."""
    data = truth.data
    marks = []
    for person in range(12):
        seen: set[int] = set()
        for n, item in enumerate(data.item[data.events_of(person)][:24].tolist()):
            marks.append(_rect(EDGE + 6 * n, EDGE + 6.2 * person, 3, 4.2, "a" if item in seen else "c"))
            seen.add(item)
    return "".join(marks)


def _owned(truth: Simulated) -> str:
    """Households in lines, products in columns, the most common ones left: blue is owned."""
    data = truth.data
    order = np.argsort(-data.counts(), kind="stable")[:24]
    marks = []
    for person in range(12):
        has = np.isin(order, data.item[data.events_of(person)])
        for at, owned in enumerate(has.tolist()):
            marks.append(_rect(EDGE + 6 * at, EDGE + 6.2 * person, 4.6, 4.8, "a" if owned else "c faint"))
    return "".join(marks)


def _routine(truth: Simulated) -> str:
    """Scenes of a home on a ring; a line leads from each to the one that its people want next, blue where it is one of
    the habits."""
    data, leads = truth.data, truth.companion
    turn = 2 * np.pi * np.arange(data.n_items) / data.n_items - np.pi / 2
    x, y = W / 2 + 39 * np.cos(turn), H / 2 + 39 * np.sin(turn)
    own = np.zeros(data.n_events, bool)
    own[1:] = (data.user[1:] == data.user[:-1]) & (truth.session[1:] == truth.session[:-1])
    at = np.flatnonzero(own)
    pairs, count = np.unique(np.stack([data.item[at - 1], data.item[at]]), axis=1, return_counts=True)
    marks = []
    for n in np.argsort(-count, kind="stable")[:44].tolist()[::-1]:
        i, j = pairs[:, n].tolist()
        path = f"M{x[i]:.1f} {y[i]:.1f}Q{W / 2} {H / 2} {x[j]:.1f} {y[j]:.1f}"
        marks.append(_path(path, "a" if leads[i] == j else "c", 2.2 * count[n] / count.max()))
    return "".join(marks) + "".join(_dot(one, two, 1.1, "b") for one, two in zip(x, y, strict=True))


def _route(truth: Simulated) -> str:
    """Offers by region and price; the line is the way of one person through them."""
    data = truth.data
    region = _codes(truth, "region")
    price = data.items.frame["price"].to_numpy(np.float64)
    x = EDGE + (W - 2 * EDGE) * (price - price.min()) / (price.max() - price.min())
    y = EDGE + 6 + (INNER - 12) * (region + 0.35 * (np.arange(data.n_items) % 3 - 1)) / region.max()
    way = list(dict.fromkeys(data.item[_person(truth)].tolist()))
    path = "M" + "L".join(f"{x[item]:.1f} {y[item]:.1f}" for item in way)
    dots = [_dot(one, two, 1.6, "c") for one, two in zip(x, y, strict=True)]
    return "".join([*dots, _path(path, "a", 1.4), *(_dot(x[item], y[item], 2.4, "b") for item in way)])


def _cars(truth: Simulated) -> str:
    """Cars by class and by miles per gallon, the larger the more were tried; blue are those of one buyer."""
    data = truth.data
    group = _codes(truth, "class")
    far = data.items.frame["miles per gallon"].to_numpy(np.float64)
    x = EDGE + 4 + (W - 2 * EDGE - 8) * (far - far.min()) / (far.max() - far.min())
    y = EDGE + 6 + (INNER - 12) * (group + 0.3 * (np.arange(data.n_items) % 3 - 1)) / group.max()
    size = 1.2 + 4.2 * np.sqrt(data.counts() / data.counts().max())
    own = set(data.item[_person(truth)].tolist())
    order = sorted(range(data.n_items), key=lambda item: item in own)
    return "".join(_dot(x[item], y[item], size[item], "a" if item in own else "c") for item in order)


DRAWN: dict[str, Callable[[Simulated], str]] = {
    "e-commerce": _baskets,
    "social": _threads,
    "news": _fading,
    "music": _bars,
    "education": _stairs,
    "health": _records,
    "finance": _owned,
    "smart-home": _routine,
    "travel": _route,
    "cars": _cars,
}
