"""The cast of the reviews: Ana trains, Vera validates, Rui and Remo approve, Omar owns, Otto is an outsider."""

from tests.reviews.conftest import cast

__all__ = ["cast"]
