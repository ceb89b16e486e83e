"""Where an address is, by the user's own MaxMind database. Needs the extra ``[geo]``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

import polars as pl

from sessionize import schema
from sessionize.config import Plan
from sessionize.engine.result import Result
from sessionize.errors import InputError, UsageError
from sessionize.kernel.privacy import address

GEO_TYPES: Final = {
    "geo_country": pl.String, "geo_country_code": pl.String, "geo_city": pl.String, "geo_county": pl.String,
    "geo_postal": pl.String, "geo_latitude": pl.Float64, "geo_longitude": pl.Float64,
}  # fmt: skip


class Places:
    """An open database.

    Args:
        path: Path of the .mmdb file.

    Raises:
        UsageError: If the extra is missing.
        InputError: If the file is missing or no such database.
    """

    def __init__(self, path: str) -> None:
        if find_spec("maxminddb") is None:
            raise UsageError("--geo-db needs the package maxminddb", hint="pip install 'sessionize[geo]'")
        import maxminddb

        self._path = path
        self._damaged = maxminddb.InvalidDatabaseError
        try:
            self._database = maxminddb.open_database(path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise InputError(
                f"--geo-db {path}: {error}", hint="a MaxMind database, such as GeoLite2-City.mmdb"
            ) from None

    def of(self, addresses: pl.Series) -> pl.DataFrame:
        """A row for each address, the columns of GEO_TYPES; all null where it is none or not known.

        Raises:
            InputError: If the database is damaged.
        """
        different = addresses.unique().drop_nulls()
        rows = [_row(self._lookup(text)) for text in different]
        table = pl.DataFrame(rows, schema=GEO_TYPES, orient="row").with_columns(different.alias("address"))
        return (
            pl.DataFrame({"address": addresses})
            .join(table, on="address", how="left", maintain_order="left")
            .drop("address")
        )

    def _lookup(self, text: str) -> Mapping[str, Any]:
        where = address(text)
        if where is None:
            return {}
        try:
            found = self._database.get(where)
        except self._damaged as error:
            raise InputError(f"--geo-db {self._path}: {error}", hint="fetch the file again") from None
        except ValueError:  # an IPv6 address in a database of IPv4
            return {}
        return found if isinstance(found, dict) else {}


def located(sessions: pl.DataFrame, places: Places | None, plan: Plan) -> pl.DataFrame:
    """The sessions with where their addresses are; without the addresses, where those are to be dropped."""
    if places is not None and schema.IP in sessions.columns:
        sessions = sessions.hstack(places.of(sessions[schema.IP].cast(pl.String)))
    return sessions.drop(schema.IP, strict=False) if plan.ip == "drop" else sessions


def with_places(result: Result, places: Places | None, plan: Plan) -> Result:
    """The result with where its sessions' addresses are."""
    found = (batch._replace(sessions=located(batch.sessions, places, plan)) for batch in result.batches)
    return result._replace(batches=found)


def _row(found: Mapping[str, Any]) -> tuple[Any, ...]:
    """As MaxMind's City databases have it; as flat ones (IPinfo) do, where a value is a text."""
    country, city, place = found.get("country"), found.get("city"), _table(found.get("location"))
    parts = found.get("subdivisions")
    region = parts[-1] if isinstance(parts, list) and parts else found.get("region")
    code = _table(country).get("iso_code") or found.get("country_code")
    postal = found.get("postal")
    return (
        _name(country),
        code,
        _name(city),
        _name(region),
        _table(postal).get("code") if isinstance(postal, dict) else postal,
        _number(place.get("latitude", found.get("lat")), 90),
        _number(place.get("longitude", found.get("lng")), 180),
    )


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    names = _table(_table(value).get("names"))
    return names.get("en") or next(iter(names.values()), None)


def _number(value: Any, bound: int) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if -bound <= number <= bound else None
