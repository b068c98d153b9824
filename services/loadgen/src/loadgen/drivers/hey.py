"""hey: a counted, closed load, as article B made it."""

import math
from pathlib import Path

import polars as pl

from loadgen.drivers.driver import Driver, LoadPlan, timeout_s
from loadgen.errors import TrialError
from loadgen.generators.window_to_follow import Followed
from loadgen.records.samples import SCHEMA

#: As the own driver, in whole seconds.
TIMEOUT_S = 65

#: The columns that we read; named, since a file without a row tells no types.
COLUMNS = {"offset": pl.Float64, "response-time": pl.Float64, "status-code": pl.Int64}

#: hey leaves requests without an answer out of its CSV and still exits with 0.
LOST = "no answer recorded by hey (error or timeout)"


class Hey(Driver):
    """Runs hey; its CSV has one line per answered request, bodies unseen."""

    name = "hey"
    waits = False
    output = "hey.csv"
    log = None  # it writes everything at its end
    scratch = ()

    def command(self, plan: LoadPlan, folder: Path) -> list[str]:
        """hey with the case's users and planned requests."""
        case = plan.case
        return [
            "hey",
            *("-n", str(case.planned_requests)),
            *("-c", str(case.users)),
            *("-t", str(math.ceil(timeout_s(plan, TIMEOUT_S)))),
            *("-o", "csv"),
            plan.target.url,
        ]

    def samples(
        self, plan: LoadPlan, folder: Path, start_ns: int, followed: Followed | None = None
    ) -> pl.DataFrame:
        """hey's rows, and a failed one for every planned request that it does not list."""
        try:
            table = pl.read_csv(folder / self.output, schema_overrides=COLUMNS)
        except pl.exceptions.NoDataError as error:
            raise TrialError("driver-failed", "hey wrote no results") from error
        answered = table.select(
            due_s="offset",
            sent_s="offset",
            answered_s=pl.col("offset") + pl.col("response-time"),
            ended_s=pl.col("offset") + pl.col("response-time"),
            status="status-code",
            failure=pl.when(pl.col("status-code") != 200).then(
                pl.format("status {}", pl.col("status-code"))
            ),
        ).cast(SCHEMA)  # type: ignore[arg-type]
        lost = (plan.case.planned_requests or 0) - answered.height
        if lost < 0:
            raise TrialError("driver-failed", f"hey lists {-lost} more requests than planned")
        missing = pl.DataFrame({"failure": [LOST] * lost}, schema={"failure": pl.String})
        return pl.concat([answered, missing], how="diagonal")
