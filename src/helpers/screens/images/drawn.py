"""The images of a twin: drawings of its sites, after its truth."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import DataError
from helpers.files import read_json_object
from helpers.screens.facts import CONDITIONS
from helpers.screens.images.drawing import SiteState, draw_site
from helpers.screens.images.store import ImageStore
from helpers.screens.twin.embeddings import DIM, LOW_CELLS
from helpers.screens.twin.model import stream

if TYPE_CHECKING:
    import pandas as pd

DIMNESS = 0.8  # of a dim well
FEW_CELLS = 0.2  # share of the cells that a well with few cells holds
_INFECTION = {"mock": 0.0, "uv": 0.0, "infected": 1.0}


def site_state(
    condition: str, *, rescue: float = 0.0, toxicity: float = 0.0, failure: str = "", blank: float = 0.5
) -> SiteState:
    """Return what a site of the twin shows, from what is true of its well.

    Off-axis phenotypes of a treatment are not drawn.

    Parameters
    ----------
    condition : {"mock", "uv", "infected", "blank"}
        Of the well; any other word is taken for `blank`.
    rescue : float
        True rescue of the treatment in an infected well: 0 = none, 1 = as mock. Below 0, which no longer shows,
        counts as 0, and above 1 as 1.
    toxicity : float
        True toxicity of the treatment, axis lengths.
    failure : {"", "dim", "low_cells"}
        As in ``failed_wells.csv``.
    blank : float
        Infection drawn in a blank well. Half of them look infected; the twin's files do not say which.

    Returns
    -------
    SiteState
        To be drawn with :func:`helpers.screens.draw_site`.

    Examples
    --------
    >>> site_state("infected", rescue=0.75)
    SiteState(n_cells=130, infection=0.25, toxicity=0.0, dim=0.0)
    >>> site_state("mock", failure="low_cells").n_cells
    26
    """
    infection = _INFECTION.get(condition, blank)
    if condition == "infected":
        infection = float(np.clip(1 - rescue, 0, 1))
    usual = SiteState()
    return SiteState(
        n_cells=round(usual.n_cells * FEW_CELLS) if failure == LOW_CELLS else usual.n_cells,
        infection=infection,
        toxicity=max(float(toxicity), 0.0),
        dim=DIMNESS if failure == DIM else 0.0,
    )


class DrawnImages(ImageStore):
    """Drawings of the sites of a twin.

    A site looks the same whenever and in whatever order it is drawn.

    Parameters
    ----------
    folder : Path
        A twin, as `make_twin` writes it.

    Raises
    ------
    DataError
        If the folder holds no twin.
    """

    is_drawing = True

    def __init__(self, folder: Path):
        super().__init__(str(folder))
        self.folder = folder
        try:
            known = read_json_object(folder / "twin.json")
            self.seed, self._blank = int(known["seed"]), float(known["model"]["blank_infected"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{folder} holds no twin (twin.json); make one with `rxrx19 data make twin DIR`"
            ) from error

    def has(self, site_id: str) -> bool:
        """Tell if the twin has a site of this id."""
        return site_id in self._sites.index

    def state(self, site_id: str) -> SiteState:
        """Return what a site shows.

        Raises
        ------
        DataError
            If the twin has no such site.
        """
        if not self.has(site_id):
            example = self._sites.index[0]
            raise DataError(f"{self.name}: the twin has no site '{site_id}'; its ids are like {example}")
        site = self._sites.loc[site_id]
        true: Mapping = self._truth.get((site["experiment"], site["treatment"], site["dose_um"]), {})
        failure = self._failures.get(site["well_id"], "")
        condition = CONDITIONS[site["disease_condition"]]
        return site_state(condition, **true, failure=failure, blank=self._blank)

    def site(self, site_id: str) -> np.ndarray:
        """Draw the five channels of a site, uint8, shape (5, 1024, 1024); raises as `state`."""
        seed = int(stream(self.seed, "image", site_id).integers(2**63))
        return draw_site(self.state(site_id), seed=seed)

    @cached_property
    def _sites(self) -> "pd.DataFrame":
        """Sites by id: experiment, well_id, disease_condition, treatment (as in the truth), dose_um."""
        import pandas as pd
        import polars as pl

        columns = ["site_id", "experiment", "well_id", "disease_condition", "treatment", "treatment_conc"]
        path = self.folder / "metadata.csv"
        table = pl.read_csv(path, columns=columns, infer_schema=False, glob=False).fill_null("")
        sites = pd.DataFrame(table.select(columns).to_dict(as_series=False)).set_index("site_id")
        # Spellings of one compound differ in letter case only.
        sites["treatment"] = sites["treatment"].str.casefold()
        sites["dose_um"] = pd.to_numeric(sites["treatment_conc"]).round(6)
        return sites

    @cached_property
    def _truth(self) -> dict[tuple, dict[str, float]]:
        """Rescue and toxicity by experiment, treatment and dose."""
        import pandas as pd

        truth = pd.read_csv(self.folder / "truth.csv", keep_default_na=False)
        keys = zip(
            truth["experiment"],
            truth["treatment"].str.casefold(),
            truth["dose_um"].astype(float).round(6),
            strict=True,
        )
        values = truth[["rescue", "toxicity"]].astype(float).to_dict("records")
        return dict(zip(keys, values, strict=True))

    @cached_property
    def _failures(self) -> dict[str, str]:
        """Reason of failure by well id."""
        import pandas as pd

        failed = pd.read_csv(self.folder / "failed_wells.csv", keep_default_na=False)
        return dict(zip(failed["well_id"], failed["reason"], strict=True))
