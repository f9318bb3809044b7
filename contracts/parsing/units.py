"""The units that a column's values may be in: ISO 4217 currencies, UCUM, and counts by name."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CURRENCIES = _words(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
    "GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW "
    "KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD "
    "NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD "
    "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES "
    "VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
# Words for what UCUM writes as an annotation of 1
COUNTS = frozenset(
    ("1", "count", "rows", "items", "%", "percent", "ratio", "[ppth]", "[ppm]", "ppm")
)
_BASES = _words(
    "m s g rad K C cd mol Hz N Pa J W V A F Ohm S Wb T H lm lx Bq Gy Sv L l eV B bit By bar t cal Wh "
    "Ah VA var"
)
_PREFIXES = ("", *"YZEPTGMkhdcmunpfazy", "da", "Ki", "Mi", "Gi", "Ti")
_WHOLE = _words(
    "min h d wk mo a deg ' '' Cel [degF] [in_i] [ft_i] [yd_i] [mi_i] [nmi_i] [kn_i] [lb_av] [oz_av] "
    "[gal_us] [psi] har rpm {rpm} ms us ns year month week day hour minute second"
)


def is_known(unit: str) -> bool:
    """Return whether a unit is known: `USD`, `kg`, `km/h`, `m/s2`, `USD/kg`, `Cel`, `%`, `count`."""
    parts = [part for factor in unit.split("/") for part in factor.split(".")]
    return bool(unit) and all(_is_factor(part) for part in parts)


def _is_factor(text: str) -> bool:
    bare = text.split("{", 1)[0] if text.endswith("}") and not text.startswith("{") else text
    if bare in COUNTS or bare in _WHOLE or bare in CURRENCIES:
        return True
    if text.startswith("{") and text.endswith("}") and len(text) > 2:
        return True  # UCUM's annotation: a count of what it names
    base = bare.rstrip("0123456789").rstrip("-+")
    return any(
        base.startswith(prefix) and base[len(prefix) :] in _BASES for prefix in _PREFIXES
    ) or (base in _WHOLE and base != bare)
