"""What is known of a service (core/service.c, core/sizes.c), by a clock that the test moves."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.deadlines import scaled

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "src" / "zookeeper" / "core"
INCLUDE = os.environ.get("ZOOKEEPER_INCLUDE_DIR", "/usr/include/zookeeper")

# Their numbers in service.h: others take their place; nothing does.
REPLACED = {
    "MultiRead": 0,
    "SetWatches": 1,
    "transactions": 2,
    "RemoveWatches": 3,
    "SetWatches2": 5,
}
MISSED = {"AddWatch": 4, "GetEphemerals": 6, "GetAllChildrenNumber": 7, "WhoAmI": 8}
# Those that a reconnect sends by itself, and those that programs ask for.
UNASKED = [REPLACED["SetWatches"], REPLACED["SetWatches2"]]
ASKED = [number for number in [*REPLACED.values(), *MISSED.values()] if number not in UNASKED]

WHOLE = 400_000  # bytes of a piece where there is no limit
SMALLEST = 4_000


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("service") / "service"
    sources = [ROOT / "tests/threads/service.c"]
    sources += [CORE / "service.c", CORE / "sizes.c", CORE / "memory.c"]
    strict = ["-D_GNU_SOURCE", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]
    threads = ["-DTHREADED", "-pthread"]
    options = [*strict, *threads, "-O1", "-g", f"-I{CORE}", f"-I{INCLUDE}", "-Wl,--wrap=core_now"]
    compiler = os.environ.get("CC", "gcc")
    subprocess.run([compiler, *options, *sources, "-o", path], check=True)
    return path


def course(program: Path, operation: int, happens: str) -> str:
    """Return a sign for each event: `+` if the operation is used behind it, `-` if not.

    `x` says that a transaction as large as the event's is not even sent.
    """
    return ended(program, operation, happens)[0]


def ended(program: Path, operation: int, happens: str) -> tuple[str, int]:
    """Return these signs, and the bytes of a piece in the end."""
    process = subprocess.run(
        [program, str(operation)],
        input=happens,
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=True,
    )
    signs, piece = process.stdout.split()
    return signs, int(piece)


@pytest.mark.parametrize("operation", [*REPLACED.values(), *MISSED.values()])
def test_a_refusal_is_believed_at_once_and_stays(program: Path, operation: int) -> None:
    assert course(program, operation, "answered denied 60 4000") == "+---"


@pytest.mark.parametrize("operation", [*REPLACED.values(), *MISSED.values()])
def test_an_answer_clears_it_of_lost_connections(program: Path, operation: int) -> None:
    assert course(program, operation, "lost answered lost answered lost") == "+++++"


@pytest.mark.parametrize("operation", [*REPLACED.values(), *MISSED.values()])
def test_losses_of_many_handles_at_once_count_as_one(program: Path, operation: int) -> None:
    assert course(program, operation, "lost others") == "++"
    assert course(program, operation, "answered lost others lost others lost others") == 7 * "+"


@pytest.mark.parametrize("operation", REPLACED.values())
def test_two_losses_leave_out_an_operation_that_others_replace(
    program: Path, operation: int
) -> None:
    assert course(program, operation, "lost lost 3000") == "+--"


@pytest.mark.parametrize("operation", MISSED.values())
def test_four_losses_leave_out_an_operation_without_substitute_for_a_minute(
    program: Path, operation: int
) -> None:
    assert course(program, operation, "lost lost lost lost 59 1") == "+++--+"


@pytest.mark.parametrize("operation", MISSED.values())
def test_a_server_that_hangs_up_loses_a_connection_a_minute(program: Path, operation: int) -> None:
    assert course(program, operation, "lost lost lost lost 60 lost 59 1 lost") == "+++-+--+-"


@pytest.mark.parametrize("operation", MISSED.values())
def test_losses_never_leave_out_one_that_has_worked_and_has_no_substitute(
    program: Path, operation: int
) -> None:
    assert course(program, operation, "answered " + 20 * "lost ") == 21 * "+"


@pytest.mark.parametrize("operation", ASKED)
def test_losses_never_leave_out_what_was_answered_within_the_hour(
    program: Path, operation: int
) -> None:
    assert course(program, operation, "answered " + 20 * "lost ") == 21 * "+"
    later = "answered 3000 lost 500 answered 3500 " + 20 * "lost "
    assert course(program, operation, later) == 26 * "+"


@pytest.mark.parametrize("operation", UNASKED)
def test_requests_of_a_reconnect_that_end_connections_rest_for_a_minute(
    program: Path, operation: int
) -> None:
    assert course(program, operation, "answered lost lost lost lost 59 1") == "++++--+"
    assert course(program, operation, "answered lost lost lost answered lost") == "++++++"


@pytest.mark.parametrize("operation", REPLACED.values())
def test_losses_count_again_an_hour_after_the_last_answer(program: Path, operation: int) -> None:
    assert course(program, operation, "answered 3700 lost lost lost lost 60") == "+++++--"


@pytest.mark.parametrize("operation", REPLACED.values())
def test_another_handle_forgets_no_answer_of_the_last_hour(program: Path, operation: int) -> None:
    happens = "denied 3000 answered 700 anew lost lost lost"
    assert course(program, operation, happens) == "----++++"


@pytest.mark.parametrize("operation", [*REPLACED.values(), *MISSED.values()])
def test_losses_to_a_server_that_is_gone_then_do_not_count(program: Path, operation: int) -> None:
    assert course(program, operation, 20 * "lost gone ") == 40 * "+"
    assert course(program, operation, "lost gone lost") == "+++"


def test_one_that_hangs_up_counts_beside_one_that_is_gone(program: Path) -> None:
    assert course(program, REPLACED["MultiRead"], "lost gone lost lost") == "+++-"


class TestSizes:
    """Requests that may be too large."""

    SIZED = (REPLACED["MultiRead"], REPLACED["SetWatches"], REPLACED["transactions"])
    TRANSACTIONS = REPLACED["transactions"]

    @pytest.mark.parametrize("operation", SIZED)
    def test_two_losses_make_pieces_smaller(self, program: Path, operation: int) -> None:
        assert ended(program, operation, "lost80000") == ("+", WHOLE)
        assert ended(program, operation, "lost80000 lost80000") == ("++", 20_000)
        assert ended(program, operation, "lost80000 lost80000 lost20000") == ("+++", 5_000)
        assert ended(program, operation, "lost9000 lost9000")[1] == SMALLEST

    def test_a_size_is_not_sent_after_two_losses_on_good_connections(self, program: Path) -> None:
        happens = "lost8000 alive lost8000 took7999 answered8000 took8000"
        assert course(program, self.TRANSACTIONS, happens) == "++x+++"

    def test_answers_to_smaller_ones_clear_it_of_nothing(self, program: Path) -> None:
        happens = "lost8000 answered alive lost8000 answered7000 alive lost8000"
        assert course(program, self.TRANSACTIONS, happens) == "+++x++x"

    def test_connections_that_are_good_for_nothing_say_little_of_it(self, program: Path) -> None:
        assert course(program, self.TRANSACTIONS, 4 * "lost8000 ") == "+++x"

    @pytest.mark.parametrize("how", ["answered", "took"])
    @pytest.mark.parametrize("operation", SIZED)
    def test_a_size_that_was_answered_is_never_too_large(
        self, program: Path, operation: int, how: str
    ) -> None:
        happens = f"answered {how}8000 " + 20 * "alive lost8000 "
        signs, piece = ended(program, operation, happens)
        assert piece == WHOLE
        assert "x" not in signs

    def test_an_answer_counts_for_an_hour(self, program: Path) -> None:
        losses = " alive lost8000 alive lost8000"
        for answers in ("3500", "3500 took5000 100", "3500 took5000 3500"):
            seconds = f"answered8000 {answers}"
            assert "x" not in course(program, self.TRANSACTIONS, seconds + losses)
        assert course(program, self.TRANSACTIONS, "answered8000 7300" + losses) == "+++++x"

    @pytest.mark.parametrize("how", ["answered", "took"])
    def test_an_answer_shows_that_a_size_is_not_too_large(self, program: Path, how: str) -> None:
        found = "lost80000 alive lost80000 "
        assert ended(program, self.TRANSACTIONS, f"{found} {how}80000") == ("++x+", WHOLE)
        assert ended(program, self.TRANSACTIONS, f"{found} {how}30000") == ("++x+", 30_000)

    def test_pieces_stay_below_a_size_that_is_not_sent(self, program: Path) -> None:
        large = "lost450000 alive lost450000 "
        assert ended(program, self.TRANSACTIONS, large) == ("++x", 100_000)
        assert ended(program, self.TRANSACTIONS, large + "took440000") == ("++x+", WHOLE - 1)
        smaller = "lost430000 lost430000 "
        taken = ended(program, self.TRANSACTIONS, large + smaller + "took440000")
        assert taken == ("++x+++", WHOLE - 1)

    def test_of_two_sizes_that_were_lost_the_larger_one_is_not_sent(self, program: Path) -> None:
        happens = "lost16000 alive lost8000 alive15999 alive16000"
        assert course(program, self.TRANSACTIONS, happens) == "++++x"

    def test_pieces_are_never_smaller_than_what_was_answered(self, program: Path) -> None:
        happens = "answered12000 " + 5 * "alive lost16000 "
        assert ended(program, self.TRANSACTIONS, happens)[1] == 12_000

    def test_a_size_hardly_larger_than_one_that_was_answered_takes_four_losses(
        self, program: Path
    ) -> None:
        happens = "answered15000 " + 4 * "alive lost15002 "
        assert course(program, self.TRANSACTIONS, happens) == 8 * "+" + "x"
        happens = "answered13000 " + 2 * "alive lost15002 "
        assert course(program, self.TRANSACTIONS, happens) == 4 * "+" + "x"

    def test_losses_to_a_server_that_is_gone_then_do_not_count(self, program: Path) -> None:
        happens = 20 * "alive lost8000 gone "
        assert ended(program, self.TRANSACTIONS, happens) == (60 * "+", WHOLE)

    def test_an_operation_is_left_out_where_its_size_was_answered(self, program: Path) -> None:
        happens = "took8000 lost8000 lost8000"
        assert ended(program, REPLACED["MultiRead"], happens) == ("++-", WHOLE)
