"""The sharing of tests among processes."""

from __future__ import annotations

import pytest

from tests.workers import piece

pytestmark = pytest.mark.quick


def test_a_module_is_one_piece_and_each_class_in_it_another() -> None:
    assert piece("tests/test_a.py::test_b") == piece("tests/test_a.py::test_c[1-2]")
    assert piece("tests/test_a.py::TestB::test_c") == piece("tests/test_a.py::TestB::test_d")
    assert piece("tests/test_a.py::TestB::test_c") != piece("tests/test_a.py::test_c")


def test_tests_of_another_target_are_another_piece() -> None:
    targets = ["real", "wire", "emulation"]
    assert len({piece(f"tests/test_a.py::test_b[{target}-1]") for target in targets}) == 3
    assert piece("tests/test_a.py::test_b[real]") == piece("tests/test_a.py::test_c[x-real]")


def test_parameters_that_look_like_a_path_belong_to_their_test() -> None:
    assert piece("tests/test_a.py::test_b[a::b/[c]]") == piece("tests/test_a.py::test_c")
