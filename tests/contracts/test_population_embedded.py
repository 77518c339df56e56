"""The embedded directory keeps the contract of a population database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.population.embedded import EmbeddedPopulation
from gateway.testing.population import KNOWN, PopulationContract

CSV = f"""personal_id,cmnd,ho,chu_dem,ten,born,sex,ethnicity
{KNOWN.personal_id},{KNOWN.cmnd},Đặng,Thị Thúy,Hòa,1996-04-09,female,01
"""


class TestEmbeddedPopulation(PopulationContract):
    @pytest.fixture(autouse=True)
    def directory(self, tmp_path: Path) -> Iterator[None]:
        path = tmp_path / "citizens.csv"
        path.write_text(CSV, encoding="utf-8")
        self.population = EmbeddedPopulation(tmp_path / "population.db")
        self.population.load_csv(path)
        yield
        self.population.close()

    def make_population(self) -> EmbeddedPopulation:
        return self.population
