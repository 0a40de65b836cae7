"""Prints what has to be the same in every process: hashes of states and of the journal's bytes."""

import sys
from hashlib import sha256

from jayx_stream.engine import state_hash
from jayx_stream.model.events import encode_commits
from jayx_stream.projections import Projections, encode_projections
from tests.engine.driving import Driver
from tests.engine.test_state import live


def main(seed: int, count: int) -> None:
    driver, projections = Driver(), Projections()
    for _ in live(driver, seed, count):
        pass
    for commit in driver.commits:
        projections.apply(commit)
    print(state_hash(driver.exchange))
    print(sha256(encode_projections(projections.state())).hexdigest())
    print(sha256(encode_commits(driver.commits)).hexdigest())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
