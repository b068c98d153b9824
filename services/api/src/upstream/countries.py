"""The countries that the API answers with."""

import pycountry

from upstream.answers import Answer, make_json


def country_answers() -> list[Answer]:
    """One answer per country, serialised ahead so that a call costs little."""
    return [
        make_json(
            {
                "name": country.name,
                "alpha_2": country.alpha_2,
                "alpha_3": country.alpha_3,
                "flag": country.flag,
            }
        )
        for country in pycountry.countries
    ]
