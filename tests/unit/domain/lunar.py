"""The Vietnamese lunar calendar from astronomy, to check the table of holidays by something that is not a table.

A lunar month begins on the local day (UTC+7) of the true new moon and is numbered by the major solar term in it: the
first holds the sun's longitude 330°, the second 0°, the third 30°. That rule is enough for months with a term of their
own. New moon and sun: series of Meeus, Astronomical Algorithms, chapters 49 and 25; good to a minute or two.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import floor, radians, sin

_J2000 = 2451545.0
_TERRESTRIAL_AHEAD = 70 / 86_400
"""Days by which terrestrial time is ahead of UTC in our years."""
_MOON = (
    # coefficient in days, multiples of: sun's anomaly, moon's anomaly, argument of latitude
    (-0.40720, 0, 1, 0), (0.17241, 1, 0, 0), (0.01608, 0, 2, 0), (0.01039, 0, 0, 2), (0.00739, -1, 1, 0),
    (-0.00514, 1, 1, 0), (0.00208, 2, 0, 0), (-0.00111, 0, 1, -2), (-0.00057, 0, 1, 2), (0.00056, 1, 2, 0),
    (-0.00042, 0, 3, 0), (0.00042, 1, 0, 2), (0.00038, 1, 0, -2), (-0.00024, -1, 2, 0),
)  # fmt: skip


def month_start(year: int, number: int) -> date:
    """The first day of the `number`-th lunar month of the lunar year that begins in `year`."""
    term = (330 + 30 * (number - 1)) % 360
    first = floor((year - 2000 + (number - 2) / 12) * 12.3685)
    for count in range(first, first + 5):
        start, after = _new_moon(count), _new_moon(count + 1)
        if (term - _sun(start)) % 360 < (_sun(after) - _sun(start)) % 360:
            return start
    raise ValueError("no month holds that solar term")


def _new_moon(count: int) -> date:
    """The local day of the count-th new moon since January 2000."""
    century = count / 1236.85
    sun = radians(2.5534 + 29.10535670 * count)
    moon = radians(201.5643 + 385.81693528 * count + 0.0107582 * century**2)
    latitude = radians(160.7108 + 390.67050284 * count - 0.0016118 * century**2)
    eccentricity = 1 - 0.002516 * century
    mean = 2451550.09766 + 29.530588861 * count + 0.00015437 * century**2
    moved = sum(
        size * eccentricity ** abs(suns) * sin(suns * sun + moons * moon + lats * latitude)
        for size, suns, moons, lats in _MOON
    )
    local = mean + moved - _TERRESTRIAL_AHEAD + 7 / 24
    return date(2000, 1, 1) + timedelta(floor(local - (_J2000 - 0.5)))


def _sun(day: date) -> float:
    """The sun's apparent longitude in degrees at the local midnight with which a day begins."""
    century = ((day - date(2000, 1, 1)).days - 0.5 - 7 / 24 + _TERRESTRIAL_AHEAD) / 36525
    anomaly = radians(357.52911 + 35999.05029 * century)
    centre = (1.914602 - 0.004817 * century) * sin(anomaly) + 0.019993 * sin(2 * anomaly) + 0.000289 * sin(3 * anomaly)
    nutation = 0.00478 * sin(radians(125.04 - 1934.136 * century))
    return (280.46646 + 36000.76983 * century + centre - 0.00569 - nutation) % 360
