"""The retail domain: a grocer's year, replayed as a shop's database would have logged it."""
