"""Each table in this folder is played and what comes out is compared byte for byte.

`DIALBACK_WRITE_SCENARIOS=1` writes what came out below the dashes; whoever does that reckons every number
once more by hand, for the sum stands in the table's comment.
"""

import os
from pathlib import Path

import pytest
from scenario import DIVIDER, played, read_scenario

FOLDER = Path(__file__).parent
TABLES = sorted(FOLDER.glob("*.txt"))
WRITES = os.environ.get("DIALBACK_WRITE_SCENARIOS") == "1"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_what_is_ordered_billed_and_printed_is_what_the_table_says(
    table: Path, template: Path, tmp_path: Path
) -> None:
    scenario = read_scenario(table.read_text())
    found = played(scenario, tmp_path, template.read_bytes())
    if WRITES:
        table.write_text(f"{scenario.table}{DIVIDER}{found}")
    else:
        assert found == scenario.expected
