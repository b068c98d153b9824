"""Countries for the API view: names and codes as in ISO 3166-1."""

_TABLE = """
AL ALB Albania
AD AND Andorra
AR ARG Argentina
AU AUS Australia
AT AUT Austria
BE BEL Belgium
BO BOL Bolivia
BA BIH Bosnia and Herzegovina
BR BRA Brazil
BG BGR Bulgaria
CA CAN Canada
CL CHL Chile
CO COL Colombia
CR CRI Costa Rica
HR HRV Croatia
CY CYP Cyprus
CZ CZE Czechia
DK DNK Denmark
EC ECU Ecuador
EG EGY Egypt
EE EST Estonia
FI FIN Finland
FR FRA France
GE GEO Georgia
DE DEU Germany
GH GHA Ghana
GR GRC Greece
HU HUN Hungary
IS ISL Iceland
IN IND India
ID IDN Indonesia
IE IRL Ireland
IT ITA Italy
JP JPN Japan
KE KEN Kenya
LV LVA Latvia
LI LIE Liechtenstein
LT LTU Lithuania
LU LUX Luxembourg
MG MDG Madagascar
MT MLT Malta
MX MEX Mexico
MC MCO Monaco
MN MNG Mongolia
ME MNE Montenegro
MA MAR Morocco
NP NPL Nepal
NL NLD Netherlands
NZ NZL New Zealand
NG NGA Nigeria
MK MKD North Macedonia
NO NOR Norway
PY PRY Paraguay
PE PER Peru
PL POL Poland
PT PRT Portugal
RO ROU Romania
SM SMR San Marino
SN SEN Senegal
RS SRB Serbia
SK SVK Slovakia
SI SVN Slovenia
ZA ZAF South Africa
KR KOR South Korea
ES ESP Spain
SE SWE Sweden
CH CHE Switzerland
TN TUN Tunisia
UA UKR Ukraine
GB GBR United Kingdom
US USA United States
UY URY Uruguay
VN VNM Vietnam
"""


def _flag(alpha_2: str) -> str:
    """The emoji: the two letters as regional indicator symbols."""
    return "".join(chr(ord("🇦") + ord(letter) - ord("A")) for letter in alpha_2)


COUNTRIES: list[dict[str, str]] = [
    {"name": name, "alpha_2": alpha_2, "alpha_3": alpha_3, "flag": _flag(alpha_2)}
    for alpha_2, alpha_3, name in (line.split(" ", 2) for line in _TABLE.strip().splitlines())
]
"""As the lab's own API answers: each with name, alpha_2, alpha_3 and flag."""
