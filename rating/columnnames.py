"""The names that billing systems and carriers give the columns of their rate sheets.

Reads: nothing.
Gives: NAMES: what a header cell may be called, by what it means.
Knows nothing of: which of two columns is meant (rating/columns.py).

In words: small letters, digits, single spaces; what stands in brackets was taken off. Sources: the export
and import screens of A2Billing, ASTPP, MagnusBilling, Yeti and Freeside, CGRateS's tariff plan files,
PortaOne's rate upload, and sheets that carriers send.
"""

from enum import StrEnum


class Field(StrEnum):
    """What a column says of its row."""

    PREFIX = "prefix"
    COUNTRY_CODE = "country_code"
    AREA = "area_code"
    DESTINATION = "destination"
    COUNTRY = "country"
    NETWORK = "network"
    RATE = "rate_per_min"
    NEXT_RATE = "next_rate_per_min"
    PEAK_RATE = "rate_peak"
    OFFPEAK_RATE = "rate_offpeak"
    OFFPEAK_NEXT_RATE = "next_rate_offpeak"
    OFFPEAK_FIRST = "first_increment_offpeak"
    OFFPEAK_NEXT = "next_increment_offpeak"
    INCREMENTS = "increments"
    FIRST = "first_increment"
    NEXT = "next_increment"
    FEE = "connect_fee"
    FROM = "effective_date"
    TILL = "end_date"
    STATUS = "status"
    CURRENCY = "currency"
    BAND = "band"
    SAME_COUNTRY = "surcharge_same_country"
    EEA = "surcharge_eea"
    NON_EEA = "surcharge_non_eea"
    INVALID = "surcharge_invalid"
    ATTEMPT_FEE = "attempt_fee"
    DIGITS_MIN = "number_digits_min"
    DIGITS_MAX = "number_digits_max"
    BLOCKED = "blocked"
    DISCONTINUED = "discontinued"
    ENABLED = "enabled"
    GRACE = "grace"
    ADDED = "added_seconds"
    ROUNDING = "rounding_method"
    FREE_BELOW = "free_below"
    OTHER_CHARGE = "other_charge"
    IGNORED = "ignore"


NAMES: dict[Field, str] = {
    Field.PREFIX: (
        "prefix|prefixes|code|codes|dial code|dial codes|dialcode|dialprefix|dial prefix|dialing code"
        "|dialling code|dialing codes|destination code|dest code|destination prefix|e164|e 164"
        "|destination prefixes|dest prefix|dest prefixes|dst prefix|country code prefix"
        "|breakout|breakouts|number prefix|phone prefix|called prefix|digits|dnis|dialed digits"
        "|dialled digits"
    ),
    Field.COUNTRY_CODE: "country code|countrycode|cc|country dial code|country codes|intl code",
    Field.AREA: (
        "area code|area codes|areacode|areacodes|city code|city codes|area|areas|ndc|national code"
        "|network code|network codes|city"
    ),
    Field.DESTINATION: (
        "destination|destinations|name|description|destination name|route|route name|zone|zone name"
        "|region|region name|code name|rate name|terminating destination|dest|destination description"
        "|desc|location"
    ),
    Field.COUNTRY: "country|country name",
    Field.NETWORK: "network|network name|operator|operator name",
    Field.RATE: (
        "rate per min|rate|rates|price|rate per minute|price per minute|price per min|cost|cost min"
        "|cost per minute|cost per min|sell rate|selling rate|initial rate|price first|rate min"
        "|rate minute|new rate|new price|price 1|first rate|rate first|charge per minute"
        "|charge per minute call|per minute|min rate|usd min|eur min|tariff|interval first price|ppm"
        "|min charge|per minute cost|rate usd|rate eur|peak price first"
        "|rate per second|price per second|rate per sec|price per sec|cost per second"
    ),
    Field.NEXT_RATE: (
        "next rate per min|next rate|price next|price n|rate next|next price|subsequent rate|rate n"
        "|following rate|peak price next"
    ),
    Field.PEAK_RATE: "rate peak|peak rate|peak|peak price|rate per min peak|day rate",
    Field.OFFPEAK_RATE: (
        "rate offpeak|offpeak rate|off peak rate|off peak|offpeak|off peak price|rate off peak"
        "|off peak price first|off peak price 1|night rate|offpeak price"
    ),
    Field.OFFPEAK_NEXT_RATE: "next rate offpeak|off peak next rate|off peak price next|off peak price n",
    Field.OFFPEAK_FIRST: "first increment offpeak|off peak interval first|off peak interval 1",
    Field.OFFPEAK_NEXT: "next increment offpeak|off peak interval next|off peak interval n",
    Field.INCREMENTS: (
        "increments|increment|billing increment|billing increments|interval|intervals|billing"
        "|billing interval|rounding|rounding rule|rounding rules|billing terms|billing cycle"
        "|granularity|sec granularity|increments s|min incr|min increment|charging|pulse|billing unit"
        "|rate increment"
    ),
    Field.FIRST: (
        "first increment|initial increment|first interval|interval first|initial interval|minimum"
        "|min time|minimum duration|min duration|min seconds|minimum seconds|initial period|initblock"
        "|init block|1st increment|interval 1|sellrate min duration|init increment|init inc"
        "|minimum time|initial|buyrateinitblock"
    ),
    Field.NEXT: (
        "next increment|interval next|interval n|next interval|subsequent increment"
        "|subsequent interval|billingblock|billing block|additional increment|2nd increment"
        "|next period|sub increment|interval 2|inc|sellrate billing block|subsequent|buyrateincrement"
    ),
    Field.FEE: (
        "connect fee|connection cost|connection fee|setup fee|connectcharge|connect charge"
        "|call setup fee|setup charge|connection charge|connect cost|connectcost|flag fall|flagfall"
        "|conn charge|set up fee|setup|price per call|charge per call"
    ),
    Field.FROM: (
        "effective date|effective from|effective|start date|startdate|valid from|date effective"
        "|activation date|eff date|effectivedate|effective date utc|from date|start|valid from date"
        "|applies from"
    ),
    Field.TILL: (
        "end date|effective till|valid till|valid to|valid until|stopdate|stop date|expiry date"
        "|expiration date|effective to|enddate|till|end|valid till date|expires"
    ),
    Field.STATUS: (
        "status|change|rate change|change type|code status|action|changes|rate status|type of change"
        "|movement|price change|change status|trend"
    ),
    Field.CURRENCY: "currency|curr|currency name|currency code|ccy",
    Field.BAND: "band|time band|timeband",
    Field.SAME_COUNTRY: "surcharge same country|same country surcharge|domestic surcharge|national surcharge",
    Field.EEA: "surcharge eea|eea surcharge|surcharge eu|eu surcharge",
    Field.NON_EEA: "surcharge non eea|non eea surcharge|surcharge non eu|non eu surcharge|row surcharge",
    Field.INVALID: "surcharge invalid|invalid surcharge|invalid cli surcharge|no cli surcharge",
    Field.ATTEMPT_FEE: "attempt fee|attempt charge|call attempt fee",
    Field.DIGITS_MIN: (
        "number digits min|min digits|min length|dst number min length|minimum length|min number length"
    ),
    Field.DIGITS_MAX: (
        "number digits max|max digits|max length|dst number max length|maximum length|max number length"
    ),
    Field.BLOCKED: "blocked|reject calls|forbidden",
    Field.DISCONTINUED: "discontinued",
    Field.ENABLED: "enabled",
    Field.GRACE: (
        "grace|grace time|grace period|grace seconds|grace volume|included seconds|includedseconds"
        "|free seconds|included minutes|included minutes calls|min included|included"
    ),
    Field.ADDED: "additional grace|additional time|cdo|additional seconds|added seconds",
    Field.ROUNDING: "rounding method|roundingmethod|rounding mode",
    Field.FREE_BELOW: "minimal time charge|minimal time to charge|minimal time buy|minimal time|free below",
    Field.OTHER_CHARGE: (
        "disconnect charge|disconnectcharge|disconnectcharge after|disconnect charge threshold"
        "|minimal cost|minimum call cost|minimum cost|step charge a|step charge b|step charge c"
        "|stepchargea|stepchargeb|stepchargec|charge a|charge b|charge c|chargea|chargeb|chargec"
        "|time charge a|time charge b|time charge c|timechargea|timechargeb|timechargec"
        "|additional block charge|additional block charge time|rounding calltime|rounding threshold"
        "|surcharge|post call surcharge|login fee|reverse billing|conn sec|daily fee"
    ),
    Field.IGNORED: (
        "id|no|nr|row|notes|note|comment|comments|remark|remarks|priority|strip|prepend|trunk"
        "|reseller|rate group|created date|modified date|iso|iso code|country iso|iso country code"
        "|origin code|region number|old rate|current rate|previous rate|old price|current price"
        "|previous price|difference|delta|tag|tags|billing block a|billing block b|billing block c"
        "|billingblocka|billingblockb|billingblockc|id trunk|id trunk group|package offer"
        "|scheduler name|rate id|rate group name|rate plan|rateplan|rateplan id|rateplan name"
        "|rate policy|rate policy id|rate policy name|use dp intervals|dp margin type|dp margin fixed"
        "|dp margin percent|profit control mode|profit control mode name|asr limit|acd limit"
        "|short calls limit"
        "|allow package billing|routing tag names|routing tag mode name|locked|force hit rate"
        "|exclusive route|lcr rate multiplier|gateway name|gateway group name|routing group name"
        "|vendor name|account name|routeset discriminator name|capacity|starttime|endtime|musiconhold"
        "|announce time correction|carrier|vendor|quality|asr|acd|type|mccmnc|mcc|mnc|last update"
        "|updated|class|level|per second rate|hidden|minutes|usage class|status date"
        "|direction|number type|product|service"
    ),
}
"""Names of one meaning, `|` between them."""
