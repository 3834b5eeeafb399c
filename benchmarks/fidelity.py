"""Explanations of three small networks, wrapped, and of deep heads, by the metrics of LXR, for docs/explanations.md.

    python -m benchmarks.fidelity [MF] [VAE] [NCF] [DEEP] [--users 40]

The setting is that of LXR (Barkan et al., WWW 2024) and of what followed it: a recommender f(x) of a row x of what a
person took, (M,) zeros and ones, gives each item a positive score; an explanation orders what was taken; POS, NEG, DEL,
INS and CDCG (docs/explanations.md) say what becomes of the first recommendation when the first K are gone, or alone are
left.

MF     f = σ(x P Qᵀ + b)                        a person's vector is the sum of those of what was taken
VAE    Mult-VAE (Liang et al., WWW 2018): softmax of a decoder of an encoder of x / ‖x‖, one hidden layer of 128
NCF    after He et al. (WWW 2017): σ of a product of vectors and of a small network on the pair; a person's is x P
DEEP   HybridAttention with deep heads, our own: it knows the order of what was taken, and its scores are sums

They are trained here, some seconds each (DEEP: minutes), on MovieLens-small with users and items of 20 events, wrapped
as tables of counts (but for DEEP), and explained for people of 20 to 100 events, drawn evenly over lengths. All
explainers see the same recommendations. `paired` has 95 % intervals over people of the difference of an explainer to
`strongest`, `lead` and `sufficient`.

PyTorch is needed (`pip install 'xattn[rivals]'`). What lime and shap are made by stands in the first line.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from torch import nn

import xattn
from xattn.data import Interactions
from xattn.evaluate.faithfulness.metrics import intervals
from xattn.evaluate.faithfulness.packages import sources
from xattn.evaluate.faithfulness.protocol import measure
from xattn.recommenders import HybridAttention, Recommender

SHORTEST, LONGEST = 20, 100  # events of those who are asked about
LIST = 1  # the r of POS and NEG: does it stay the first?
EXPLAINERS = (
    "strongest", "sufficient", "lead", "removal", "contribution", "arrival", "shapley", "lime_own", "kernel_shap_own",
    "cosine", "random", "exhaustive",
)  # fmt: skip
SLOW = ("lead", "exhaustive")  # that take a minute a person where a list runs an encoder; left out of DEEP
BETTER = {"del": "low", "pos": "low", "cdcg": "low", "neg": "high", "ins": "high"}


class MF(nn.Module):
    """σ(x P Qᵀ + b)."""

    def __init__(self, n_items: int, d: int = 32) -> None:
        super().__init__()
        self.P = nn.Linear(n_items, d, bias=False)
        self.Q = nn.Linear(d, n_items)
        nn.init.normal_(self.P.weight, std=0.05)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.Q(self.P(x))
        return found

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.logits(x))


class VAE(nn.Module):
    """Mult-VAE; when it serves, the mean of the code is decoded."""

    def __init__(self, n_items: int, hidden: int = 128, d: int = 32) -> None:
        super().__init__()
        self.inner = nn.Linear(n_items, hidden)
        self.code = nn.Linear(hidden, 2 * d)
        self.outer = nn.Sequential(nn.Linear(d, hidden), nn.Tanh(), nn.Linear(hidden, n_items))

    def coded(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, spread = self.code(torch.tanh(self.inner(nn.functional.normalize(x)))).chunk(2, dim=-1)
        return mean, spread

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.outer(self.coded(x)[0]), dim=-1)


class NCF(nn.Module):
    """σ of w · (u ∘ v_j) + MLP(u, v_j) + b_j, u = x P; the first layer of the pair is the sum of one for each side."""

    def __init__(self, n_items: int, d: int = 32, hidden: int = 16) -> None:
        super().__init__()
        self.P = nn.Linear(n_items, d, bias=False)
        self.v = nn.Parameter(0.1 * torch.randn(n_items, d))
        self.weight = nn.Parameter(torch.ones(d))
        self.person, self.item = nn.Linear(d, hidden), nn.Linear(d, hidden, bias=False)
        self.last = nn.Linear(hidden, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(n_items))
        nn.init.normal_(self.P.weight, std=0.05)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        u = self.P(x)
        pair = torch.relu(self.person(u)[:, None, :] + self.item(self.v))
        return (u * self.weight) @ self.v.T + self.last(pair)[..., 0] + self.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.logits(x))


def fit(kind: str, data: Interactions, epochs: int = 60) -> nn.Module:
    """Half of what each person took is shown, all of it is asked for."""
    torch.manual_seed(0)
    x = torch.zeros(data.n_users, data.n_items)
    x[torch.from_numpy(np.array(data.user)), torch.from_numpy(np.array(data.item))] = 1.0
    module = {"MF": MF, "VAE": VAE, "NCF": NCF}[kind](data.n_items)
    popular = torch.logit(x.mean(dim=0).clamp(1e-4, 1 - 1e-4))
    with torch.no_grad():
        bias = {"MF": lambda: module.Q.bias, "NCF": lambda: module.bias, "VAE": lambda: module.outer[2].bias}[kind]()
        bias.copy_(popular)
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3)
    for epoch in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            shown, wanted = x[rows] * (torch.rand_like(x[rows]) < 0.5), x[rows]
            if kind == "VAE":
                mean, spread = module.coded(shown)
                code = mean + torch.randn_like(mean) * (0.5 * spread).exp()
                loss = -(torch.log_softmax(module.outer(code), dim=-1) * wanted).sum(dim=-1).mean()
                kl = -0.5 * (1 + spread - mean**2 - spread.exp()).sum(dim=-1).mean()
                loss = loss + min(1.0, epoch / epochs) * 0.2 * kl
            else:
                loss = nn.functional.binary_cross_entropy_with_logits(module.logits(shown), wanted)
                loss = loss + 1e-6 * sum((part**2).sum() for part in module.parameters())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return module


def fitted(kind: str, data: Interactions) -> Recommender:
    if kind == "DEEP":
        return HybridAttention(learned="always", fit_minutes=None).fit(data)
    return xattn.wrap(fit(kind, data), data, events_as="table")


def people(data: Interactions, number: int) -> list[int]:
    """User rows, one drawn from each of `number` equal groups by length of history."""
    length = np.diff(data.indptr)
    fitting = np.flatnonzero((length >= SHORTEST) & (length <= LONGEST))
    fitting = fitting[np.argsort(length[fitting], kind="stable")]
    rng = np.random.default_rng(0)
    return [int(rng.choice(group)) for group in np.array_split(fitting, number)]


def table(kind: str, data: Interactions, number: int) -> None:
    start = time.perf_counter()
    model = fitted(kind, data)
    users = people(data, number)
    explainers = tuple(name for name in EXPLAINERS if kind != "DEEP" or name not in SLOW)
    found = measure(model, users, k=LIST, top=1, most=5, explainers=explainers)
    names = {
        f"{metric}@{K}": f"{metric}@{f'{LIST},' if metric in ('pos', 'neg') else ''}{K}"
        for metric in BETTER
        for K in range(1, 6)
    }
    at = {short: found.names.index(long) for short, long in names.items()}
    print(f"\n{kind}: {found.explained} recommendations of {len(users)} people, {found.skipped} left out")
    print("explainer | " + " | ".join(names))
    for name in explainers:
        mean = found.values[name].mean(axis=0)
        print(f"{name} | " + " | ".join(f"{mean[column]:.3f}" for column in at.values()), flush=True)
    if "exhaustive" in explainers:
        best = found.names.index("best@3")
        print("best@3 | " + ", ".join(f"{name} {found.values[name][:, best].mean():.3f}" for name in explainers))
    for first in (name for name in ("strongest", "lead", "sufficient") if name in explainers):
        print(f"paired: explainer − {first}, mean over K = 1..5 | " + " | ".join(BETTER))
        for name in explainers:
            cells = []
            for metric in BETTER if name != first else ():
                own = [at[f"{metric}@{K}"] for K in range(1, 6)]
                apart = (found.values[name][:, own] - found.values[first][:, own]).mean(axis=1, keepdims=True)
                low, high = intervals(apart, 0)
                cells.append(f"{apart.mean():+.4f} [{low[0]:+.4f}, {high[0]:+.4f}]")
            print(f"{name} | " + " | ".join(cells), flush=True)
    print(f"{time.perf_counter() - start:.0f} s", flush=True)


def main() -> None:
    options: Any = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("kinds", nargs="*", default=["MF", "VAE", "NCF"])
    options.add_argument("--users", type=int, default=40)
    asked = options.parse_args()
    torch.set_num_threads(1)
    print(sources())
    data = xattn.load_dataset("movielens-small").core(20)
    for kind in asked.kinds:
        table(kind, data, asked.users)


if __name__ == "__main__":
    main()
