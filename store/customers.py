"""Everything about customers in one place: accounts, their subscribers, the numbers these are rung on.

Reads, gives: what store/accounts.py, subscribers.py, numbers.py, plans.py, policies.py and dids.py do;
whoever asks about a customer need not know which.
Knows nothing of: calls.
"""

from store.accounts import (
    Account,
    account,
    account_state,
    add_account,
    change_account,
    change_account_plan,
    list_accounts,
    set_account_state,
)
from store.dids import is_own_did
from store.numbers import (
    RegisteredNumber,
    add_number,
    caller_id_for,
    choose_number,
    is_verified_for,
    list_numbers,
    registered_to,
    remove_number,
    verify_number,
)
from store.plans import plan, plan_in_force
from store.policies import country_policy
from store.subscribers import (
    Subscriber,
    add_subscriber,
    change_subscriber,
    list_subscribers,
    subscriber,
)

__all__ = [
    "Account",
    "RegisteredNumber",
    "Subscriber",
    "account",
    "account_state",
    "add_account",
    "add_number",
    "add_subscriber",
    "caller_id_for",
    "change_account",
    "change_account_plan",
    "change_subscriber",
    "choose_number",
    "country_policy",
    "is_own_did",
    "is_verified_for",
    "list_accounts",
    "list_numbers",
    "list_subscribers",
    "plan",
    "plan_in_force",
    "registered_to",
    "remove_number",
    "set_account_state",
    "subscriber",
    "verify_number",
]
