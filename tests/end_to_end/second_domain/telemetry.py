"""A morning of three vehicles, made from a seed: a ping a second, a delivery schedule, its changes.

What should come out of it is computed here, too, in plain Python from the same values.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2024, 3, 4, 8, tzinfo=UTC)
SECONDS = 24 * 60
VEHICLES = (1, 2, 3)
DEGREE_M = 111_195
ORIGIN = "synthetic"
PINGS = pa.schema(
    [
        ("vehicle_id", pa.int64()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
        ("counter", pa.int64()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("speed_kmh", pa.decimal128(5, 1)),
        ("_origin", pa.string()),
    ]
)


@dataclass
class Morning:
    """What happened: all pings, and the schedule in two files of changes."""

    seed: int
    pings: list[dict] = field(default_factory=list)
    stops: dict[int, list[dict]] = field(default_factory=lambda: defaultdict(list))
    plan: dict[int, dict] = field(default_factory=dict)

    def __post_init__(self):
        """Drive."""
        chance = Random(self.seed)
        for vehicle in VEHICLES:
            self._drive(vehicle, chance)
        for number, stop in enumerate(s for stops in self.stops.values() for s in stops):
            away = timedelta(minutes=chance.randint(-25, 12), seconds=chance.randint(0, 59))
            self.plan[100 + number] = {
                "delivery_id": 100 + number,
                "vehicle_id": stop["vehicle_id"],
                "recipient": f"recipient {number}",
                # ten metres beside where the vehicle stands
                "latitude": stop["latitude"] + 10 / DEGREE_M,
                "longitude": stop["longitude"],
                "planned_at": stop["recorded_at"] + away,
            }
        nowhere = {"delivery_id": 900, "recipient": "nobody", "latitude": 53.9, "longitude": 10.9}
        self.plan[900] = {**nowhere, "vehicle_id": 1, "planned_at": START}

    def _drive(self, vehicle, chance):
        latitude, longitude, speed = 53.5 + vehicle / 10, 10.0, 0
        stands = {at for start in (300, 760, 1180) for at in range(start, start + 70)}
        for second in range(SECONDS):
            before = speed
            speed = min(650, max(60, speed + chance.randint(-35, 45)))
            if chance.random() < 0.01:
                speed = max(60, before - 180)
            speed = 0 if second in stands else speed
            latitude += speed / 36 / DEGREE_M
            ping = {
                "vehicle_id": vehicle,
                "recorded_at": START + timedelta(seconds=second),
                "counter": second + 1,
                "latitude": latitude,
                "longitude": longitude,
                "speed_kmh": Decimal(speed) / 10,
                "_origin": ORIGIN,
            }
            self.pings.append(ping)
            if second in stands and second - 1 not in stands:
                self.stops[vehicle].append(ping)

    def land(self, landing, part):
        """Write the files of the first half, or of the second with all that is odd in it."""
        half = START + timedelta(seconds=SECONDS // 2)
        # some pings of the first half come late
        late = [p for p in self.pings if p["vehicle_id"] == 2 and 200 <= p["counter"] < 260]
        first = [p for p in self.pings if p["recorded_at"] < half and p not in late]
        if part == 1:
            pings = first
        else:
            broken = {**self.pings[-1], "counter": SECONDS + 1, "speed_kmh": Decimal("-5.0")}
            broken["recorded_at"] = START + timedelta(seconds=SECONDS)
            pings = [p for p in self.pings if p["recorded_at"] >= half]
            pings += [*late, *first[:30], broken]
        _write(landing / "pings" / f"part-{part}.parquet", pings)
        _lines(landing / "vehicles" / f"part-{part}.jsonl", _vehicles(part))
        _lines(landing / "deliveries" / f"part-{part}.jsonl", self._changes(part))

    def schedule(self):
        """Return the deliveries as they are planned at the end."""
        plan = {number: dict(row) for number, row in self.plan.items()}
        plan[100]["planned_at"] += timedelta(minutes=10)
        plan[103]["vehicle_id"] = 1
        del plan[104]
        return plan

    def _changes(self, part):
        if part == 1:
            return [
                _envelope(10, place, "c", row) for place, row in enumerate(self.plan.values(), 1)
            ]
        after = self.schedule()
        return [
            _envelope(20, 1, "u", after[100], self.plan[100]),
            _envelope(20, 2, "u", after[103], self.plan[103]),
            _envelope(20, 3, "d", None, {"delivery_id": 104}),
        ]

    def arrivals(self):
        """Return (vehicle, planned, arrived or None, seconds late or None) by delivery."""
        arrivals = {}
        for number, row in self.schedule().items():
            low, high = (
                row["planned_at"] - timedelta(hours=1),
                row["planned_at"] + timedelta(hours=4),
            )
            at = [
                ping["recorded_at"]
                for ping in self.pings
                if ping["vehicle_id"] == row["vehicle_id"]
                and low <= ping["recorded_at"] <= high
                and ping["speed_kmh"] < 3
                and _metres(ping, row) <= 50
            ]
            delay = int((min(at) - row["planned_at"]).total_seconds()) if at else None
            arrivals[number] = (row["vehicle_id"], row["planned_at"], min(at, default=None), delay)
        return arrivals

    def punctuality(self):
        """Return (deliveries, arrived, late, mean delay) by vehicle and day."""
        groups = defaultdict(list)
        for vehicle, planned, _, delay in self.arrivals().values():
            groups[vehicle, planned.date()].append(delay)
        rows = {}
        for key, delays in groups.items():
            measured = [delay for delay in delays if delay is not None]
            mean = sum(measured) / len(measured) if measured else None
            rows[key] = (len(delays), len(measured), sum(d > 900 for d in measured), mean)
        return rows

    def minutes(self):
        """Return (pings, harsh brakes, metres) of five minutes by vehicle and end of the minute."""
        by_minute = defaultdict(lambda: [0, 0, Decimal(0)])
        for before, ping in zip([None, *self.pings], self.pings, strict=False):
            counts = by_minute[ping["vehicle_id"], ping["recorded_at"].replace(second=0)]
            counts[0] += 1
            counts[2] += ping["speed_kmh"]
            if before is not None and before["vehicle_id"] == ping["vehicle_id"]:
                counts[1] += before["speed_kmh"] - ping["speed_kmh"] > 12
        windows = {}
        for vehicle, minute in by_minute:
            five = [by_minute.get((vehicle, minute - timedelta(minutes=ago))) for ago in range(5)]
            pings, brakes, speeds = map(sum, zip(*[part for part in five if part], strict=True))
            end = minute + timedelta(minutes=1)
            windows[vehicle, end] = (pings, brakes, float(speeds) / 3.6)
        return windows


def _metres(ping, row):
    north = ping["latitude"] - row["latitude"]
    east = (ping["longitude"] - row["longitude"]) * math.cos(math.radians(row["latitude"]))
    return DEGREE_M * math.hypot(north, east)


def _vehicles(part):
    rows = [
        {"vehicle_id": n, "plate": f"HL-{100 + n}", "depot": "north" if n < 3 else "south"}
        for n in VEHICLES
    ]
    if part == 1:
        return [_envelope(5, place, "c", row) for place, row in enumerate(rows, 1)]
    return [_envelope(30, 1, "u", {**rows[0], "depot": "south"}, rows[0])]


def _envelope(transaction, place, op, after, before=None):
    """Return a change as Debezium writes it."""
    at = int((START + timedelta(minutes=transaction)).timestamp() * 1000)
    return {
        "before": _image(before),
        "after": _image(after),
        "op": op,
        "ts_ms": at,
        "_origin": ORIGIN,
        "source": {
            "txId": transaction,
            "lsn": transaction * 1000 + place,
            "sequence": json.dumps([str(transaction * 1000), str(transaction * 1000 + place)]),
            "ts_ms": at,
        },
        "transaction": {"id": f"{transaction}:1", "total_order": place},
    }


def _image(row):
    if row is None:
        return None
    return {
        name: value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=PINGS), path)


def _lines(path, changes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(change) + "\n" for change in changes), encoding="utf-8")


if __name__ == "__main__":
    import sys
    from pathlib import Path

    Morning(seed=7).land(Path(sys.argv[1]), int(sys.argv[2]))
