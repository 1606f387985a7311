"""Which numbers are special, as tables that do not depend on a library's opinion.

Reads: nothing.
Gives: sets and prefixes for values/e164.py, as strings of digits.
Knows nothing of: how a number is written or parsed.

libphonenumber calls +870 and +881 mobile and +883 VoIP, and its data may lag behind a regulator: what must
never be dialled by accident is therefore listed here as well. Code table: ITU-T E.164, list of assigned
country codes.
"""

# Understood as a call for help somewhere in the world; which one rings where differs, so all are refused
# everywhere.
EMERGENCY_NUMBERS = frozenset({"000", "110", "111", "112", "113", "115", "118", "119", "911", "999"})

# Subscriber terminals on satellites: Inmarsat SNAC, global mobile satellite systems.
SATELLITE_CODES = ("870", "881")

# No country stands behind these: freephone, shared cost, UPT, networks, disaster relief, premium, trial
# service.
GLOBAL_CODES = ("800", "808", "878", "882", "883", "888", "979", "991")

# Premium-rate ranges that are easily keyed from abroad, as country code and first national digits. The
# library's number types are asked too; this table holds if its data are wrong.
PREMIUM_PREFIXES = (
    "1900",
    "3389",
    "34803",
    "34806",
    "34807",
    "34905",
    "39892",
    "39894",
    "39895",
    "39899",
    "449",
    "49900",
    "61190",
    "7809",
    "81990",
)

# ITU-T E.164 §6: country code and national number together; seven is the shortest in use (Niue, Saint
# Helena: 7 and 8).
DIGITS_MIN = 7
DIGITS_MAX = 15

# Longer than any number a person writes, with all its spaces and brackets.
TEXT_MAX = 64

# What people put between digits: spaces, dots, dashes, brackets, and the invisible direction marks that
# telephones add when a number is copied from their address book.
SEPARATORS = frozenset(
    " \t.-()[]"
    "\u00a0\u2007\u2009\u202f"
    "\u2010\u2011\u2012\u2013\u2014\u2212"
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
PLUS_SIGNS = "+\uff0b"
