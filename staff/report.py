"""`dialback report …`: what was used, earned and owed, and how well it went.

Reads: nothing.
Gives: the click group `report`, of the commands in the modules beside.
Knows nothing of: what a report says.
"""

import rich_click as click

from staff.carrierbill import reconcile
from staff.moneyreports import ageing, margin, unbilled, usage
from staff.trafficreports import alarms, false_answers, funnel, quality


@click.group()
def report() -> None:
    """Reports: use, margin, quality, the callback funnel, what is owed; carriers' bills checked."""


for command in (usage, margin, quality, funnel, ageing, unbilled, reconcile, false_answers, alarms):
    report.add_command(command)
