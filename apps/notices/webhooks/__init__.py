"""The parts of a webhook that know no table: where it may go, how it is signed, how it is sent."""
