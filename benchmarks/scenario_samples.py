"""The samples of public sets that come with the package, made from the whole sets by rules that look at no behaviour.

    XATTN_TEST_DATA=… python benchmarks/scenario_samples.py

    complete-journey      households whose number can be divided by 20; columns and products that the converter reads
    scf2019-households    all families; the columns that the converter reads
    fueleconomy-cars      model years from 2010 on; the columns that the converter reads

Each sample lies in a folder with its source and terms (TERMS.md). Values are unchanged.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pandas as pd

from xattn.files import write_file
from xattn.scenarios.convert import HOUSEHOLD, PRODUCTS
from xattn.scenarios.fetch.home import FOLDER, SAMPLES

EVERY = 20


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_csv(path, dtype=str, keep_default_na=False, usecols=columns)
    return frame[columns]


def main() -> None:
    root = Path(os.environ[FOLDER])
    journey = root / "complete-journey"
    sales = _read(
        journey / "transactions_hh10.csv.gz",
        ["household_id", "basket_id", "product_id", "quantity", "coupon_disc", "transaction_timestamp"],
    )
    sales = sales[sales["household_id"].astype(int) % EVERY == 0]
    goods = _read(journey / "products.csv.gz", ["product_id", "department", "product_category", "product_type"])
    goods = goods[goods["product_id"].isin(set(sales["product_id"]))]
    homes = _read(root / "scf2019-households" / "scf2019_products.csv.gz", ["YY1", *HOUSEHOLD, *PRODUCTS])
    columns = ["id", "make", "model", "year", "class", "trans", "drive", "cyl", "displ", "fuel", "hwy", "cty"]
    cars = _read(root / "fueleconomy-cars" / "vehicles.csv.gz", columns)
    cars = cars[cars["year"].astype(float) >= 2010]
    for name, frame in {
        "complete-journey/transactions_hh10.csv.gz": sales,
        "complete-journey/products.csv.gz": goods,
        "scf2019-households/scf2019_products.csv.gz": homes,
        "fueleconomy-cars/vehicles.csv.gz": cars,
    }.items():
        content = gzip.compress(frame.to_csv(index=False, lineterminator="\n").encode(), 9, mtime=0)
        write_file(SAMPLES / name, content)
        print(f"{name}: {len(frame):,} rows, {len(content):,} bytes")


if __name__ == "__main__":
    main()
